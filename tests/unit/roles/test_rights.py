"""The table of rights: every pair of role and act, in every situation (ROLE-6)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from zorgid.kernel.ids import GrantId, OrganisationId, PersonId
from zorgid.roles.errors import LastAdministrator, RightMissing, RoleNotGrantable
from zorgid.roles.model import Act, Grant, Permission, Role, Scope, Target
from zorgid.roles.rules import RIGHTS, SCOPE_TESTS, find_right, require_grantable, require_successor

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
ME, OTHER = PersonId(UUID(int=1)), PersonId(UUID(int=2))
HERE, THERE = OrganisationId(UUID(int=11)), OrganisationId(UUID(int=12))

MINE = Target(holder_id=ME, linked_organisations=frozenset({THERE}))
LINKED_HERE = Target(holder_id=OTHER, linked_organisations=frozenset({HERE, THERE}))
LINKED_THERE = Target(holder_id=OTHER, linked_organisations=frozenset({THERE}))
UNLINKED = Target(holder_id=OTHER, linked_organisations=frozenset())

SITUATIONS: Mapping[str, Target] = {
    "my card": MINE,
    "card linked here": LINKED_HERE,
    "card linked elsewhere": LINKED_THERE,
    "card without link": UNLINKED,
    "card whose holder asked": replace(LINKED_THERE, is_asked_by_holder=True),
    "hold of here": replace(LINKED_HERE, hold_of_organisation=HERE),
    "hold of here, link gone": replace(LINKED_THERE, hold_of_organisation=HERE),
    "hold of elsewhere": replace(LINKED_HERE, hold_of_organisation=THERE),
    "hold of mine": replace(MINE, is_hold_of_holder=True),
    "hold of another holder": replace(LINKED_HERE, is_hold_of_holder=True),
    "hold of support": replace(MINE),
    "organisation here": Target(organisation_id=HERE),
    "organisation elsewhere": Target(organisation_id=THERE),
    "nothing": Target(),
}

MINE_NAMES = {"my card", "hold of mine", "hold of support"}
CARDS_HERE = {"card linked here", "hold of here", "hold of elsewhere", "hold of another holder"}
MANAGING = {
    Act.view_card: CARDS_HERE,
    Act.hold_card: CARDS_HERE,
    Act.revoke_card: CARDS_HERE,
    Act.release_hold: {"hold of here", "hold of here, link gone"},
    Act.view_organisation: {"organisation here"},
}
ASKED = {"card whose holder asked"}

# Written by hand from LIFE-2, LIFE-4, LIFE-11 and ROLE-1…2, not from the table.
PROMISED: Mapping[Role, Mapping[Act, set[str]]] = {
    Role.holder: {
        Act.view_card: MINE_NAMES,
        Act.hold_card: MINE_NAMES,
        Act.revoke_card: MINE_NAMES,
        Act.release_hold: {"hold of mine"},
    },
    Role.administrator: MANAGING,
    Role.manager: MANAGING,
    Role.employee: {},
    Role.support: {
        Act.view_card: set(SITUATIONS),
        Act.release_hold: set(SITUATIONS),
        Act.view_organisation: set(SITUATIONS),
        Act.hold_card: {"card without link", *ASKED},
        Act.revoke_card: ASKED,
    },
}


def grant(role: Role, place: OrganisationId | None = HERE, person: PersonId = ME, **facts) -> Grant:
    place = None if role is Role.support else place
    fields = {"given_by": None, "starts_at": NOW - timedelta(days=1), "ends_at": None}
    return Grant(GrantId(UUID(int=99)), person, place, role, **{**fields, **facts})


def ask(
    act: Act, target: Target, grants: list[Grant], acting_for: OrganisationId | None = None
) -> Permission | None:
    try:
        return find_right(ME, grants, act=act, target=target, now=NOW, acting_for=acting_for)
    except RightMissing:
        return None


@pytest.mark.parametrize(("role", "act", "situation"), list(product(Role, Act, SITUATIONS)))
def test_a_role_may_do_an_act_exactly_where_it_was_promised(role: Role, act: Act, situation: str) -> None:
    """ROLE-6: all pairs, in all situations; what is not promised is refused."""
    grants = [] if role is Role.holder else [grant(role)]
    permission = ask(act, SITUATIONS[situation], grants)
    as_role = permission is not None and permission.role is role
    assert as_role == (
        situation in PROMISED[role].get(act, set())
        and (role is Role.holder or situation not in PROMISED[Role.holder].get(act, set()))
    )


@pytest.mark.parametrize(("act", "situation"), list(product(Act, SITUATIONS)))
def test_who_has_no_role_acts_as_holder_only(act: Act, situation: str) -> None:
    """ROLE-6."""
    assert bool(ask(act, SITUATIONS[situation], [])) == (situation in PROMISED[Role.holder].get(act, set()))


@pytest.mark.parametrize("act", list(Act))
def test_a_role_elsewhere_gives_no_right_here(act: Act) -> None:
    """ROLE-3: each organisation grants for itself."""
    target = replace(LINKED_HERE, linked_organisations=frozenset({HERE}), organisation_id=HERE)
    assert ask(act, target, [grant(Role.administrator, THERE)]) is None


@pytest.mark.parametrize(
    "facts",
    [{"starts_at": NOW + timedelta(seconds=1)}, {"ends_at": NOW}, {"ends_at": NOW - timedelta(hours=1)}],
)
def test_a_grant_that_does_not_run_now_gives_no_right(facts: Mapping[str, datetime]) -> None:
    """ROLE-3; the end is exclusive."""
    assert ask(Act.hold_card, LINKED_HERE, [grant(Role.manager, **facts)]) is None


def test_somebody_elses_grant_gives_no_right() -> None:
    assert ask(Act.hold_card, LINKED_HERE, [grant(Role.manager, person=OTHER)]) is None


def test_who_acts_for_an_organisation_does_not_act_as_holder() -> None:
    """LIFE-2: whose hold it becomes follows from as what one acts."""
    manager = [grant(Role.manager)]
    mine_here = replace(MINE, linked_organisations=frozenset({HERE}))
    as_holder = ask(Act.hold_card, mine_here, manager)
    as_manager = ask(Act.hold_card, mine_here, manager, acting_for=HERE)
    assert (as_holder.role, as_holder.organisation_id) == (Role.holder, None)
    assert (as_manager.role, as_manager.organisation_id) == (Role.manager, HERE)
    assert ask(Act.hold_card, mine_here, manager, acting_for=THERE) is None


def test_support_that_was_asked_by_the_holder_acts_at_the_holders_request() -> None:
    """LIFE-11, also for a card that nobody links."""
    permission = ask(Act.hold_card, replace(UNLINKED, is_asked_by_holder=True), [grant(Role.support)])
    assert permission.scope is Scope.at_holders_request


def test_a_holder_means_nothing_by_saying_that_the_holder_asked() -> None:
    assert ask(Act.revoke_card, replace(LINKED_THERE, is_asked_by_holder=True), []) is None
    assert ask(Act.revoke_card, replace(LINKED_THERE, is_asked_by_holder=True), [grant(Role.manager)]) is None


def test_every_scope_has_a_test_and_every_right_stands_once() -> None:
    assert set(SCOPE_TESTS) == set(Scope)
    assert len(set(RIGHTS)) == len(RIGHTS)


@pytest.mark.parametrize(("role", "place"), list(product(Role, [HERE, None])))
def test_support_is_granted_on_the_platform_and_the_others_at_an_organisation(
    role: Role, place: OrganisationId | None
) -> None:
    allowed = {(Role.support, None), *((one, HERE) for one in ("administrator", "manager", "employee"))}
    if (role, place) in allowed:
        require_grantable(role, place)
    else:
        with pytest.raises(RoleNotGrantable):
            require_grantable(role, place)


def test_the_last_administrator_cannot_leave() -> None:
    """ROLE-1."""
    leaving = grant(Role.administrator)
    for others in (
        [],
        [leaving],
        [grant(Role.manager, person=OTHER)],
        [grant(Role.administrator, THERE, OTHER)],
        [grant(Role.administrator, person=OTHER, ends_at=NOW + timedelta(days=1))],
        [grant(Role.administrator, person=OTHER, starts_at=NOW + timedelta(days=1))],
    ):
        with pytest.raises(LastAdministrator):
            require_successor(leaving, others, now=NOW)


def test_an_administrator_with_a_successor_and_anybody_else_can_leave() -> None:
    """ROLE-1."""
    require_successor(grant(Role.administrator), [grant(Role.administrator, person=OTHER)], now=NOW)
    for role in (Role.manager, Role.employee, Role.support):
        require_successor(grant(role), [], now=NOW)
