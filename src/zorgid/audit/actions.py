"""What other rooms and the edge call: record an act, open a work whose refusal is recorded, read, erase."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from zorgid.audit import rules, store
from zorgid.audit.model import Actor, Entry, Event, Outcome, Page, Position, Subject
from zorgid.kernel.errors import Refusal
from zorgid.kernel.ids import OrganisationId, PersonId, new_id
from zorgid.storage.database import Database, Origin, Work

PAGE_SIZE: Final = 50


async def record(
    work: Work,
    *,
    event: Event,
    by: Actor,
    on: Subject,
    organisation_id: OrganisationId | None = None,
    outcome: Outcome = Outcome.done,
    was: str | None = None,
    becomes: str | None = None,
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> UUID:
    """Append one entry to the log within `work`, and return its id.

    It stands or falls with the act it tells of.
    `was` and `becomes` are the states before and after. `facts` may hold text, whole numbers, booleans, ids,
    times and enums, and lists and mappings of them; nothing personal and nothing secret. What is personal (a
    name, a UZI number) goes into `personal`, which can be erased without breaking the chain (ALL-10); the
    address of the caller is put there from the origin of the work. One statement, no lock.

    Raises:
        TypeError: a fact is bytes, a secret or another thing that has no business in a log.
    """
    made = entry(
        work,
        event=event,
        by=by,
        on=on,
        organisation_id=organisation_id,
        outcome=outcome,
        was=was,
        becomes=becomes,
        facts=facts,
        personal=personal,
    )
    await store.append(work, made, rules.mac_of_entry(made, work.audit_mac))
    return made.id


async def record_all(work: Work, entries: Sequence[Entry]) -> None:
    """Append entries that `entry` made, of this work or of those that share it, in one round trip."""
    await store.append_all(work, [(made, rules.mac_of_entry(made, work.audit_mac)) for made in entries])


def entry(
    work: Work,
    *,
    event: Event,
    by: Actor,
    on: Subject,
    organisation_id: OrganisationId | None = None,
    outcome: Outcome = Outcome.done,
    was: str | None = None,
    becomes: str | None = None,
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> Entry:
    """Return the entry that `record` would append with these facts. Raises `TypeError` as `record` does."""
    entry_id = new_id(work.random)
    kept = rules.fit_facts(personal) | ({"address": work.origin.address} if work.origin.address else {})
    return Entry(
        id=entry_id,
        at=work.now,
        event=event,
        actor_kind=by.kind,
        actor_person_id=by.person_id,
        actor_reference=rules.fit_text(by.reference) if by.reference else None,
        actor_means=by.means,
        subject_kind=on.kind,
        subject_id=rules.fit_text(on.id),
        organisation_id=organisation_id,
        request_id=work.origin.request_id,
        node=work.origin.node,
        outcome=outcome,
        was=was,
        becomes=becomes,
        facts=rules.fit_facts(facts),
        personal=kept,
        personal_hashes=rules.hash_all_personal(entry_id, kept, work.audit_mac),
    )


async def record_refusal(
    database: Database,
    origin: Origin,
    refusal: Refusal,
    *,
    event: Event,
    by: Actor,
    on: Subject,
    organisation_id: OrganisationId | None = None,
) -> None:
    """Record that an act was refused, in a transaction of its own: the refused act's may be rolled back.

    The entry holds the code and the loggable facts.
    """
    async with database.work(origin) as aside:
        await record(
            aside,
            event=event,
            by=by,
            on=on,
            organisation_id=organisation_id,
            outcome=Outcome.refused,
            facts=rules.facts_of_refusal(refusal),
        )


@asynccontextmanager
async def failures_told(
    database: Database,
    origin: Origin,
    *,
    event: Event,
    by: Actor,
    on: Subject,
    organisation_id: OrganisationId | None = None,
) -> AsyncIterator[None]:
    """Record the refusal or fault that ends what runs inside, and raise it again.

    The entry is written in a transaction of its own and holds the code and the loggable facts. Of a fault
    only the type is written, as far as the database still takes it. For what asks others outside any
    transaction; see `act`.
    """
    try:
        yield
    except Refusal as refusal:
        await record_refusal(
            database, origin, refusal, event=event, by=by, on=on, organisation_id=organisation_id
        )
        raise
    except Exception as fault:
        with contextlib.suppress(Exception):  # the fault itself is what must reach the operator
            async with database.work(origin) as aside:
                await record(
                    aside,
                    event=event,
                    by=by,
                    on=on,
                    organisation_id=organisation_id,
                    outcome=Outcome.broken,
                    facts={"fault": type(fault).__name__},
                )
        raise


@asynccontextmanager
async def act(
    database: Database,
    origin: Origin,
    *,
    event: Event,
    by: Actor,
    on: Subject,
    organisation_id: OrganisationId | None = None,
) -> AsyncIterator[Work]:
    """Open one transaction for one act; a refusal or fault that ends it is recorded, and raised again.

    The entry of a refusal is written after the act's own transaction was rolled back (or committed, for a
    refusal that keeps its changes). What succeeded is recorded by the action itself.
    """
    told = failures_told(database, origin, event=event, by=by, on=on, organisation_id=organisation_id)
    async with told, database.work(origin) as work:
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
