-- The care applications and the portal, as the identity server knows them (LOGIN-1, 3, 8). No secrets: public keys only.

create table client (
    id text primary key,
    name text not null,
    profile text not null check (profile in ('nlgov', 'fapi2')),
    redirect_uris text[] not null,
    post_logout_redirect_uris text[] not null,
    jwks jsonb not null,
    token_endpoint_auth text not null
        check (token_endpoint_auth in ('private_key_jwt', 'tls_client_auth', 'none')),
    scopes text[] not null,
    sector text not null,
    default_acr text,
    signing_algorithm text not null check (signing_algorithm in ('ES256', 'PS256', 'RS256', 'EdDSA')),
    is_portal boolean not null,
    registered_at timestamptz not null,
    changed_at timestamptz not null
);
