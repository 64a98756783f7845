"""What is done with people: recognise, compare a birth date, reserve and release a kind of means."""

from collections.abc import Iterable, Mapping
from datetime import date

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Actor, Event, Outcome, Subject
from zorgid.kernel.clock import dutch_day
from zorgid.kernel.errors import Fault
from zorgid.kernel.ids import PersonId, new_id
from zorgid.people import rules, store
from zorgid.people.errors import PersonMayBeKnown, PersonUnknown
from zorgid.people.model import MeansKind, MeansPolicy, Names, Person, ReservedMeans
from zorgid.storage.database import Work


async def recognise_person(
    work: Work, *, uzi_number: str, ura: str, names: Names, by: Actor = SYSTEM
) -> Person:
    """Return the person to whom the UZI number belongs.

    An unknown number is a new person without a birth date.

    The names are kept as they stand on the newest card, older ones stay known for finding namesakes.

    Precondition: number, URA and names come from a UZI card that was recognised and whose holder proved to be
    there.
    """
    fresh_id = PersonId(new_id(work.random))
    if await store.add_number(work, uzi_number, fresh_id):
        await store.add_person(work, fresh_id, names, rules.search_name(names))
        person_id = fresh_id
    else:
        person_id = await _owner(work, uzi_number)
        await _take_over_names(work, person_id, names, by)
    await store.add_sighting(work, person_id, ura, rules.search_name(names))
    await record(
        work,
        event=Event.person_recognised,
        by=by,
        on=subject(person_id),
        facts={"ura": ura, "is_new": person_id == fresh_id},
        personal={"uzi_number": uzi_number},
    )
    return await person(work, person_id)


async def state_birth_date(
    work: Work, *, person_id: PersonId, birth_on: date, ura: str, by: Actor, is_asked_again: bool = False
) -> Person:
    """Return the person, whose birth date is known and is `birth_on`.

    A person without one states it for the first time, which stores it. It is a statement, not a proof
    (docs/decisions/0410-birth-date.md).

    Args:
        work: the transaction of the act; a wrong date is counted in it and stays counted.
        person_id: who was recognised by a UZI number in this same flow.
        birth_on: the date as typed.
        ura: the URA on the UZI card, at which namesakes are looked for.
        by: the person.
        is_asked_again: the very same request came before, and spends no second try (ALL-8).

    Raises:
        BirthDateUnfit: it cannot be a birth date; no try is spent.
        BirthDateWrong: it is not the known one, and a try is left of three a day, over all flows.
        BirthDateTriesSpent: three were wrong on this Dutch day, this one among them.
        PersonMayBeKnown: the number is new, yet a namesake at this URA is known; whatever the date.
    """
    today = dutch_day(work.now)
    rules.require_fit_birth_date(birth_on, today=today)
    await lock_person(work, person_id)
    wrong = await store.wrong_on_day(work, person_id, today)
    known = await person(work, person_id)
    if is_asked_again and wrong and known.birth_on not in {None, birth_on}:
        raise rules.refusal_of_wrong_date(wrong)
    rules.require_tries_left(wrong)
    if known.birth_on is None:
        await _state_for_the_first_time(work, known, birth_on, ura, by)
    elif known.birth_on == birth_on:
        await record(work, event=Event.birth_date_matched, by=by, on=subject(person_id))
    else:
        await _count_wrong_date(work, person_id, today, by)
    return await person(work, person_id)


async def reserve_means(
    work: Work,
    *,
    person_id: PersonId,
    kind: MeansKind,
    reference: str,
    policy: MeansPolicy,
    by: Actor = SYSTEM,
) -> None:
    """Take a kind of means for the person: the one place of "one person, one kind of means" (CARD-4, ROLE-4).

    Invited, in the making, active and held all count, each under a reference of its own, until
    `release_means`. The same kind again, under another reference, is fine; the same reference again changes
    nothing.

    Raises:
        PersonUnknown: no such person.
        OtherMeansReserved: the policy knows one kind a person, and the other one is taken.
    """
    await require_means_free(work, person_id=person_id, kind=kind, policy=policy)
    if await store.reserve(work, person_id, kind, reference):
        await _record_means(work, Event.means_reserved, person_id, {"kind": kind, "reference": reference}, by)


async def require_means_free(
    work: Work, *, person_id: PersonId, kind: MeansKind, policy: MeansPolicy
) -> None:
    """Check that the kind could be reserved, and keep it so until this work ends.

    Raises:
        PersonUnknown, OtherMeansReserved: as `reserve_means`.
    """
    await lock_person(work, person_id)
    taken = [reserved.kind for reserved in await store.reserved(work, person_id)]
    rules.require_free(kind, taken=taken, policy=policy)


async def release_means(work: Work, *, person_id: PersonId, reference: str, by: Actor = SYSTEM) -> None:
    """Give up what was reserved under `reference`; without such a reservation nothing happens."""
    kind = await store.release(work, person_id, reference)
    if kind is not None:
        await _record_means(work, Event.means_released, person_id, {"kind": kind, "reference": reference}, by)


async def reserved_means(work: Work, person_id: PersonId) -> tuple[ReservedMeans, ...]:
    """Return what is reserved for the person, oldest first."""
    return await store.reserved(work, person_id)


async def person(work: Work, person_id: PersonId) -> Person:
    """Return the person. Raises `PersonUnknown`."""
    found = await store.people(work, [person_id])
    if not found:
        raise PersonUnknown
    return found[0]


async def people_of(work: Work, person_ids: Iterable[PersonId]) -> Mapping[PersonId, Person]:
    """Return those of the people that exist, by id, for a list."""
    return {found.id: found for found in await store.people(work, list(person_ids))}


async def lock_person(work: Work, person_id: PersonId) -> None:
    """Keep every other work that locks this person waiting until this one ends. Raises `PersonUnknown`.

    Whoever locks a person and a card locks the person first.
    """
    if not await store.lock_person(work, person_id):
        raise PersonUnknown


def subject(person_id: PersonId) -> Subject:
    """Return the person as the log names it."""
    return Subject("person", str(person_id))


async def _owner(work: Work, uzi_number: str) -> PersonId:
    owner = await store.owner_of_number(work, uzi_number)
    if owner is None:
        raise Fault("a UZI number was taken and is gone within one work")
    return owner


async def _take_over_names(work: Work, person_id: PersonId, names: Names, by: Actor) -> None:
    known = await person(work, person_id)
    if known.names != names:
        await store.set_names(work, person_id, names, rules.search_name(names))
        await record(work, event=Event.person_names_changed, by=by, on=subject(person_id))


async def _state_for_the_first_time(work: Work, known: Person, birth_on: date, ura: str, by: Actor) -> None:
    if await store.count_namesakes(work, known.id, ura):
        raise PersonMayBeKnown
    await store.set_birth_date(work, known.id, birth_on)
    await record(work, event=Event.birth_date_stated, by=by, on=subject(known.id))


async def _count_wrong_date(work: Work, person_id: PersonId, today: date, by: Actor) -> None:
    wrong = await store.count_wrong(work, person_id, today)
    await record(
        work,
        event=Event.birth_date_wrong,
        by=by,
        on=subject(person_id),
        outcome=Outcome.refused,
        facts={"tries_left": rules.tries_left_after(wrong)},
    )
    raise rules.refusal_of_wrong_date(wrong)


async def _record_means(
    work: Work, event: Event, person_id: PersonId, facts: Mapping[str, str], by: Actor
) -> None:
    await record(work, event=event, by=by, on=subject(person_id), facts=facts)
