"""The life cycle of a Smartcard as a table, whose hold it becomes, and when a card works. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from zorgid.cards.errors import (
    AlreadyHeldByYou,
    CardActRefused,
    CardExpired,
    CardHeld,
    CardNotFinished,
    CardRevoked,
)
from zorgid.cards.model import (
    Card,
    CardAct,
    CardState,
    Hold,
    HoldOwner,
    HoldOwnerKind,
    Link,
    RevocationReason,
)
from zorgid.kernel.ids import OrganisationId
from zorgid.pki.crl import RevocationReason as CrlReason
from zorgid.roles.model import Permission, Role, Scope, Target

TRANSITIONS: Final[Mapping[tuple[CardState, CardAct], CardState]] = {
    (CardState.issuing, CardAct.activate): CardState.active,
    (CardState.issuing, CardAct.fail): CardState.failed,
    (CardState.active, CardAct.hold): CardState.held,
    (CardState.held, CardAct.hold): CardState.held,
    (CardState.held, CardAct.release_one): CardState.held,
    (CardState.held, CardAct.release_last): CardState.active,
    (CardState.active, CardAct.revoke): CardState.revoked,
    (CardState.held, CardAct.revoke): CardState.revoked,
    (CardState.active, CardAct.expire): CardState.expired,
    (CardState.held, CardAct.expire): CardState.expired,
}

LIVING: Final = frozenset({CardState.active, CardState.held})
"""The states of which a person has one card at most (CARD-15).

Indexes in migration 0090 name the same ones.
"""

CRL_REASONS: Final[Mapping[RevocationReason, CrlReason]] = {
    RevocationReason.lost: CrlReason.key_compromise,
    RevocationReason.stolen: CrlReason.key_compromise,
    RevocationReason.misuse: CrlReason.key_compromise,
    RevocationReason.damaged: CrlReason.cessation_of_operation,
    RevocationReason.pin_or_puk_lost: CrlReason.cessation_of_operation,
    RevocationReason.no_longer_needed: CrlReason.cessation_of_operation,
    RevocationReason.replaced: CrlReason.superseded,
}
"""What the CRL says for each reason. Source: RFC 5280, section 5.3.1."""

CRL_REASON_OF_FAILURE: Final = CrlReason.cessation_of_operation
"""What the CRL says of certificates whose making was not finished."""

LAST_USE_PRECISION: Final = timedelta(minutes=1)
"""A use within a minute of the noted one is not written again."""


def next_state(state: CardState, act: CardAct) -> CardState:
    """Return the state after `act`. Raises `CardActRefused` for every pair that is not in the table."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise CardActRefused(state=state, act=act) from None


def releasing_act(remaining_holds: int) -> CardAct:
    """Return by which act a hold is released when so many others remain; the card works when none does."""
    return CardAct.release_one if remaining_holds else CardAct.release_last


def hold_owner(permission: Permission) -> HoldOwner:
    """Return whose a hold becomes that is set under this right.

    What support does because the holder asked is the holder's (LIFE-11).
    """
    if permission.role is Role.holder or permission.scope is Scope.at_holders_request:
        return HoldOwner(HoldOwnerKind.holder)
    if permission.role is Role.support:
        return HoldOwner(HoldOwnerKind.support)
    return HoldOwner(HoldOwnerKind.organisation, permission.organisation_id)


def require_first_hold(card: Card, owner: HoldOwner, holds: Iterable[Hold]) -> None:
    """Check that the party does not hold the card yet. Raises `AlreadyHeldByYou`."""
    if any(hold.owner == owner for hold in holds):
        raise AlreadyHeldByYou(card_number=card.number)


def target(
    card: Card, links: Iterable[Link], *, hold: Hold | None = None, is_asked_by_holder: bool = False
) -> Target:
    """Return the facts of a card, and of the hold on it that is meant, on which rights depend."""
    hold_of_organisation: OrganisationId | None = hold.owner.organisation_id if hold else None
    return Target(
        holder_id=card.holder_id,
        linked_organisations=frozenset(link.organisation_id for link in links),
        hold_of_organisation=hold_of_organisation,
        is_hold_of_holder=hold is not None and hold.owner.kind is HoldOwnerKind.holder,
        is_asked_by_holder=is_asked_by_holder,
    )


def require_working(card: Card, *, now: datetime) -> Card:
    """Return the card, which works at `now`, at every organisation, linked or not (LIFE-7).

    Raises:
        CardHeld, CardRevoked, CardExpired, CardNotFinished: why it does not.
    """
    match card.state:
        case CardState.revoked:
            raise CardRevoked(card_number=card.number)
        case CardState.issuing | CardState.failed:
            raise CardNotFinished(card_number=card.number)
        case CardState.expired:
            raise CardExpired(card_number=card.number, valid_until=card.valid_until)
        case CardState.active | CardState.held if card.valid_until < now:
            raise CardExpired(card_number=card.number, valid_until=card.valid_until)
        case CardState.held:
            raise CardHeld(card_number=card.number)
        case CardState.active:
            return card
