"""One person, one kind of means: the one place where that is kept (CARD-4, ROLE-4)."""

import asyncio
from uuid import uuid4

import pytest
from tests.register_builders import events_about, known_person

from zorgid.kernel.ids import PersonId
from zorgid.people import actions as people
from zorgid.people.errors import OtherMeansReserved, PersonUnknown
from zorgid.people.model import MeansKind, MeansPolicy, Person
from zorgid.storage.database import Database, Origin, Work

pytestmark = pytest.mark.oldest_postgresql


async def reserve(
    work: Work, person: Person, kind: MeansKind, reference: str, policy: MeansPolicy = MeansPolicy.one_kind
) -> None:
    await people.reserve_means(work, person_id=person.id, kind=kind, reference=reference, policy=policy)


@pytest.mark.parametrize(
    ("taken", "asked"),
    [(MeansKind.smartcard, MeansKind.phone), (MeansKind.phone, MeansKind.smartcard)],
)
async def test_a_person_with_one_kind_of_means_does_not_get_the_other(
    work: Work, taken: MeansKind, asked: MeansKind
) -> None:
    """CARD-4, in both directions."""
    person = await known_person(work)
    await reserve(work, person, taken, "first")
    with pytest.raises(OtherMeansReserved) as refusal:
        await reserve(work, person, asked, "second")
    assert refusal.value.facts == {"kind": taken}


async def test_the_same_kind_is_taken_under_several_references_and_free_when_all_are_given_up(
    work: Work,
) -> None:
    """CARD-4: invited, in the making, active and held all count."""
    person = await known_person(work)
    await reserve(work, person, MeansKind.smartcard, "invitation")
    await reserve(work, person, MeansKind.smartcard, "card")
    await reserve(work, person, MeansKind.smartcard, "card")
    assert {one.reference for one in await people.reserved_means(work, person.id)} == {"invitation", "card"}

    await people.release_means(work, person_id=person.id, reference="invitation")
    with pytest.raises(OtherMeansReserved):
        await reserve(work, person, MeansKind.phone, "phone")
    await people.release_means(work, person_id=person.id, reference="card")
    await reserve(work, person, MeansKind.phone, "phone")

    assert {"means-reserved", "means-released"} <= await events_about(work, person.id)


async def test_both_kinds_are_open_when_the_policy_is_switched_off(work: Work) -> None:
    """CARD-4."""
    person = await known_person(work)
    await reserve(work, person, MeansKind.smartcard, "card", MeansPolicy.both_kinds)
    await reserve(work, person, MeansKind.phone, "phone", MeansPolicy.both_kinds)
    assert {one.kind for one in await people.reserved_means(work, person.id)} == set(MeansKind)


async def test_of_two_kinds_asked_at_once_one_is_refused(database: Database, origin: Origin) -> None:
    """CARD-4: a race between a card and a phone."""
    async with database.work(origin) as work:
        person = await known_person(work)

    async def ask(kind: MeansKind) -> bool:
        try:
            async with database.work(origin) as work:
                await reserve(work, person, kind, f"reference {kind}")
        except OtherMeansReserved:
            return False
        return True

    assert sorted(await asyncio.gather(*(ask(kind) for kind in MeansKind))) == [False, True]


async def test_asking_whether_a_kind_is_free_takes_nothing(work: Work) -> None:
    person = await known_person(work)
    await people.require_means_free(
        work, person_id=person.id, kind=MeansKind.phone, policy=MeansPolicy.one_kind
    )
    assert await people.reserved_means(work, person.id) == ()


async def test_nothing_is_reserved_for_nobody(work: Work) -> None:
    with pytest.raises(PersonUnknown):
        await people.reserve_means(
            work,
            person_id=PersonId(uuid4()),
            kind=MeansKind.phone,
            reference="phone",
            policy=MeansPolicy.one_kind,
        )


async def test_giving_up_what_was_not_reserved_changes_nothing(work: Work) -> None:
    person = await known_person(work)
    await people.release_means(work, person_id=person.id, reference="nothing")
    assert "means-released" not in await events_about(work, person.id)
