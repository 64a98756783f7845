-- The certificate authority: its hierarchy, every key ever seen, certificates with their status, and the latest CRLs.

create table ca_authority (
    name text primary key check (name in ('root', 'smartcard', 'mobiel')),
    key_name text not null unique,
    certificate bytea not null,
    made_at timestamptz not null
);

create table ca_responder (
    key_name text primary key,
    authority text not null references ca_authority (name),
    certificate bytea not null,
    valid_from timestamptz not null,
    valid_until timestamptz not null
);

create index ca_responder_by_authority on ca_responder (authority, valid_until);

-- No key serves twice: of cards, authorities and responders alike.
create table ca_key_seen (
    public_key_sha256 bytea primary key check (octet_length(public_key_sha256) = 32),
    seen_at timestamptz not null
);

create table ca_certificate (
    serial bytea primary key check (octet_length(serial) between 1 and 20),
    authority text not null references ca_authority (name),
    card_id uuid not null,
    profile text not null check (profile in ('authentication', 'signature', 'confidentiality')),
    public_key_sha256 bytea not null unique references ca_key_seen (public_key_sha256),
    algorithm text not null,
    tbs bytea not null,
    valid_from timestamptz not null,
    valid_until timestamptz not null,
    -- intended: may still be signed, once; signing: the key may have been used; issued: what was signed is known
    stage text not null check (stage in ('intended', 'signing', 'issued')),
    certificate bytea,
    fingerprint_sha256 bytea unique,
    intended_at timestamptz not null,
    issued_at timestamptz,
    status text not null check (status in ('on_hold', 'good', 'revoked')),
    reason text,
    status_at timestamptz not null,
    -- as it stands in the CRL, encoded once
    crl_entry bytea,
    check ((status = 'good') = (crl_entry is null)),
    check (stage = 'issued' or status <> 'good'),
    check ((stage = 'issued') = (certificate is not null)),
    check ((certificate is null) = (fingerprint_sha256 is null)),
    check ((certificate is null) = (issued_at is null))
);

create index ca_certificate_of_card on ca_certificate (card_id);
create index ca_certificate_listed on ca_certificate (authority) where crl_entry is not null;
create index ca_certificate_unfinished on ca_certificate (intended_at) where stage <> 'issued' and status <> 'revoked';

create table ca_status_change (
    number bigint generated always as identity primary key,
    serial bytea not null references ca_certificate (serial),
    authority text not null references ca_authority (name),
    status text not null check (status in ('on_hold', 'good', 'revoked')),
    reason text,
    at timestamptz not null,
    -- the number of the first CRL that shows it
    first_crl bigint
);

create index ca_status_change_of_certificate on ca_status_change (serial, number);
create index ca_status_change_unpublished on ca_status_change (authority) where first_crl is null;

create table ca_crl (
    authority text primary key references ca_authority (name),
    number bigint not null check (number > 0),
    this_update timestamptz not null,
    next_update timestamptz not null,
    der bytea not null
);
