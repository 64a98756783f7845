"""The SQL of sealing and verifying: which entries are certain, and the working copy of the chain.

What counts as the chain is kept outside the database; the copy here tells the next sealer where to go on, and
lets a node that was away catch up.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg.rows import args_row, dict_row

from zorgid.audit.chain import Mark, Seal
from zorgid.audit.model import Entry
from zorgid.storage.database import Work

LOCK_KEY: Final = int.from_bytes(b"zorgid-s")
"""The advisory lock that lets one sealer work at a time."""

SEALS_KEPT: Final = 7 * 24 * 3600
"""How many seals stay in the database: those of a week, at one a second.

Older ones are only in the folders.
"""


async def lock_sealing(work: Work) -> bool:
    """Take the sealer's lock until the end of `work`; return False when another sealer has it."""
    cursor = await work.connection.execute("select pg_try_advisory_xact_lock(%s)", (LOCK_KEY,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def horizon(work: Work) -> int:
    """Return the oldest transaction that may still run; every older one has ended and is seen from now on."""
    cursor = await work.connection.execute("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


MARKS: Final = """
    select xact::text::bigint, id, mac from audit_entry
    where xact >= %s::text::xid8 and xact < %s::text::xid8
    order by xact, id
"""


async def marks_between(work: Work, from_xact: int, until_xact: int) -> AsyncIterator[Mark]:
    """Give the marks of the entries of a range of transactions, in the order of the digest."""
    async with work.connection.cursor(name="marks", row_factory=args_row(Mark)) as cursor:
        await cursor.execute(MARKS, (str(from_xact), str(until_xact)))
        async for mark in cursor:
            yield mark


async def last_seal(work: Work) -> Seal | None:
    """Return the newest seal of the working copy. Raises `SealUnreadable` when it was tampered with."""
    cursor = await work.connection.execute("select line from audit_seal order by number desc limit 1")
    row = await cursor.fetchone()
    return Seal.from_line(row[0]) if row else None


ADD: Final = "insert into audit_seal (number, at, until_xact, line) values (%s, %s, %s::text::xid8, %s)"
TRIM: Final = "delete from audit_seal where number <= %s and at < now() - interval '8 days'"


async def add_seal(work: Work, seal: Seal) -> None:
    """Add a seal to the working copy, and take out those that every folder has had a week to take over."""
    await work.connection.execute(ADD, (seal.number, seal.at, str(seal.until_xact), seal.line()))
    await work.connection.execute(TRIM, (seal.number - SEALS_KEPT,))


async def newest_number(work: Work) -> int:
    """Return the number of the newest seal of the working copy, 0 when there is none."""
    cursor = await work.connection.execute("select coalesce(max(number), 0) from audit_seal")
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def lines_after(work: Work, number: int, most: int) -> Sequence[tuple[int, str]]:
    """Return number and line of at most `most` seals after `number`, in order."""
    cursor = await work.connection.execute(
        "select number, line from audit_seal where number > %s order by number limit %s", (number, most)
    )
    return await cursor.fetchall()


@dataclass(frozen=True)
class Stored:
    """An entry as it lies in the database, with what authenticates it."""

    entry: Entry
    mark: Mark


ALL_ENTRIES: Final = """
    select xact::text::bigint as xact, mac, id, at, event, actor_kind, actor_person_id, actor_reference,
           actor_means, subject_kind, subject_id, organisation_id, request_id, node, outcome, was, becomes,
           facts, personal, personal_hashes
    from audit_entry
    order by xact, id
"""


async def all_entries(work: Work) -> AsyncIterator[Stored]:
    """Give every entry, in the order of the digest, as one moment shows them."""
    async with work.connection.cursor(name="entries", row_factory=dict_row) as cursor:
        await cursor.execute(ALL_ENTRIES)
        async for row in cursor:
            yield _stored(row)


def _stored(row: dict[str, Any]) -> Stored:
    xact: int = row.pop("xact")
    mac: bytes = row.pop("mac")
    entry_id: UUID = row["id"]
    return Stored(Entry(**row), Mark(xact, entry_id, mac))
