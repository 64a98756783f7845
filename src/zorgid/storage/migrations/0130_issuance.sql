-- The making of cards (room: issuance).

create table issuance (
    issuance_id uuid primary key,
    transaction_id uuid not null unique,
    person_id uuid not null,
    organisation_id uuid not null,
    app_x text not null,
    app_y text not null,
    step text not null
        check (step in ('birth-date', 'blank-card', 'certificates', 'kept', 'prove', 'done', 'failed')),
    proved jsonb not null,
    opened_at timestamptz not null,
    expires_at timestamptz not null,
    card_number text,
    chip_serial text,
    card_id uuid,
    attempt bytea,
    challenge bytea,
    context jsonb,
    finished_at timestamptz
);

-- One open making a person.
create unique index issuance_open on issuance (person_id) where step not in ('done', 'failed');
create index issuance_expiring on issuance (expires_at) where step not in ('done', 'failed');

-- The GUIDs that makings wrote on a chip: what carries one of them may be emptied by the next making on that chip.
create table issuance_guid (
    guid bytea primary key,
    chip_serial text not null,
    issuance_id uuid not null references issuance,
    given_at timestamptz not null
);

create index issuance_guid_of_chip on issuance_guid (chip_serial);

-- The proof, kept, that each key was made on the card (CARD-10).
create table issuance_attestation (
    card_id uuid not null,
    usage text not null check (usage in ('authentication', 'signature', 'confidentiality')),
    root_name text not null,
    chip_serial text not null,
    firmware text not null,
    pin_policy text not null,
    statement bytea not null,
    issuer bytea not null,
    checked_at timestamptz not null,
    primary key (card_id, usage)
);
