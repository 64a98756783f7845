"""What is done with roles: grant, end, and find the right to an act."""

from dataclasses import replace

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, Event, Subject
from zorgid.kernel.ids import GrantId, OrganisationId, PersonId, new_id
from zorgid.outbox.actions import emit
from zorgid.people.actions import lock_person, release_means, reserve_means
from zorgid.people.model import MeansKind, MeansPolicy
from zorgid.roles import rules, store
from zorgid.roles.errors import GrantUnknown
from zorgid.roles.model import MANAGING_ROLES, Act, Grant, Permission, Role, Target
from zorgid.storage.database import Work


async def grant_role(
    work: Work,
    *,
    person_id: PersonId,
    role: Role,
    organisation_id: OrganisationId | None,
    policy: MeansPolicy,
    by: Actor,
) -> Grant:
    """Give the person the role and return the grant; one that runs already is returned as it is.

    An administrator or manager logs in with a phone, so the role takes that kind of means (ROLE-4).

    Precondition: the caller checked who gives it, and who gets it (ROLE-7).

    Raises:
        RoleNotGrantable: the role does not go with that place.
        PersonUnknown: no such person.
        OtherMeansReserved: the person has or makes a Smartcard.
    """
    rules.require_grantable(role, organisation_id)
    await lock_person(work, person_id)
    for running in await store.of_person(work, person_id):
        if (running.role, running.organisation_id) == (role, organisation_id):
            return running
    grant = Grant(
        id=GrantId(new_id(work.random)),
        person_id=person_id,
        organisation_id=organisation_id,
        role=role,
        given_by=by.person_id,
        starts_at=work.now,
        ends_at=None,
    )
    if role in MANAGING_ROLES:
        await reserve_means(
            work, person_id=person_id, kind=MeansKind.phone, reference=reference(grant), policy=policy, by=by
        )
    await store.add(work, grant)
    await _record(work, Event.role_granted, grant, by)
    return grant


async def end_grant(work: Work, *, grant_id: GrantId, by: Actor) -> Grant:
    """End the role now and give up the kind of means it took; return the ended grant.

    Emits `role-ended`, so that sessions of the person end in the same transaction (LOGIN-10).

    Raises:
        GrantUnknown: no such grant, or it has ended.
        LastAdministrator: the organisation would be left without an administrator (ROLE-1).
    """
    grant = await _running(work, grant_id)
    if grant.organisation_id is not None:
        others = await store.at_organisation_locked(work, grant.organisation_id)
        rules.require_successor(grant, others, now=work.now)
    if not await store.end(work, grant_id):
        raise GrantUnknown
    await release_means(work, person_id=grant.person_id, reference=reference(grant), by=by)
    await _record(work, Event.role_ended, grant, by)
    facts = {
        "person_id": grant.person_id,
        "organisation_id": grant.organisation_id,
        "role": grant.role,
        "grant_id": grant.id,
    }
    await emit(work, "role-ended", facts)
    return replace(grant, ends_at=max(grant.starts_at, work.now))


async def grants_of(work: Work, person_id: PersonId) -> tuple[Grant, ...]:
    """Return the person's grants that run now, oldest first."""
    return await store.of_person(work, person_id)


async def grants_at(work: Work, organisation_id: OrganisationId) -> tuple[Grant, ...]:
    """Return the grants at the organisation that run now, oldest first."""
    return await store.at_organisation(work, organisation_id)


async def require_right(
    work: Work,
    *,
    person_id: PersonId,
    act: Act,
    target: Target,
    acting_for: OrganisationId | None = None,
) -> Permission:
    """Return the right by which the person may do `act` on `target` now.

    Raises:
        RightMissing: the table of rights has none (ROLE-6).
    """
    grants = await store.of_person(work, person_id)
    return rules.find_right(person_id, grants, act=act, target=target, now=work.now, acting_for=acting_for)


def reference(grant: Grant) -> str:
    """Return under which reference the grant takes a kind of means."""
    return f"grant:{grant.id}"


async def _running(work: Work, grant_id: GrantId) -> Grant:
    grant = await store.one(work, grant_id)
    if grant is None:
        raise GrantUnknown
    return grant


async def _record(work: Work, event: Event, grant: Grant, by: Actor) -> None:
    await record(
        work,
        event=event,
        by=by,
        on=Subject("person", str(grant.person_id)),
        organisation_id=grant.organisation_id,
        facts={"role": grant.role, "grant_id": grant.id},
    )
