"""What other rooms and the edge call: record an act, open a work whose refusal is recorded, read, erase."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Unpack
from uuid import UUID

from zorgid.audit import rules, store
from zorgid.audit.model import (
    ActFacts,
    Actor,
    Entry,
    EntryFacts,
    Event,
    Outcome,
    Page,
    Position,
    Subject,
)
from zorgid.kernel.errors import Refusal
from zorgid.kernel.ids import PersonId, new_id
from zorgid.storage.database import Database, Origin, Work

PAGE_SIZE: Final = 50


async def record(work: Work, **told: Unpack[EntryFacts]) -> UUID:
    """Append one entry to the log within `work`, and return its id.

    It stands or falls with the act it tells of. One statement, no lock.

    Raises:
        TypeError: a fact is bytes, a secret or another thing that has no business in a log.
    """
    made = entry(work, **told)
    await store.append(work, made, rules.mac_of_entry(made, work.audit_mac))
    return made.id


async def record_all(work: Work, entries: Sequence[Entry]) -> None:
    """Append entries that `entry` made, of this work or of those that share it, in one round trip."""
    await store.append_all(work, [(made, rules.mac_of_entry(made, work.audit_mac)) for made in entries])


def entry(work: Work, **told: Unpack[EntryFacts]) -> Entry:
    """Return the entry that `record` would append with these facts. Raises `TypeError` as `record` does.

    The address of the caller is put among the personal facts, from the origin of the work.
    """
    entry_id, by, on = new_id(work.random), told["by"], told["on"]
    personal = rules.fit_facts(told.get("personal"))
    if work.origin.address:
        personal = personal | {"address": work.origin.address}
    return Entry(
        id=entry_id,
        at=work.now,
        event=told["event"],
        actor_kind=by.kind,
        actor_person_id=by.person_id,
        actor_reference=rules.fit_text(by.reference) if by.reference else None,
        actor_means=by.means,
        subject_kind=on.kind,
        subject_id=rules.fit_text(on.id),
        organisation_id=told.get("organisation_id"),
        request_id=work.origin.request_id,
        node=work.origin.node,
        outcome=told.get("outcome", Outcome.done),
        was=told.get("was"),
        becomes=told.get("becomes"),
        facts=rules.fit_facts(told.get("facts")),
        personal=personal,
        personal_hashes=rules.hash_all_personal(entry_id, personal, work.audit_mac),
    )


async def record_refusal(
    database: Database, origin: Origin, refusal: Refusal, **told: Unpack[ActFacts]
) -> None:
    """Record that an act was refused, in a transaction of its own: the refused act's may be rolled back.

    The entry holds the code and the loggable facts.
    """
    async with database.work(origin) as aside:
        await record(aside, **told, outcome=Outcome.refused, facts=rules.facts_of_refusal(refusal))


@asynccontextmanager
async def failures_told(database: Database, origin: Origin, **told: Unpack[ActFacts]) -> AsyncIterator[None]:
    """Record the refusal or fault that ends what runs inside, and raise it again.

    The entry is written in a transaction of its own and holds the code and the loggable facts. Of a fault
    only the type is written, as far as the database still takes it. For what asks others outside any
    transaction; see `act`.
    """
    try:
        yield
    except Refusal as refusal:
        await record_refusal(database, origin, refusal, **told)
        raise
    except Exception as fault:
        with contextlib.suppress(Exception):  # the fault itself is what must reach the operator
            async with database.work(origin) as aside:
                await record(aside, **told, outcome=Outcome.broken, facts={"fault": type(fault).__name__})
        raise


@asynccontextmanager
async def act(database: Database, origin: Origin, **told: Unpack[ActFacts]) -> AsyncIterator[Work]:
    """Open one transaction for one act; a refusal or fault that ends it is recorded, and raised again.

    The entry of a refusal is written after the act's own transaction was rolled back (or committed, for a
    refusal that keeps its changes). What succeeded is recorded by the action itself.
    """
    async with failures_told(database, origin, **told), database.work(origin) as work:
        yield work


async def entries_about(
    work: Work, subject: Subject, *, by: Actor, before: Position | None = None, most: int = PAGE_SIZE
) -> Page:
    """Return a page of the log about a subject, the newest first, and record that it was read (AUD-2).

    A page costs the same however long the log is. The caller has checked the right to read it.
    """
    found = await store.about(work, subject, before, most + 1)
    shown = found[:most]
    await record(work, event=Event.audit_read, by=by, on=subject, facts={"entries": len(shown)})
    return Page(shown, Position(shown[-1].at, shown[-1].id) if len(found) > most else None)


async def erase_personal_fields(work: Work, *, person_id: PersonId, by: Actor) -> int:
    """Erase what the log holds of a person: where they acted from, the personal facts about them (ALL-10).

    Entries, ids and keyed hashes stay, so the chain stays verifiable; `verify` counts what was erased.
    Returns the number of changes. Copies in backups live as long as the backup does.
    """
    on = Subject("person", str(person_id))
    erased = await store.erase_addresses_of(work, person_id) + await store.erase_facts_about(work, on)
    await record(work, event=Event.personal_fields_erased, by=by, on=on, facts={"entries": erased})
    return erased
