-- People, what was seen of them on UZI cards, the tries at a birth date, and the kinds of means taken for each.

create table person (
    id uuid primary key,
    full_name text not null,
    surname text not null,
    given_names text not null,
    -- the names without capitals, accents and signs, for search and for finding namesakes (ALL-7)
    search_name text not null,
    birth_on date,
    created_at timestamptz not null
);

create index person_search_name on person (search_name text_pattern_ops);

-- A UZI number belongs to one person for good; a person may have had several.
create table uzi_number (
    uzi_number text primary key check (uzi_number ~ '^[0-9]{9}$'),
    person_id uuid not null references person (id) deferrable initially deferred,
    first_seen_at timestamptz not null
);

create index uzi_number_of_person on uzi_number (person_id, first_seen_at);

-- Under which names a person was seen at which organisation's URA.
create table person_sighting (
    person_id uuid not null references person (id),
    ura text not null check (ura ~ '^[0-9]{8}$'),
    search_name text not null,
    first_seen_at timestamptz not null,
    primary key (ura, search_name, person_id)
);

create table birth_date_try (
    person_id uuid not null references person (id),
    -- a day on the Dutch calendar
    on_day date not null,
    wrong integer not null check (wrong between 1 and 3),
    primary key (person_id, on_day)
);

create table reserved_means (
    person_id uuid not null references person (id),
    reference text not null,
    kind text not null check (kind in ('smartcard', 'phone')),
    reserved_at timestamptz not null,
    primary key (person_id, reference)
);
