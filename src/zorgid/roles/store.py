"""The SQL of grants."""

from typing import Any, Final, LiteralString

from psycopg.rows import kwargs_row

from zorgid.kernel.ids import GrantId, OrganisationId, PersonId
from zorgid.roles.model import Grant, Role
from zorgid.storage.database import Work

ADD: Final = """
    insert into role_grant (id, person_id, organisation_id, role, given_by, starts_at, ends_at)
    values (%(id)s, %(person_id)s, %(organisation_id)s, %(role)s, %(given_by)s, %(starts_at)s, %(ends_at)s)
"""

OF_PERSON: Final = """
    select id, person_id, organisation_id, role, given_by, starts_at, ends_at from role_grant
    where person_id = %(person_id)s and starts_at <= %(now)s and (ends_at is null or ends_at > %(now)s)
    order by starts_at, id
"""

AT_ORGANISATION: Final = """
    select id, person_id, organisation_id, role, given_by, starts_at, ends_at from role_grant
    where organisation_id = %(organisation_id)s and starts_at <= %(now)s
        and (ends_at is null or ends_at > %(now)s)
    order by starts_at, id
"""

# In one order for everybody, so that two administrators who leave at once wait for each other.
AT_ORGANISATION_LOCKED: Final = """
    select id, person_id, organisation_id, role, given_by, starts_at, ends_at from role_grant
    where organisation_id = %(organisation_id)s and starts_at <= %(now)s
        and (ends_at is null or ends_at > %(now)s)
    order by id for no key update
"""

ONE: Final = """
    select id, person_id, organisation_id, role, given_by, starts_at, ends_at from role_grant
    where id = %(id)s and (ends_at is null or ends_at > %(now)s)
"""

END: Final = """
    update role_grant set ends_at = greatest(starts_at, %(now)s)
    where id = %(id)s and (ends_at is null or ends_at > %(now)s)
"""


def _grant(**row: Any) -> Grant:
    return Grant(**{**row, "role": Role(row["role"])})


async def add(work: Work, grant: Grant) -> None:
    """Store the grant."""
    await work.connection.execute(ADD, vars(grant))


async def of_person(work: Work, person_id: PersonId) -> tuple[Grant, ...]:
    """Return the person's grants that run now, oldest first."""
    return await _all(work, OF_PERSON, {"person_id": person_id, "now": work.now})


async def at_organisation(work: Work, organisation_id: OrganisationId) -> tuple[Grant, ...]:
    """Return the organisation's grants that run now, oldest first."""
    return await _all(work, AT_ORGANISATION, {"organisation_id": organisation_id, "now": work.now})


async def at_organisation_locked(work: Work, organisation_id: OrganisationId) -> tuple[Grant, ...]:
    """Return the organisation's grants that run now, which nobody else ends until this work ends."""
    return await _all(work, AT_ORGANISATION_LOCKED, {"organisation_id": organisation_id, "now": work.now})


async def one(work: Work, grant_id: GrantId) -> Grant | None:
    """Return the grant when it has not ended, or None."""
    found = await _all(work, ONE, {"id": grant_id, "now": work.now})
    return found[0] if found else None


async def end(work: Work, grant_id: GrantId) -> bool:
    """End the grant now; return False when it had ended."""
    ended = await work.connection.execute(END, {"id": grant_id, "now": work.now})
    return bool(ended.rowcount)


async def _all(work: Work, query: LiteralString, columns: dict[str, object]) -> tuple[Grant, ...]:
    async with work.connection.cursor(row_factory=kwargs_row(_grant)) as cursor:
        await cursor.execute(query, columns)
        return tuple(await cursor.fetchall())
