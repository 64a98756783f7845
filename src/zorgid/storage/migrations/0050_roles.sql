-- Who has which role where, given by whom, since when and until when (ROLE-3).

create table role_grant (
    id uuid primary key,
    person_id uuid not null references person (id),
    organisation_id uuid references organisation (id),
    role text not null check (role in ('administrator', 'manager', 'employee', 'support')),
    given_by uuid references person (id),
    starts_at timestamptz not null,
    -- exclusive
    ends_at timestamptz check (ends_at >= starts_at),
    check ((role = 'support') = (organisation_id is null))
);

create index role_grant_of_person on role_grant (person_id, starts_at);
create index role_grant_at_organisation on role_grant (organisation_id, role);
