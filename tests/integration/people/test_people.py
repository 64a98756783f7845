"""People in the database: recognised by UZI number, with a birth date that is compared."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from tests.clock import FakeClock
from tests.register_builders import BORN_ON, URA, actor, events_about, known_person, names

from zorgid.kernel.errors import Refusal
from zorgid.kernel.ids import PersonId
from zorgid.people import actions as people
from zorgid.people.errors import (
    BirthDateTriesSpent,
    BirthDateUnfit,
    BirthDateWrong,
    PersonMayBeKnown,
    PersonUnknown,
)
from zorgid.people.model import Names, Person
from zorgid.storage.database import Database, Origin, Work

WRONG = date(1980, 2, 28)
State = Callable[..., object]


async def try_date(database: Database, origin: Origin, person: Person, birth_on: date) -> Refusal | None:
    try:
        async with database.work(origin) as work:
            await people.state_birth_date(
                work, person_id=person.id, birth_on=birth_on, ura=URA, by=actor(person)
            )
    except Refusal as refusal:
        return refusal
    return None


async def test_a_person_is_recognised_by_uzi_number_whatever_the_name_is_now(work: Work) -> None:
    """docs/decisions/0410-birth-date.md: the number finds the person, the names are those on the card."""
    first = await people.recognise_person(work, uzi_number="900000001", ura=URA, names=names())
    married = Names("Anna Bakker-de Vries", "Bakker-de Vries", "Anna")

    again = await people.recognise_person(work, uzi_number="900000001", ura="90000401", names=married)

    assert again.id == first.id
    assert again.names == married
    assert again.birth_on is None
    assert await events_about(work, first.id) == {"person-recognised", "person-names-changed"}


async def test_an_unknown_number_is_a_new_person(work: Work) -> None:
    one = await people.recognise_person(work, uzi_number="900000001", ura=URA, names=names())
    other = await people.recognise_person(work, uzi_number="900000002", ura=URA, names=names())
    assert one.id != other.id
    assert set(await people.people_of(work, [one.id, other.id, PersonId(uuid4())])) == {one.id, other.id}


async def test_names_are_kept_in_full_unicode_as_on_the_card(work: Work) -> None:
    """ALL-7."""
    odd = Names(
        "Ayşe Zoë d\N{RIGHT SINGLE QUOTATION MARK}Été van der " + "Ş" * 64, "van der " + "Ş" * 64, "Ayşe Zoë"
    )
    assert (await people.recognise_person(work, uzi_number="900000001", ura=URA, names=odd)).names == odd


async def test_one_new_number_read_on_two_nodes_at_once_is_one_person(
    database: Database, origin: Origin
) -> None:
    async def recognise() -> PersonId:
        async with database.work(origin) as work:
            person = await people.recognise_person(work, uzi_number="900000001", ura=URA, names=names())
            return person.id

    assert len(set(await asyncio.gather(*(recognise() for _ in range(5))))) == 1


async def test_the_first_birth_date_is_stored_and_later_ones_are_compared(work: Work) -> None:
    """CARD-1; docs/decisions/0410-birth-date.md."""
    person = await people.recognise_person(work, uzi_number="900000001", ura=URA, names=names())
    for _ in range(2):
        stated = await people.state_birth_date(
            work, person_id=person.id, birth_on=BORN_ON, ura=URA, by=actor(person)
        )
        assert stated.birth_on == BORN_ON
    assert {"birth-date-stated", "birth-date-matched"} <= await events_about(work, person.id)


async def test_a_wrong_birth_date_is_counted_and_after_three_not_even_the_right_one_is_looked_at(
    database: Database, origin: Origin, clock: FakeClock
) -> None:
    """docs/decisions/0410-birth-date.md: three tries a day per person over all flows."""
    async with database.work(origin) as work:
        person = await known_person(work)

    lefts = []
    for _ in range(2):
        refusal = await try_date(database, origin, person, WRONG)
        assert isinstance(refusal, BirthDateWrong)
        lefts.append(refusal.facts["tries_left"])
    assert lefts == [2, 1]
    last = await try_date(database, origin, person, WRONG)
    assert isinstance(last, BirthDateTriesSpent), "nobody is asked for a date that is not looked at"
    assert isinstance(await try_date(database, origin, person, BORN_ON), BirthDateTriesSpent)
    async with database.work(origin) as work:
        assert "birth-date-wrong" in await events_about(work, person.id)
    clock.advance(timedelta(days=1))
    assert await try_date(database, origin, person, BORN_ON) is None


async def test_tries_are_counted_on_the_dutch_calendar_day(
    database: Database, origin: Origin, clock: FakeClock
) -> None:
    """ALL-6: at 21:59 UTC in summer the Dutch day has a minute left."""
    clock.set(datetime(2026, 6, 15, 21, 59, tzinfo=UTC))
    async with database.work(origin) as work:
        person = await known_person(work)
    for _ in range(3):
        await try_date(database, origin, person, WRONG)
    assert isinstance(await try_date(database, origin, person, BORN_ON), BirthDateTriesSpent)

    clock.set(datetime(2026, 6, 15, 22, 0, tzinfo=UTC))

    assert await try_date(database, origin, person, BORN_ON) is None


async def test_tries_at_once_are_counted_each(database: Database, origin: Origin) -> None:
    async with database.work(origin) as work:
        person = await known_person(work)
    refusals = await asyncio.gather(*(try_date(database, origin, person, WRONG) for _ in range(6)))
    assert sum(isinstance(refusal, BirthDateWrong) for refusal in refusals) == 2
    assert sum(isinstance(refusal, BirthDateTriesSpent) for refusal in refusals) == 4


async def test_a_date_that_cannot_be_costs_no_try(database: Database, origin: Origin) -> None:
    """ALL-2."""
    async with database.work(origin) as work:
        person = await known_person(work)
    for _ in range(4):
        assert isinstance(await try_date(database, origin, person, date(2030, 1, 1)), BirthDateUnfit)
    assert await try_date(database, origin, person, BORN_ON) is None


@pytest.mark.parametrize("birth_on", [BORN_ON, WRONG])
async def test_a_namesake_with_a_new_number_gets_the_same_answer_whatever_the_date(
    database: Database, origin: Origin, birth_on: date
) -> None:
    """docs/decisions/0410-birth-date.md: one answer for every mismatch, and no second person silently."""
    async with database.work(origin) as work:
        await known_person(work, called=names())
        newcomer = await people.recognise_person(
            work, uzi_number="900000009", ura=URA, names=names("ANNA DE VRIES", "DE VRIES", "ANNA")
        )
    refusal = await try_date(database, origin, newcomer, birth_on)
    assert isinstance(refusal, PersonMayBeKnown)
    assert refusal.facts == {}
    async with database.work(origin) as work:
        assert (await people.person(work, newcomer.id)).birth_on is None


async def test_a_namesake_under_an_older_name_is_found_too(work: Work) -> None:
    known = await known_person(work, uzi_number="900000001", called=names())
    await people.recognise_person(
        work, uzi_number="900000001", ura=URA, names=names("Anna Bakker", "Bakker", "Anna")
    )
    newcomer = await people.recognise_person(work, uzi_number="900000002", ura=URA, names=names())
    with pytest.raises(PersonMayBeKnown):
        await people.state_birth_date(work, person_id=newcomer.id, birth_on=WRONG, ura=URA, by=actor(known))


async def test_a_namesake_at_another_organisation_is_somebody_else(work: Work) -> None:
    await known_person(work, called=names())
    await known_person(work, called=names(), ura="90000401")


async def test_two_newcomers_of_one_name_who_state_a_date_at_once_are_not_both_taken(
    database: Database, origin: Origin
) -> None:
    async with database.work(origin) as work:
        newcomers = [
            await people.recognise_person(work, uzi_number=number, ura=URA, names=names())
            for number in ("900000001", "900000002")
        ]
    refusals = await asyncio.gather(*(try_date(database, origin, one, BORN_ON) for one in newcomers))
    assert sorted(type(refusal).__name__ for refusal in refusals) == ["NoneType", "PersonMayBeKnown"]


async def test_nobody_unknown_has_a_birth_date(work: Work) -> None:
    with pytest.raises(PersonUnknown):
        await people.state_birth_date(
            work,
            person_id=PersonId(uuid4()),
            birth_on=BORN_ON,
            ura=URA,
            by=actor(PersonId(uuid4())),
        )


async def test_no_birth_date_and_no_name_reaches_the_log(work: Work) -> None:
    """ALL-4, ALL-10: what is personal stands where it can be erased, a birth date nowhere."""
    await known_person(work, uzi_number="900000001", called=names())
    found = await work.connection.execute("select facts::text, personal::text from audit_entry")
    for facts, personal in await found.fetchall():
        assert "900000001" not in facts
        assert "1980" not in facts + personal
        assert "Vries" not in facts + personal
