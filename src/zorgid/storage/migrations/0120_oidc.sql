-- Authorisation requests that wait for a login, grants with their codes and tokens, assertions seen, keys (room: oidc).

-- Only the hash of the reference is kept. The parameters are kept as received and checked again when the request goes on.
create table oidc_request (
    reference_hash bytea primary key check (octet_length(reference_hash) = 32),
    client_id text not null,
    encoded text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

create index oidc_request_by_end on oidc_request (expires_at);

-- What a person granted a client in one login: the family of its codes and tokens.
create table oidc_grant (
    grant_id uuid primary key,
    client_id text not null,
    person_id uuid not null,
    session_id uuid not null,
    sid text not null,
    scope text[] not null,
    nonce text,
    acr text not null,
    authenticated_at timestamptz not null,
    means text not null check (means in ('uzi-card', 'smartcard')),
    uzi_number text not null,
    ura_on_card text not null,
    full_name text not null,
    organisation_ura text not null,
    organisation_name text,
    organisation_is_guest boolean not null,
    id_token_claims text[] not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    revoked_because text check (revoked_because in ('code-reused', 'session-ended')),
    check ((revoked_at is null) = (revoked_because is null))
);

create index oidc_grant_of_session on oidc_grant (session_id) where revoked_at is null;
create index oidc_grant_by_age on oidc_grant (created_at);

create table oidc_code (
    code_hash bytea primary key check (octet_length(code_hash) = 32),
    grant_id uuid not null references oidc_grant on delete cascade,
    client_id text not null,
    redirect_uri text not null,
    code_challenge text not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

create index oidc_code_of_grant on oidc_code (grant_id);

-- Access tokens by id only; the token itself is kept nowhere.
create table oidc_token (
    jti text primary key,
    grant_id uuid not null references oidc_grant on delete cascade,
    issued_at timestamptz not null,
    expires_at timestamptz not null
);

create index oidc_token_of_grant on oidc_token (grant_id);
create index oidc_token_by_end on oidc_token (expires_at);

-- Client assertions that were seen: each counts once (RFC 7523, section 3).
create table oidc_assertion (
    client_id text not null,
    jti_hash bytea not null check (octet_length(jti_hash) = 32),
    expires_at timestamptz not null,
    primary key (client_id, jti_hash)
);

create index oidc_assertion_by_end on oidc_assertion (expires_at);

-- Keys that sign tokens; the private halves are behind the key provider under `name`.
create table oidc_signing_key (
    kid text primary key,
    name text not null unique,
    algorithm text not null check (algorithm in ('ES256', 'PS256', 'RS256')),
    state text not null check (state in ('next', 'active', 'retired')),
    public_jwk jsonb not null,
    published_at timestamptz not null,
    active_at timestamptz,
    retired_at timestamptz
);

create unique index oidc_signing_key_active on oidc_signing_key (algorithm) where state = 'active';
create unique index oidc_signing_key_next on oidc_signing_key (algorithm) where state = 'next';
