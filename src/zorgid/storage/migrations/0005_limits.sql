-- One row per limit and key that was used recently, shared by all nodes. Unlogged: after a crash of the server every
-- limit begins afresh, which costs nothing but a second chance, and a request does not wait for a disk.

create unlogged table limit_use (
    key bytea primary key check (octet_length(key) = 32),
    -- When this key has its full allowance back; what lies further ahead than the limit's span is refused.
    full_at timestamptz not null
);

create index limit_use_full_at on limit_use (full_at);
