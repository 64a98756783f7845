-- Smartcards, their links to organisations, the holds on them, and when each was last used.

create table card (
    id uuid primary key,
    number text not null references blank_card (number),
    chip_serial text not null,
    kind text not null,
    holder_id uuid not null references person (id),
    made_for uuid not null references organisation (id),
    state text not null check (state in ('issuing', 'active', 'failed', 'held', 'revoked', 'expired')),
    level text not null check (level in ('low', 'substantial', 'high')),
    made_at timestamptz not null,
    -- the last second of its certificates
    valid_until timestamptz not null,
    changed_at timestamptz not null
);

-- A blank card whose making failed may be made anew; otherwise it becomes one card.
create unique index card_number on card (number) where state <> 'failed';
create unique index card_chip_serial on card (chip_serial) where state <> 'failed';
-- One living Smartcard a person (CARD-15).
create unique index card_living_of_holder on card (holder_id) where state in ('active', 'held');
create index card_of_holder on card (holder_id, made_at);
create index card_to_expire on card (valid_until) where state in ('active', 'held');

create table card_link (
    id uuid primary key,
    card_id uuid not null references card (id),
    organisation_id uuid not null references organisation (id),
    linked_at timestamptz not null,
    -- exclusive
    ended_at timestamptz
);

create unique index card_link_running on card_link (card_id, organisation_id) where ended_at is null;
create index card_link_list on card_link (organisation_id, linked_at desc, card_id desc) where ended_at is null;

create table card_hold (
    id uuid primary key,
    card_id uuid not null references card (id),
    owner text not null check (owner in ('organisation', 'holder', 'support')),
    organisation_id uuid references organisation (id),
    reason text not null,
    set_at timestamptz not null,
    ended_at timestamptz,
    check ((owner = 'organisation') = (organisation_id is not null))
);

-- One running hold for each party (LIFE-2).
create unique index card_hold_running on card_hold (card_id, owner, organisation_id) nulls not distinct
    where ended_at is null;

-- Apart from the card, so that noting a use neither waits for a hold nor makes one wait.
create table card_use (
    card_id uuid primary key references card (id),
    last_used_at timestamptz not null
);
