"""What every change of a card does in the same transaction: certificates, log, outbox, kind of means."""

from collections.abc import Mapping
from dataclasses import replace

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, Event
from zorgid.ca.actions import set_status_for_card
from zorgid.ca.model import CertificateStatus
from zorgid.cards import rules, store
from zorgid.cards.finding import subject
from zorgid.cards.model import Card, CardAct, CardState, RevocationReason
from zorgid.kernel.ids import CardId, OrganisationId
from zorgid.outbox.actions import emit
from zorgid.people.actions import release_means
from zorgid.pki.crl import RevocationReason as CrlReason
from zorgid.storage.database import Work


def reference(card_id: CardId) -> str:
    """Return under which reference the card takes its kind of means."""
    return f"card:{card_id}"


async def set_state(
    work: Work,
    was: Card,
    state: CardState,
    *,
    event: Event,
    by: Actor,
    organisation_id: OrganisationId | None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Store the new state and record it."""
    await store.set_state(work, was.id, state)
    await record(
        work,
        event=event,
        by=by,
        on=subject(was.id),
        organisation_id=organisation_id,
        was=was.state,
        becomes=state,
        facts={"card_number": was.number, **(facts or {})},
    )


async def revoke(
    work: Work, was: Card, reason: RevocationReason, *, by: Actor, organisation_id: OrganisationId | None
) -> Card:
    """Revoke a locked card, whoever may do so."""
    state = rules.next_state(was.state, CardAct.revoke)
    await set_state(
        work,
        was,
        state,
        event=Event.card_revoked,
        by=by,
        organisation_id=organisation_id,
        facts={"reason": reason},
    )
    await store.end_holds(work, was.id)
    await end_certificates(work, was, rules.CRL_REASONS[reason], by)
    await tell(work, "card-revoked", was, organisation_id)
    return replace(was, state=state)


async def end_certificates(work: Work, ended: Card, reason: CrlReason, by: Actor) -> None:
    """Revoke the certificates of a card that has ended, and give up its kind of means."""
    await set_status_for_card(work, card_id=ended.id, status=CertificateStatus.revoked, reason=reason)
    await release_means(work, person_id=ended.holder_id, reference=reference(ended.id), by=by)


async def tell(work: Work, name: str, changed: Card, organisation_id: OrganisationId | None) -> None:
    """Emit the event by which other rooms hear of the change; sessions end in this same transaction."""
    facts = {
        "card_id": changed.id,
        "person_id": changed.holder_id,
        "card_number": changed.number,
        "organisation_id": organisation_id,
    }
    await emit(work, name, facts)
