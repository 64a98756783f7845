"""The life of a Smartcard: begun, activated or failed, held, released, revoked, expired.

Each act changes the card, the status of its certificates, the audit log and the outbox in one transaction.
Whoever locks a person and a card locks the person first.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from zorgid.audit.model import SYSTEM, Actor, Event
from zorgid.ca.actions import set_status_for_card
from zorgid.ca.model import CertificateStatus
from zorgid.cards import rules, store
from zorgid.cards.change import reference, revoke, set_state, tell
from zorgid.cards.errors import HoldUnknown
from zorgid.cards.finding import (
    card,
    card_by_number,
    cards_of_holder,
    cards_of_organisation,
    holds_of,
    known,
    last_used_at,
    links_of,
    permit,
    view_card,
)
from zorgid.cards.making import activate_card, begin_card, fail_card
from zorgid.cards.model import Card, CardAct, CardState, Hold, HoldId, HoldReason, RevocationReason
from zorgid.kernel.errors import Refusal, outcome
from zorgid.kernel.ids import CardId, OrganisationId, new_id
from zorgid.people.actions import release_means
from zorgid.roles.model import Act
from zorgid.storage.database import Work

__all__ = [
    "activate_card",
    "active_cards",
    "begin_card",
    "card",
    "card_by_number",
    "cards_of_holder",
    "cards_of_organisation",
    "expire_cards",
    "fail_card",
    "hold_card",
    "holds_of",
    "last_used_at",
    "links_of",
    "note_use",
    "release_hold",
    "require_active",
    "revoke_card",
    "view_card",
]

SWEEP_SIZE: Final = 200
"""Cards that one sweep lets expire, so that no transaction grows long."""


async def hold_card(
    work: Work,
    *,
    card_id: CardId,
    reason: HoldReason,
    by: Actor,
    acting_for: OrganisationId | None = None,
    is_asked_by_holder: bool = False,
) -> Hold:
    """Hold the card, so that it works nowhere until every hold is released (LIFE-2).

    Args:
        work: the transaction of the act.
        card_id: the card.
        reason: why.
        by: who does it; the hold becomes that of the party as whom the right is found.
        acting_for: the organisation for which `by` acts; None also lets one act as holder or support.
        is_asked_by_holder: support does it because the holder asked (LIFE-11); means nothing for others.

    Raises:
        CardUnknown: no such card.
        RightMissing: it is not for this person to hold.
        AlreadyHeldByYou: the same party holds it.
        CardActRefused: it does not live.
    """
    was = known(await store.card_for_change(work, card_id))
    target = rules.target(was, await store.links(work, card_id), is_asked_by_holder=is_asked_by_holder)
    permission = await permit(work, by, Act.hold_card, target, acting_for=acting_for)
    owner = rules.hold_owner(permission)
    state = rules.next_state(was.state, CardAct.hold)
    rules.require_first_hold(was, owner, await store.holds(work, card_id))
    hold = Hold(HoldId(new_id(work.random)), card_id, owner, reason, work.now)
    await store.add_hold(work, hold)
    await set_state(
        work,
        was,
        state,
        event=Event.card_held,
        by=by,
        organisation_id=owner.organisation_id,
        facts={"reason": reason, "owner": owner.kind, "hold_id": hold.id},
    )
    if was.state is CardState.active:
        await set_status_for_card(work, card_id=card_id, status=CertificateStatus.on_hold)
    await tell(work, "card-held", was, owner.organisation_id)
    return hold


async def release_hold(work: Work, *, hold_id: HoldId, by: Actor) -> Card:
    """Release one hold and return the card, which works again when no other hold remains (LIFE-2).

    Raises:
        HoldUnknown: no such hold, or it was released.
        RightMissing: the hold is neither the person's, nor that of the person's organisation, nor is it
        support.
    """
    meant = await _running_hold(work, hold_id)
    was = known(await store.card_for_change(work, meant.card_id))
    hold = await _running_hold(work, hold_id)
    links = await store.links(work, was.id)
    permission = await permit(work, by, Act.release_hold, rules.target(was, links, hold=hold))
    remaining = [other for other in await store.holds(work, was.id) if other.id != hold_id]
    state = rules.next_state(was.state, rules.releasing_act(len(remaining)))
    await store.end_hold(work, hold_id)
    await set_state(
        work,
        was,
        state,
        event=Event.card_hold_lifted if remaining else Event.card_released,
        by=by,
        organisation_id=permission.organisation_id,
        facts={"owner": hold.owner.kind, "hold_id": hold_id, "remaining": len(remaining)},
    )
    if not remaining:
        await set_status_for_card(work, card_id=was.id, status=CertificateStatus.good)
        await tell(work, "card-released", was, permission.organisation_id)
    return replace(was, state=state)


async def revoke_card(
    work: Work,
    *,
    card_id: CardId,
    reason: RevocationReason,
    by: Actor,
    acting_for: OrganisationId | None = None,
    is_asked_by_holder: bool = False,
) -> Card:
    """Revoke the card, for good (LIFE-2). The arguments are those of `hold_card`.

    Raises:
        CardUnknown: no such card.
        RightMissing: it is not for this person to revoke.
        CardActRefused: it does not live.
    """
    was = known(await store.card_for_change(work, card_id))
    target = rules.target(was, await store.links(work, card_id), is_asked_by_holder=is_asked_by_holder)
    permission = await permit(work, by, Act.revoke_card, target, acting_for=acting_for)
    return await revoke(work, was, reason, by=by, organisation_id=permission.organisation_id)


async def expire_cards(work: Work) -> int:
    """Let living cards expire whose last second is past, and return how many.

    Run it again until it is none.
    """
    overdue = await store.to_expire(work, SWEEP_SIZE)
    for was in overdue:
        state = rules.next_state(was.state, CardAct.expire)
        await set_state(work, was, state, event=Event.card_expired, by=SYSTEM, organisation_id=None)
        await store.end_holds(work, was.id)
        await release_means(work, person_id=was.holder_id, reference=reference(was.id))
        await tell(work, "card-expired", was, None)
    return len(overdue)


async def require_active(work: Work, card_id: CardId) -> Card:
    """Return the card, which works now, wherever it is used (LIFE-7).

    Until this work ends nobody can hold or revoke the card: a session that is made in it is seen, and ended,
    by a hold that comes after it (LIFE-3).

    Raises:
        CardUnknown, CardHeld, CardRevoked, CardExpired, CardNotFinished: why it does not work.
    """
    return rules.require_working(known(await store.card_for_use(work, card_id)), now=work.now)


async def active_cards(
    work: Work, card_ids: Sequence[CardId], *, stays: bool = True
) -> Sequence[Card | Refusal]:
    """Return for each id what `require_active` returns or raises, in one round trip.

    Without `stays` it is true at this moment only, and no lock is taken: for what makes nothing of it.
    """

    def working(found: Card | None) -> Card:
        return rules.require_working(known(found), now=work.now)

    return [outcome(working, found) for found in await store.each_card(work, card_ids, stays=stays)]


async def note_use(work: Work, card_id: CardId) -> None:
    """Note that the card is used now, to the minute (LIFE-1)."""
    await store.note_use(work, card_id, before=work.now - rules.LAST_USE_PRECISION)


async def _running_hold(work: Work, hold_id: HoldId) -> Hold:
    hold = await store.hold(work, hold_id)
    if hold is None:
        raise HoldUnknown
    return hold
