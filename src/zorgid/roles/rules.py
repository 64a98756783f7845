"""The one table of rights, role by act by scope, and who may be granted what (ROLE-6). Pure.

What is not in `RIGHTS` is refused. The order matters only for as what somebody acts who could act as more
than one: the holder of a card acts as its holder.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from zorgid.kernel.ids import OrganisationId, PersonId
from zorgid.roles.errors import LastAdministrator, RightMissing, RoleNotGrantable
from zorgid.roles.model import Act, Grant, Permission, Role, Scope, Target

RIGHTS: Final[tuple[tuple[Role, Act, Scope], ...]] = (
    (Role.holder, Act.view_card, Scope.own_card),
    (Role.holder, Act.hold_card, Scope.own_card),
    (Role.holder, Act.release_hold, Scope.own_hold),
    (Role.holder, Act.revoke_card, Scope.own_card),
    (Role.administrator, Act.view_organisation, Scope.own_organisation),
    (Role.administrator, Act.view_card, Scope.linked_card),
    (Role.administrator, Act.hold_card, Scope.linked_card),
    (Role.administrator, Act.release_hold, Scope.organisations_hold),
    (Role.administrator, Act.revoke_card, Scope.linked_card),
    (Role.manager, Act.view_organisation, Scope.own_organisation),
    (Role.manager, Act.view_card, Scope.linked_card),
    (Role.manager, Act.hold_card, Scope.linked_card),
    (Role.manager, Act.release_hold, Scope.organisations_hold),
    (Role.manager, Act.revoke_card, Scope.linked_card),
    (Role.support, Act.view_organisation, Scope.everywhere),
    (Role.support, Act.view_card, Scope.everywhere),
    (Role.support, Act.hold_card, Scope.at_holders_request),
    (Role.support, Act.hold_card, Scope.unlinked_card),
    (Role.support, Act.release_hold, Scope.everywhere),
    (Role.support, Act.revoke_card, Scope.at_holders_request),
)
"""Every right there is. An employee has none here: what employees do, they do as holder.

Validating an organisation is decided before anybody has a role in it: by the card that its request names
(`organisations.rules.require_validator`). Deciding on requests comes with the support desk.
"""

ScopeTest = Callable[[PersonId, OrganisationId | None, Target], bool]
"""Tells whether a target is within a scope, for a person with a role at a place (None: nowhere)."""


def _is_own_organisation(_person: PersonId, place: OrganisationId | None, target: Target) -> bool:
    return place is not None and target.organisation_id == place


def _is_linked_card(_person: PersonId, place: OrganisationId | None, target: Target) -> bool:
    return place is not None and place in (target.linked_organisations or ())


def _is_organisations_hold(_person: PersonId, place: OrganisationId | None, target: Target) -> bool:
    return place is not None and target.hold_of_organisation == place


def _is_own_card(person: PersonId, _place: OrganisationId | None, target: Target) -> bool:
    return target.holder_id == person


def _is_own_hold(person: PersonId, _place: OrganisationId | None, target: Target) -> bool:
    return target.is_hold_of_holder and target.holder_id == person


def _is_unlinked_card(_person: PersonId, _place: OrganisationId | None, target: Target) -> bool:
    return target.linked_organisations is not None and not target.linked_organisations


def _is_at_holders_request(_person: PersonId, _place: OrganisationId | None, target: Target) -> bool:
    return target.holder_id is not None and target.is_asked_by_holder


def _is_anything(_person: PersonId, _place: OrganisationId | None, _target: Target) -> bool:
    return True


SCOPE_TESTS: Final[Mapping[Scope, ScopeTest]] = {
    Scope.own_organisation: _is_own_organisation,
    Scope.linked_card: _is_linked_card,
    Scope.organisations_hold: _is_organisations_hold,
    Scope.own_card: _is_own_card,
    Scope.own_hold: _is_own_hold,
    Scope.unlinked_card: _is_unlinked_card,
    Scope.at_holders_request: _is_at_holders_request,
    Scope.everywhere: _is_anything,
}


def find_right(
    person_id: PersonId,
    grants: Iterable[Grant],
    *,
    act: Act,
    target: Target,
    now: datetime,
    acting_for: OrganisationId | None = None,
) -> Permission:
    """Return the first right in the table that lets the person do `act` on `target`.

    Args:
        person_id: who asks.
        grants: the person's grants; those that do not run at `now` count for nothing.
        act: what is asked.
        target: the facts about what is acted on.
        now: aware time in UTC.
        acting_for: only roles at this organisation count; None lets all roles count, that of holder included.

    Raises:
        RightMissing: there is none.
    """
    places = list(_places(person_id, grants, now))
    for role, right_act, scope in RIGHTS:
        for held, place in places:
            is_asked_for = acting_for is None or place == acting_for
            if (
                (role, right_act) == (held, act)
                and is_asked_for
                and SCOPE_TESTS[scope](person_id, place, target)
            ):
                return Permission(person_id, act, role, scope, place)
    raise RightMissing(act=act)


def _places(
    person_id: PersonId, grants: Iterable[Grant], now: datetime
) -> Iterator[tuple[Role, OrganisationId | None]]:
    """Give every role the person has at `now`, with where it is held."""
    yield Role.holder, None
    for grant in grants:
        if grant.person_id == person_id and runs(grant, now):
            yield grant.role, grant.organisation_id


def runs(grant: Grant, now: datetime) -> bool:
    """Tell whether the grant counts at `now`; its end is exclusive."""
    return grant.starts_at <= now and (grant.ends_at is None or now < grant.ends_at)


def require_grantable(role: Role, organisation_id: OrganisationId | None) -> None:
    """Check that the role can be granted there. Raises `RoleNotGrantable`."""
    if role is Role.holder or (role is Role.support) != (organisation_id is None):
        raise RoleNotGrantable(role=role)


def require_successor(ending: Grant, others: Iterable[Grant], *, now: datetime) -> None:
    """Check that ending this grant leaves the organisation an administrator (ROLE-1).

    An administrator whose own grant has an end does not count: the organisation would be without one that
    day.

    Raises:
        LastAdministrator: nobody else is its administrator until further notice.
    """
    if ending.role is not Role.administrator:
        return
    for other in others:
        if (
            other.role is Role.administrator
            and other.organisation_id == ending.organisation_id
            and other.person_id != ending.person_id
            and other.ends_at is None
            and runs(other, now)
        ):
            return
    raise LastAdministrator
