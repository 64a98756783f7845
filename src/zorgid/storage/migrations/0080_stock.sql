-- Every blank card, from the box to its making (CARD-10, SHOP-3).

create table blank_card (
    number text primary key,
    -- as the chip tells it: a decimal number without sign
    chip_serial text not null unique check (chip_serial ~ '^[0-9]{1,20}$'),
    kind text not null,
    state text not null
        check (state in ('in_stock', 'allocated', 'shipped', 'in_making', 'used', 'barred')),
    added_at timestamptz not null,
    -- set once the card left for its buyer; stays set when a failed making gives the card back
    sold_at timestamptz,
    issuance_id uuid,
    alive_at timestamptz,
    changed_at timestamptz not null,
    check ((state = 'in_making') = (issuance_id is not null)),
    check ((issuance_id is null) = (alive_at is null))
);

create index blank_card_in_state on blank_card (state, number);
