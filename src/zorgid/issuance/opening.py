"""The first step of a making: whether it may be, and whether an open one goes on or a new one begins."""

from dataclasses import replace

from zorgid.audit.actions import record
from zorgid.audit.model import Event
from zorgid.issuance import actions, rules, store
from zorgid.issuance.model import Issuance, IssuanceSetup
from zorgid.kernel.ids import IssuanceId, OrganisationId, TransactionId, new_id
from zorgid.login.actions import completed_proof
from zorgid.login.model import Completed, Purpose, Transaction
from zorgid.organisations import actions as organisations
from zorgid.people import actions as people
from zorgid.people.model import MeansKind
from zorgid.protocol.messages import IssuanceStep
from zorgid.stock import actions as stock
from zorgid.stock.errors import ReservationLost
from zorgid.storage.database import Work


async def open_issuance(work: Work, setup: IssuanceSetup, transaction: Transaction) -> Issuance:
    """Open a making for a completed proof, or go on with the open one under the new app key.

    Whether the card may be made is checked here for the first time. Asked again for the same proof it
    returns the same.

    Raises:
        TransactionNotOpen: the proof is not completed, too old, or for another purpose.
        OrganisationUnknown and its like: the URA on the card is not registered for Smartcards (CARD-3).
        OtherMeansReserved: the person has a phone identity or manages (CARD-4).
    """
    known = await store.by_transaction(work, transaction.id)
    if known is not None:
        return rules.require_open(known, now=work.now)
    completed = completed_proof(transaction, Purpose.make_card, now=work.now)
    organisation = await organisations.require_registered_for_smartcards(
        work, ura=completed.proved.means.ura, admitted_types=setup.admitted_types
    )
    await people.require_means_free(
        work, person_id=completed.person_id, kind=MeansKind.smartcard, policy=setup.means_policy
    )
    former = await _former(work, completed, organisation.id)
    issuance = (
        replace(former, app_key=completed.app_key, proved=completed.proved, challenge=None, context=None)
        if former
        else _begun(work, completed, organisation.id)
    )
    await _store(work, issuance, completed.transaction_id, is_new=former is None)
    return issuance


async def _former(work: Work, completed: Completed, organisation_id: OrganisationId) -> Issuance | None:
    """Return the open making that this proof goes on with; one that it does not go on with is failed."""
    former = await store.open_of_person(work, completed.person_id)
    if former is None:
        return None
    if not rules.can_go_on(former, completed.proved, organisation_id=organisation_id, now=work.now):
        await actions.fail(work, former, "started-over")
        return None
    return await _without_lost_card(work, former)


def _begun(work: Work, completed: Completed, organisation_id: OrganisationId) -> Issuance:
    return Issuance(
        id=IssuanceId(new_id(work.random)),
        person_id=completed.person_id,
        organisation_id=organisation_id,
        app_key=completed.app_key,
        step=IssuanceStep.birth_date,
        proved=completed.proved,
        opened_at=work.now,
        expires_at=work.now + rules.ISSUANCE_LASTS,
    )


async def _store(work: Work, issuance: Issuance, transaction_id: TransactionId, *, is_new: bool) -> None:
    await (store.insert if is_new else store.rebind)(work, issuance, transaction_id)
    await record(
        work,
        event=Event.issuance_opened,
        by=actions.holder(issuance),
        on=actions.subject_of(issuance.id),
        organisation_id=issuance.organisation_id,
        becomes=issuance.step,
        facts={"is_new": is_new},
    )


async def _without_lost_card(work: Work, former: Issuance) -> Issuance:
    """Return an open making; when another one took its card over meanwhile, it waits for a card again."""
    if former.card_number is None:
        return former
    try:
        await stock.keep_alive(work, number=former.card_number, issuance_id=former.id)
    except ReservationLost:
        await actions.give_up_card(work, former)
        return await actions.forget_card(work, former, IssuanceStep.blank_card)
    return former
