-- Events that were committed with an act and still wait for their handlers. A finished event is deleted: the audit
-- log tells what happened, this table only what is still to be done.

create table outbox_event (
    id uuid primary key,
    sequence bigint generated always as identity,
    name text not null,
    facts jsonb not null check (jsonb_typeof(facts) = 'object'),
    at timestamptz not null,
    -- When the event is next taken up. Taking it up moves this ahead, so that nobody else does meanwhile and a
    -- dispatcher that died leaves it to another.
    due_at timestamptz not null,
    tries integer not null default 0,
    finished text[] not null default '{}',
    failed_at timestamptz,
    error text
);

create index outbox_event_due on outbox_event (due_at, sequence) where failed_at is null;
create index outbox_event_failed on outbox_event (failed_at desc, id) where failed_at is not null;
