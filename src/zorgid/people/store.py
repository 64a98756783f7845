"""The SQL of people, their numbers, names, tries and reserved kinds of means."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from psycopg.rows import kwargs_row, scalar_row

from zorgid.kernel.ids import PersonId
from zorgid.people.model import MeansKind, Names, Person, ReservedMeans
from zorgid.storage.database import Work

# Waits for another work that adds the same number, and then adds nothing.
ADD_NUMBER: Final = """
    insert into uzi_number (uzi_number, person_id, first_seen_at) values (%s, %s, %s)
    on conflict (uzi_number) do nothing
"""

OWNER_OF_NUMBER: Final = "select person_id from uzi_number where uzi_number = %s"

ADD_PERSON: Final = """
    insert into person (id, full_name, surname, given_names, search_name, birth_on, created_at)
    values (%(id)s, %(full_name)s, %(surname)s, %(given_names)s, %(search_name)s, null, %(created_at)s)
"""

PEOPLE: Final = """
    select id, full_name, surname, given_names, birth_on, created_at from person where id = any(%s)
"""

# `no key update`, so that rows which only refer to the person can still be added.
LOCK_PERSON: Final = "select id from person where id = %s for no key update"

SET_NAMES: Final = """
    update person set full_name = %(full_name)s, surname = %(surname)s, given_names = %(given_names)s,
        search_name = %(search_name)s
    where id = %(id)s
"""

SET_BIRTH_DATE: Final = "update person set birth_on = %s where id = %s"

ADD_SIGHTING: Final = """
    insert into person_sighting (person_id, ura, search_name, first_seen_at) values (%s, %s, %s, %s)
    on conflict do nothing
"""

NAMESAKES: Final = """
    select count(*) from person_sighting as other join person on person.id = other.person_id
    where other.ura = %(ura)s and other.person_id <> %(person_id)s and person.birth_on is not null
        and other.search_name in (
            select mine.search_name from person_sighting as mine
            where mine.person_id = %(person_id)s and mine.ura = %(ura)s
        )
"""

# In one order for everybody, so that two namesakes who state a date at once wait for each other.
LOCK_NAMESAKES: Final = """
    select person_id from person_sighting as other
    where other.ura = %(ura)s and other.search_name in (
        select mine.search_name from person_sighting as mine
        where mine.person_id = %(person_id)s and mine.ura = %(ura)s
    )
    order by other.search_name, other.person_id for update
"""

WRONG_ON_DAY: Final = "select wrong from birth_date_try where person_id = %s and on_day = %s"

COUNT_WRONG: Final = """
    insert into birth_date_try (person_id, on_day, wrong) values (%s, %s, 1)
    on conflict (person_id, on_day) do update set wrong = birth_date_try.wrong + 1
    returning wrong
"""

RESERVE: Final = """
    insert into reserved_means (person_id, reference, kind, reserved_at) values (%s, %s, %s, %s)
    on conflict (person_id, reference) do nothing
"""

RELEASE: Final = "delete from reserved_means where person_id = %s and reference = %s returning kind"

RESERVED: Final = """
    select kind, reference, reserved_at from reserved_means where person_id = %s
    order by reserved_at, reference
"""


def _person(**row: Any) -> Person:
    names = Names(row["full_name"], row["surname"], row["given_names"])
    return Person(PersonId(row["id"]), names, row["birth_on"], row["created_at"])


def _reserved(**row: Any) -> ReservedMeans:
    return ReservedMeans(**{**row, "kind": MeansKind(row["kind"])})


async def add_number(work: Work, uzi_number: str, person_id: PersonId) -> bool:
    """Note that the number belongs to the person; return False when it belongs to somebody already."""
    added = await work.connection.execute(ADD_NUMBER, (uzi_number, person_id, work.now))
    return bool(added.rowcount)


async def owner_of_number(work: Work, uzi_number: str) -> PersonId | None:
    """Return whose UZI number it is or was, or None."""
    found = await (await work.connection.execute(OWNER_OF_NUMBER, (uzi_number,))).fetchone()
    return PersonId(found[0]) if found else None


async def add_person(work: Work, person_id: PersonId, names: Names, search_name: str) -> None:
    """Store a person without a birth date."""
    columns = {"id": person_id, "search_name": search_name, "created_at": work.now, **vars(names)}
    await work.connection.execute(ADD_PERSON, columns)


async def people(work: Work, person_ids: Sequence[UUID]) -> list[Person]:
    """Return those of the people that exist, in no order."""
    async with work.connection.cursor(row_factory=kwargs_row(_person)) as cursor:
        await cursor.execute(PEOPLE, (list(person_ids),))
        return await cursor.fetchall()


async def lock_person(work: Work, person_id: PersonId) -> bool:
    """Keep others who lock the person waiting until this work ends; return False when there is none."""
    locked = await work.connection.execute(LOCK_PERSON, (person_id,))
    return bool(locked.rowcount)


async def set_names(work: Work, person_id: PersonId, names: Names, search_name: str) -> None:
    """Store the names as they stand on the newest card."""
    columns = {"id": person_id, "search_name": search_name, **vars(names)}
    await work.connection.execute(SET_NAMES, columns)


async def set_birth_date(work: Work, person_id: PersonId, birth_on: date) -> None:
    """Store the birth date that the person stated."""
    await work.connection.execute(SET_BIRTH_DATE, (birth_on, person_id))


async def add_sighting(work: Work, person_id: PersonId, ura: str, search_name: str) -> None:
    """Note under which names the person was seen at this URA."""
    await work.connection.execute(ADD_SIGHTING, (person_id, ura, search_name, work.now))


async def count_namesakes(work: Work, person_id: PersonId, ura: str) -> int:
    """Return how many others with a known birth date were seen at this URA under the person's names.

    Keeps a namesake who states a birth date at the same time waiting until this work ends.
    """
    columns = {"person_id": person_id, "ura": ura}
    await work.connection.execute(LOCK_NAMESAKES, columns)
    found = await (await work.connection.execute(NAMESAKES, columns)).fetchone()
    return int(found[0]) if found else 0


async def wrong_on_day(work: Work, person_id: PersonId, on_day: date) -> int:
    """Return how many wrong birth dates were given for the person on that day."""
    found = await (await work.connection.execute(WRONG_ON_DAY, (person_id, on_day))).fetchone()
    return int(found[0]) if found else 0


async def count_wrong(work: Work, person_id: PersonId, on_day: date) -> int:
    """Count one wrong birth date more and return the day's count."""
    async with work.connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(COUNT_WRONG, (person_id, on_day))
        return int(await cursor.fetchone() or 0)


async def reserve(work: Work, person_id: PersonId, kind: MeansKind, reference: str) -> bool:
    """Store the reservation; return False when this reference has one already."""
    reserved = await work.connection.execute(RESERVE, (person_id, reference, kind, work.now))
    return bool(reserved.rowcount)


async def release(work: Work, person_id: PersonId, reference: str) -> MeansKind | None:
    """Remove the reservation and return its kind, or None when there was none."""
    found = await (await work.connection.execute(RELEASE, (person_id, reference))).fetchone()
    return MeansKind(found[0]) if found else None


async def reserved(work: Work, person_id: PersonId) -> tuple[ReservedMeans, ...]:
    """Return the reservations of the person, oldest first."""
    async with work.connection.cursor(row_factory=kwargs_row(_reserved)) as cursor:
        await cursor.execute(RESERVED, (person_id,))
        return tuple(await cursor.fetchall())
