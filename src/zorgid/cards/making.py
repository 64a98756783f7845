"""The beginning of a Smartcard: begun on a blank card, then activated or failed, never both (CARD-9)."""

from dataclasses import replace

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Actor, Event
from zorgid.ca.actions import set_status_for_card
from zorgid.ca.model import CertificateStatus
from zorgid.cards import rules, store
from zorgid.cards.change import end_certificates, reference, revoke, set_state, tell
from zorgid.cards.finding import card, known, subject
from zorgid.cards.model import Card, CardAct, CardState, RevocationReason
from zorgid.kernel.ids import CardId, OrganisationId, PersonId, new_id
from zorgid.people.actions import lock_person, reserve_means
from zorgid.people.model import MeansKind, MeansPolicy
from zorgid.pki.prepare import card_validity
from zorgid.stock.model import BlankCard
from zorgid.storage.database import Work


async def begin_card(
    work: Work,
    *,
    blank: BlankCard,
    holder_id: PersonId,
    organisation_id: OrganisationId,
    policy: MeansPolicy,
    by: Actor,
) -> Card:
    """Begin a Smartcard on a blank card and return it, in state `issuing`.

    Takes the kind of means `smartcard` for the person under `reference(card_id)`. What an earlier making left
    of this blank card is failed: its reservation lapsed or its maker starts over.

    Precondition: `blank` is reserved for the issuance (`stock.reserve_for_making`), in this work.

    Args:
        work: the transaction that allows the making.
        blank: the reserved blank card.
        holder_id: for whom it is made.
        organisation_id: whose URA is on the UZI card (CARD-14).
        policy: whether one person may have both kinds of means.
        by: the person.

    Raises:
        OtherMeansReserved: the person has a phone identity or manages something (CARD-4).
    """
    card_id = CardId(new_id(work.random))
    await reserve_means(
        work,
        person_id=holder_id,
        kind=MeansKind.smartcard,
        reference=reference(card_id),
        policy=policy,
        by=by,
    )
    for left in await store.unfinished(work, blank.number):
        await fail_card(work, card_id=left.id, by=SYSTEM)
    begun = Card(
        id=card_id,
        number=blank.number,
        chip_serial=blank.chip_serial,
        kind=blank.kind.name,
        holder_id=holder_id,
        made_for=organisation_id,
        state=CardState.issuing,
        level=blank.kind.level,
        made_at=work.now,
        valid_until=card_validity(work.now).not_after,
    )
    await store.add(work, begun)
    await record(
        work,
        event=Event.card_begun,
        by=by,
        on=subject(card_id),
        organisation_id=organisation_id,
        becomes=begun.state,
        facts={"card_number": begun.number, "person_id": holder_id},
    )
    return begun


async def activate_card(work: Work, *, card_id: CardId, by: Actor) -> Card:
    """Make the card work: certificates good, linked to its organisation, an older card of the holder revoked.

    Precondition: the card gave its last proof (docs/desktop-protocol.md, chapter 7), in this work.

    Raises:
        CardUnknown: no such card.
        CardActRefused: it is not in the making.
    """
    holder_id = (await card(work, card_id)).holder_id
    await lock_person(work, holder_id)
    was = known(await store.card_for_change(work, card_id))
    state = rules.next_state(was.state, CardAct.activate)
    for older in await store.living_of_holder(work, holder_id):
        await revoke(work, older, RevocationReason.replaced, by=by, organisation_id=None)
    await set_state(work, was, state, event=Event.card_activated, by=by, organisation_id=was.made_for)
    await set_status_for_card(work, card_id=card_id, status=CertificateStatus.good)
    await store.add_link(work, card_id, was.made_for)
    await record(work, event=Event.card_linked, by=by, on=subject(card_id), organisation_id=was.made_for)
    await tell(work, "card-activated", was, was.made_for)
    return replace(was, state=state)


async def fail_card(work: Work, *, card_id: CardId, by: Actor) -> Card:
    """End a making that did not succeed: what was signed is revoked, the kind of means is free again.

    The blank card goes back to stock or is barred by the caller, who knows whether it was reset.

    Raises:
        CardUnknown: no such card.
        CardActRefused: it is not in the making.
    """
    was = known(await store.card_for_change(work, card_id))
    state = rules.next_state(was.state, CardAct.fail)
    await set_state(work, was, state, event=Event.card_failed, by=by, organisation_id=was.made_for)
    await end_certificates(work, was, rules.CRL_REASON_OF_FAILURE, by)
    await tell(work, "card-failed", was, None)
    return replace(was, state=state)
