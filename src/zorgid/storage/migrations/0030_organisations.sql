-- Care providers, and the request with which each began (ORG-1, ORG-3, CARD-3).

create table organisation (
    id uuid primary key,
    ura text not null check (ura ~ '^[0-9]{8}$'),
    name text not null,
    type text not null
        check (type in ('huisarts', 'apotheekhoudend_huisarts', 'huisartsenpost', 'apotheek', 'overig')),
    means text[] not null
        check (means <@ array['smartcard', 'phone'] and cardinality(means) > 0),
    state text not null
        check (state in ('requested', 'question', 'approved', 'rejected', 'withdrawn', 'validated', 'registered',
            'merged', 'ended')),
    changed_at timestamptz not null
);

-- One living organisation or open request per URA; a closed one leaves the URA free.
create unique index organisation_living_ura on organisation (ura)
    where state not in ('rejected', 'withdrawn', 'merged', 'ended');
create index organisation_ura on organisation (ura, changed_at);

create table registration_request (
    organisation_id uuid primary key references organisation (id),
    reference text not null unique,
    administrator_uzi_number text not null check (administrator_uzi_number ~ '^[0-9]{9}$'),
    administrator_email text not null,
    representative_email text not null,
    requested_at timestamptz not null,
    words text
);
