-- Login transactions, the app keys that go on with them, and the sessions that come of them (room: login).

create table app_key (
    thumbprint text primary key,
    x text not null,
    y text not null,
    counter integer not null default -1,
    body_sha256 bytea,
    created_at timestamptz not null
);

create table login_transaction (
    transaction_id uuid primary key,
    handle_hash bytea not null unique,
    cookie_hash bytea not null unique,
    purpose text not null
        check (purpose in ('login', 'make-card', 'validate-organisation')),
    state text not null
        check (state in ('new', 'attached', 'proved', 'completed', 'cancelled', 'aborted', 'expired')),
    client_id text,
    client_name text not null,
    organisation_name text,
    act text,
    acr text,
    accepts text[] not null,
    return_to text not null,
    browser text not null,
    address text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    app_key text references app_key,
    challenge bytea,
    context jsonb,
    proved jsonb,
    completion_hash bytea,
    completion_expires_at timestamptz,
    person_id uuid,
    completed_at timestamptz,
    used_at timestamptz,
    alarmed_at timestamptz
);

create index login_transaction_open on login_transaction (expires_at) where state in ('new', 'attached', 'proved');

create table session (
    session_id uuid primary key,
    cookie_hash bytea not null unique,
    sid text not null unique,
    person_id uuid not null,
    means_kind text not null check (means_kind in ('uzi-card', 'smartcard')),
    means_reference text not null,
    uzi_number text not null,
    ura text not null,
    full_name text not null,
    level text not null,
    authenticated_at timestamptz not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text
);

create index session_of_means on session (means_reference) where ended_at is null;
create index session_of_person on session (person_id) where ended_at is null;
create index session_by_end on session (expires_at);
