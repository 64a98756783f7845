"""Roles, acts, the grants that tie them to people, and the facts on which a right depends."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from zorgid.kernel.ids import GrantId, OrganisationId, PersonId


class Role(StrEnum):
    """As what somebody acts. All but `holder` come from a grant; everybody is the holder of the own means."""

    administrator = "administrator"
    manager = "manager"
    employee = "employee"
    holder = "holder"
    support = "support"


MANAGING_ROLES = frozenset({Role.administrator, Role.manager})
"""Who has one of these logs in with a phone: the role counts as that kind of means (ROLE-4)."""


class Act(StrEnum):
    """What somebody can ask to do; every act that is not in `rules.RIGHTS` for a role is refused."""

    view_card = "view-card"
    hold_card = "hold-card"
    release_hold = "release-hold"
    revoke_card = "revoke-card"
    view_organisation = "view-organisation"


class Scope(StrEnum):
    """On what the act may be done."""

    own_organisation = "own-organisation"
    """The organisation where the role is held now."""

    linked_card = "linked-card"
    """A card that is linked now to the organisation where the role is held now."""

    organisations_hold = "organisations-hold"
    """A hold that was set by the organisation where the role is held now."""

    own_card = "own-card"
    """A card whose holder is the person."""

    own_hold = "own-hold"
    """A hold that the holder set on the own card."""

    """An organisation whose request names the person."""

    unlinked_card = "unlinked-card"
    """A card that no organisation links now."""

    at_holders_request = "at-holders-request"
    """A card whose holder asked support for it (LIFE-11)."""

    everywhere = "everywhere"


@dataclass(frozen=True)
class Grant:
    """A role that somebody gave a person, at an organisation or, for support, on the platform.

    `ends_at` is exclusive; None means until further notice. `given_by` is None when the platform gave it,
    after a proof.
    """

    id: GrantId
    person_id: PersonId
    organisation_id: OrganisationId | None
    role: Role
    given_by: PersonId | None
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class Target:
    """What is acted on, as far as a right depends on it; what is unknown or does not apply stays None.

    `linked_organisations` is None when no card is acted on, and empty when the card has no link.
    """

    organisation_id: OrganisationId | None = None
    holder_id: PersonId | None = None
    linked_organisations: frozenset[OrganisationId] | None = None
    hold_of_organisation: OrganisationId | None = None
    is_hold_of_holder: bool = False
    is_asked_by_holder: bool = False


@dataclass(frozen=True)
class Permission:
    """A right that was found: as what, where and within which scope the person may do the act."""

    person_id: PersonId
    act: Act
    role: Role
    scope: Scope
    organisation_id: OrganisationId | None
