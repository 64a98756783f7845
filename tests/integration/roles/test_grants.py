"""Grants in the database."""

import asyncio
from uuid import uuid4

import pytest
from tests.register_builders import audited, emitted, known_person, person_with_role, registered_organisation

from zorgid.audit.model import SYSTEM
from zorgid.kernel.ids import GrantId, PersonId
from zorgid.people import actions as people
from zorgid.people.errors import OtherMeansReserved, PersonUnknown
from zorgid.people.model import MeansKind, MeansPolicy, Person
from zorgid.roles import actions as roles
from zorgid.roles.errors import GrantUnknown, LastAdministrator, RightMissing
from zorgid.roles.model import Act, Grant, Role, Target
from zorgid.storage.database import Database, Origin, Work


async def grant(work: Work, person: Person, role: Role, organisation_id: object) -> Grant:
    return await roles.grant_role(
        work,
        person_id=person.id,
        role=role,
        organisation_id=organisation_id,
        policy=MeansPolicy.one_kind,
        by=SYSTEM,
    )


@pytest.mark.parametrize("role", [Role.administrator, Role.manager])
async def test_who_manages_takes_the_phone_as_kind_of_means(work: Work, role: Role) -> None:
    """ROLE-4, CARD-4."""
    organisation = await registered_organisation(work)
    person = await person_with_role(work, role, organisation.id)
    assert [one.kind for one in await people.reserved_means(work, person.id)] == [MeansKind.phone]
    assert ("role-granted", None, None) in await audited(work, person.id)


async def test_an_employee_keeps_both_ways_open(work: Work) -> None:
    organisation = await registered_organisation(work)
    person = await person_with_role(work, Role.employee, organisation.id)
    assert await people.reserved_means(work, person.id) == ()


async def test_who_has_a_smartcard_cannot_be_made_manager_anywhere(work: Work) -> None:
    """CARD-4, ROLE-4: in both directions, across all organisations."""
    organisation = await registered_organisation(work)
    person = await known_person(work)
    await people.reserve_means(
        work,
        person_id=person.id,
        kind=MeansKind.smartcard,
        reference="card:x",
        policy=MeansPolicy.one_kind,
    )
    with pytest.raises(OtherMeansReserved):
        await grant(work, person, Role.manager, organisation.id)
    assert await roles.grants_of(work, person.id) == ()


async def test_the_same_role_granted_twice_is_one_grant(work: Work) -> None:
    """ALL-8."""
    organisation = await registered_organisation(work)
    person = await person_with_role(work, Role.manager, organisation.id)
    again = await grant(work, person, Role.manager, organisation.id)
    assert await roles.grants_of(work, person.id) == (again,)
    assert await roles.grants_at(work, organisation.id) == (again,)


async def test_an_ended_role_gives_no_right_and_frees_the_means(work: Work) -> None:
    """ROLE-3, ROLE-5."""
    organisation = await registered_organisation(work)
    person = await person_with_role(work, Role.manager, organisation.id)
    [running] = await roles.grants_of(work, person.id)
    target = Target(organisation_id=organisation.id)
    await roles.require_right(work, person_id=person.id, act=Act.view_organisation, target=target)

    ended = await roles.end_grant(work, grant_id=running.id, by=SYSTEM)

    assert ended.ends_at == work.now
    assert await people.reserved_means(work, person.id) == ()
    assert ("role-ended", None, None) in await audited(work, person.id)
    [event] = await emitted(work, "role-ended")
    assert (event["person_id"], event["role"]) == (str(person.id), "manager")
    with pytest.raises(RightMissing):
        await roles.require_right(work, person_id=person.id, act=Act.view_organisation, target=target)
    with pytest.raises(GrantUnknown):
        await roles.end_grant(work, grant_id=running.id, by=SYSTEM)


async def test_two_administrators_who_leave_at_once_do_not_leave_the_organisation_alone(
    database: Database, origin: Origin
) -> None:
    """ROLE-1."""
    async with database.work(origin) as work:
        organisation = await registered_organisation(work)
        for _ in range(2):
            await person_with_role(work, Role.administrator, organisation.id)
        grants = await roles.grants_at(work, organisation.id)

    async def leave(leaving: Grant) -> bool:
        try:
            async with database.work(origin) as work:
                await roles.end_grant(work, grant_id=leaving.id, by=SYSTEM)
        except LastAdministrator:
            return False
        return True

    assert sorted(await asyncio.gather(*(leave(one) for one in grants))) == [False, True]


async def test_support_stands_in_the_same_table(work: Work) -> None:
    """ROLE-6."""
    person = await person_with_role(work, Role.support, None)
    found = await roles.require_right(work, person_id=person.id, act=Act.view_organisation, target=Target())
    assert found.role is Role.support


async def test_nobody_and_nothing_is_refused(work: Work) -> None:
    with pytest.raises(PersonUnknown):
        await roles.grant_role(
            work,
            person_id=PersonId(uuid4()),
            role=Role.support,
            organisation_id=None,
            policy=MeansPolicy.one_kind,
            by=SYSTEM,
        )
    with pytest.raises(GrantUnknown):
        await roles.end_grant(work, grant_id=GrantId(uuid4()), by=SYSTEM)
