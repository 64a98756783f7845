-- The audit log (AUD-1): entries are appended and never changed; seals close them in a signed chain.
--
-- The triggers stop every application role and every slip of an administrator, also during replication. They do not
-- stop the owner of the tables or a superuser, who can drop them, nor a change of the files under the server: that is
-- what the MAC of each entry and the seals outside the database are for, by which it is found.

create table audit_entry (
    id uuid primary key,
    -- The transaction that wrote the entry. A seal covers a range of transactions that have all ended, so that a
    -- late commit falls into a later seal, and no writer waits for another.
    xact xid8 not null default pg_current_xact_id(),
    at timestamptz not null,
    event text not null,
    actor_kind text not null check (actor_kind in ('person', 'support', 'client', 'app', 'system')),
    actor_person_id uuid,
    actor_reference text,
    actor_means text,
    subject_kind text not null,
    subject_id text not null,
    organisation_id uuid,
    request_id text not null,
    node text not null,
    outcome text not null check (outcome in ('done', 'refused', 'begun', 'broken')),
    was text,
    becomes text,
    facts jsonb not null check (jsonb_typeof(facts) = 'object'),
    -- The values of personal facts: the one thing that may be taken out, name by name (ALL-10). The MAC covers
    -- personal_hashes, a keyed hash per fact, which stays.
    personal jsonb not null check (jsonb_typeof(personal) = 'object'),
    personal_hashes jsonb not null check (jsonb_typeof(personal_hashes) = 'object'),
    mac bytea not null check (octet_length(mac) = 32)
);

create index audit_entry_xact on audit_entry (xact, id);
create index audit_entry_subject on audit_entry (subject_kind, subject_id, at desc, id desc);
create index audit_entry_person on audit_entry (actor_person_id) where actor_person_id is not null;

create table audit_seal (
    number bigint primary key check (number > 0),
    at timestamptz not null,
    until_xact xid8 not null,
    line text not null
);

create function audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only: % of % is refused', lower(tg_op), tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

create function audit_allow_erasure_only() returns trigger language plpgsql as $$
begin
    if to_jsonb(new) - 'personal' is distinct from to_jsonb(old) - 'personal'
        or not old.personal @> new.personal
    then
        raise exception 'the audit log is append-only: only personal facts may be taken out'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create function audit_allow_trimming_only() returns trigger language plpgsql as $$
begin
    if old.at > now() - interval '7 days' then
        raise exception 'the audit log is append-only: a seal stays for 7 days'
            using errcode = 'insufficient_privilege';
    end if;
    return old;
end
$$;

create trigger audit_entry_erasure before update on audit_entry
    for each row execute function audit_allow_erasure_only();
create trigger audit_entry_append_only before delete or truncate on audit_entry
    for each statement execute function audit_refuse();
create trigger audit_seal_trimming before delete on audit_seal
    for each row execute function audit_allow_trimming_only();
create trigger audit_seal_append_only before update or truncate on audit_seal
    for each statement execute function audit_refuse();

alter table audit_entry enable always trigger audit_entry_erasure;
alter table audit_entry enable always trigger audit_entry_append_only;
alter table audit_seal enable always trigger audit_seal_trimming;
alter table audit_seal enable always trigger audit_seal_append_only;
