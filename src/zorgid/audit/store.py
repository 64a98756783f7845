"""The SQL of the audit log: entries are appended and read, never changed; seals likewise."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from zorgid.audit.model import Entry, Position, Subject
from zorgid.storage.database import Work
from zorgid.storage.rows import run_each

APPEND: Final = """
    insert into audit_entry (
        id, at, event, actor_kind, actor_person_id, actor_reference, actor_means, subject_kind, subject_id,
        organisation_id, request_id, node, outcome, was, becomes, facts, personal, personal_hashes, mac
    ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


async def append(work: Work, entry: Entry, mac: bytes) -> None:
    """Append one entry; takes no lock that another writer waits for."""
    await work.connection.execute(APPEND, _row(entry, mac))


async def append_all(work: Work, entries: Sequence[tuple[Entry, bytes]]) -> None:
    """Append entries with their MACs, in one round trip."""
    await run_each(work, APPEND, [_row(entry, mac) for entry, mac in entries])


def _row(entry: Entry, mac: bytes) -> Sequence[Any]:
    return (
        entry.id, entry.at, entry.event, entry.actor_kind, entry.actor_person_id, entry.actor_reference,
        entry.actor_means, entry.subject_kind, entry.subject_id, entry.organisation_id, entry.request_id,
        entry.node, entry.outcome, entry.was, entry.becomes, Jsonb(entry.facts), Jsonb(entry.personal),
        Jsonb(entry.personal_hashes), mac,
    )  # fmt: skip


ABOUT: Final = """
    select id, at, event, actor_kind, actor_person_id, actor_reference, actor_means, subject_kind, subject_id,
           organisation_id, request_id, node, outcome, was, becomes, facts, personal, personal_hashes
    from audit_entry
    where subject_kind = %(kind)s and subject_id = %(id)s
      and (%(at)s::timestamptz is null or (at, id) < (%(at)s::timestamptz, %(entry_id)s::uuid))
    order by at desc, id desc
    limit %(most)s
"""


async def about(work: Work, subject: Subject, before: Position | None, most: int) -> Sequence[Entry]:
    """Return at most `most` entries about a subject that are older than `before`, the newest first."""
    async with work.connection.cursor(row_factory=class_row(Entry)) as cursor:
        at, entry_id = (before.at, before.id) if before else (None, None)
        await cursor.execute(
            ABOUT, {"kind": subject.kind, "id": subject.id, "at": at, "entry_id": entry_id, "most": most}
        )
        return await cursor.fetchall()


ERASE_ADDRESSES: Final = """
    update audit_entry set personal = personal - 'address'
    where actor_person_id = %s and personal ? 'address'
"""

ERASE_FACTS: Final = """
    update audit_entry
    set personal = case when personal ? 'address' then jsonb_build_object('address', personal -> 'address')
                        else '{}'::jsonb end
    where subject_kind = %s and subject_id = %s and personal - 'address' <> '{}'::jsonb
"""


async def erase_addresses_of(work: Work, person_id: UUID) -> int:
    """Erase from which addresses a person acted; return in how many entries."""
    return (await work.connection.execute(ERASE_ADDRESSES, (person_id,))).rowcount


async def erase_facts_about(work: Work, subject: Subject) -> int:
    """Erase the personal facts about a subject, not from where others acted; return in how many entries."""
    return (await work.connection.execute(ERASE_FACTS, (subject.kind, subject.id))).rowcount
