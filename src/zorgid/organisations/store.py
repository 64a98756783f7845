"""The SQL of organisations and their requests."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from psycopg.rows import kwargs_row

from zorgid.kernel.ids import OrganisationId
from zorgid.organisations.model import (
    MeansKind,
    Organisation,
    OrganisationState,
    OrganisationType,
    RegistrationRequest,
)
from zorgid.storage.database import Work
from zorgid.storage.rows import first_of_each

ADD_ORGANISATION: Final = """
    insert into organisation (id, ura, name, type, means, state, changed_at)
    values (%(id)s, %(ura)s, %(name)s, %(type)s, %(means)s, %(state)s, %(changed_at)s)
    on conflict (ura) where state not in ('rejected', 'withdrawn', 'merged', 'ended') do nothing
"""

ADD_REQUEST: Final = """
    insert into registration_request (organisation_id, reference, administrator_uzi_number,
        administrator_email, representative_email, requested_at, words)
    values (%(organisation_id)s, %(reference)s, %(administrator_uzi_number)s, %(administrator_email)s,
        %(representative_email)s, %(requested_at)s, %(words)s)
"""

ORGANISATION: Final = """
    select id, ura, name, type, means, state, changed_at from organisation where id = %s
"""

ORGANISATION_LOCKED: Final = """
    select id, ura, name, type, means, state, changed_at from organisation where id = %s for no key update
"""

# The living one when there is one, else the one that was closed last.
ORGANISATION_BY_URA: Final = """
    select id, ura, name, type, means, state, changed_at from organisation where ura = %s
    order by state in ('rejected', 'withdrawn', 'merged', 'ended'), changed_at desc, id limit 1
"""

REQUEST: Final = """
    select organisation_id, reference, administrator_uzi_number, administrator_email, representative_email,
        requested_at, words
    from registration_request where organisation_id = %s
"""

SET_STATE: Final = "update organisation set state = %s, changed_at = %s where id = %s"

SET_WORDS: Final = "update registration_request set words = %s where organisation_id = %s"


def _organisation(**row: Any) -> Organisation:
    typed = {
        "type": OrganisationType(row["type"]),
        "means": frozenset(MeansKind(kind) for kind in row["means"]),
        "state": OrganisationState(row["state"]),
    }
    return Organisation(**{**row, **typed})


async def add(work: Work, organisation: Organisation, request: RegistrationRequest) -> bool:
    """Store both; return False, with nothing stored, when the URA is taken."""
    columns = {**vars(organisation), "means": sorted(organisation.means)}
    added = await work.connection.execute(ADD_ORGANISATION, columns)
    if not added.rowcount:
        return False
    await work.connection.execute(ADD_REQUEST, vars(request))
    return True


async def organisation(work: Work, organisation_id: OrganisationId) -> Organisation | None:
    """Return the organisation, or None."""
    return await _one(work, ORGANISATION, organisation_id)


async def organisation_locked(work: Work, organisation_id: OrganisationId) -> Organisation | None:
    """Return the organisation, which nobody else changes until this work ends, or None."""
    return await _one(work, ORGANISATION_LOCKED, organisation_id)


async def organisation_by_ura(work: Work, ura: str) -> Organisation | None:
    """Return the organisation that bears the URA now, else the one that bore it last, or None."""
    return await _one(work, ORGANISATION_BY_URA, ura)


async def organisations_by_ura(work: Work, uras: Sequence[str]) -> Sequence[Organisation | None]:
    """Return for each URA what `organisation_by_ura` does, in one round trip."""
    return await first_of_each(work, ORGANISATION_BY_URA, [(ura,) for ura in uras], kwargs_row(_organisation))


async def request(work: Work, organisation_id: OrganisationId) -> RegistrationRequest | None:
    """Return the request with which the organisation began, or None."""
    async with work.connection.cursor(row_factory=kwargs_row(RegistrationRequest)) as cursor:
        await cursor.execute(REQUEST, (organisation_id,))
        return await cursor.fetchone()


async def set_state(
    work: Work, organisation_id: OrganisationId, state: OrganisationState, words: str | None
) -> None:
    """Store the new state, and with it what was said, if anything."""
    await work.connection.execute(SET_STATE, (state, work.now, organisation_id))
    if words is not None:
        await work.connection.execute(SET_WORDS, (words, organisation_id))


async def _one(work: Work, query: LiteralString, key: object) -> Organisation | None:
    async with work.connection.cursor(row_factory=kwargs_row(_organisation)) as cursor:
        await cursor.execute(query, (key,))
        return await cursor.fetchone()
