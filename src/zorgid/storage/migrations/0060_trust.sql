-- What foreign issuers said about their certificates, as fetched and judged.

-- The list with the highest number seen of each issuer, who is named by the SHA-256 of its public key.
create table trust_crl (
    issuer_key_sha256 bytea primary key check (octet_length(issuer_key_sha256) = 32),
    number numeric(49, 0) not null,
    this_update timestamptz not null,
    next_update timestamptz not null,
    der bytea not null,
    fetched_at timestamptz not null
);

-- The latest OCSP answer about each certificate.
create table trust_ocsp_answer (
    issuer_key_sha256 bytea not null check (octet_length(issuer_key_sha256) = 32),
    serial bytea not null check (octet_length(serial) between 1 and 20),
    der bytea not null,
    -- set once the issuer said that it is revoked, and never taken back: UZI cards know no suspension
    revoked_at timestamptz,
    reason text,
    fetched_at timestamptz not null,
    primary key (issuer_key_sha256, serial)
);
