"""The steps of an open making up to the certificates, and its ends (docs/desktop-protocol.md, 7)."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from uuid import UUID

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Actor, ActorKind, Event, Subject
from zorgid.ca import actions as ca
from zorgid.cards import actions as cards
from zorgid.cards.model import Card, CardState
from zorgid.issuance import rules, store
from zorgid.issuance.errors import IssuanceUnknown
from zorgid.issuance.instructions import guid_of, instructions_for, require_admitted
from zorgid.issuance.model import Issuance, IssuanceAct, IssuanceSetup
from zorgid.kernel.ids import IssuanceId, TransactionId
from zorgid.login import actions as login
from zorgid.login import attaching
from zorgid.login.model import MeansUsed
from zorgid.login.setup import AppRequest
from zorgid.organisations import actions as organisations
from zorgid.people import actions as people
from zorgid.protocol.messages import CardInstructions, IssuanceStep, IssuanceView
from zorgid.stock import actions as stock
from zorgid.stock.errors import ReservationLost
from zorgid.storage.database import Work

ATTEMPT_BYTES = 16


def subject_of(issuance_id: IssuanceId) -> Subject:
    """Return a making as the subject of an audit entry."""
    return Subject("issuance", str(issuance_id))


def holder(issuance: Issuance) -> Actor:
    """Return the person who makes the card as an actor."""
    return Actor(ActorKind.person, person_id=issuance.person_id, means=MeansUsed.uzi_card)


async def issuance_of_app(
    work: Work, setup: IssuanceSetup, *, issuance_id: str, incoming: AppRequest
) -> Issuance:
    """Return the making that a request of its own app is about, locked, while it can be gone on with.

    Raises:
        IssuanceUnknown, IssuanceOver: there is none, or it ended.
        AppSignatureWrong, RequestOutOfOrder: the request is not the app's own, or is a replay.
    """
    issuance = await store.by_id(work, IssuanceId(UUID(issuance_id)))
    if issuance is None:
        raise IssuanceUnknown
    is_asked_again = await attaching.accept_app_request(work, setup.login, incoming, issuance.app_key)
    return rules.require_open(replace(issuance, is_asked_again=is_asked_again), now=work.now)


async def issuance_of_transaction(work: Work, transaction_id: TransactionId) -> Issuance | None:
    """Return the making that a completed transaction opened, for the page that shows how far it is."""
    return await store.by_transaction(work, transaction_id)


async def view_of(work: Work, issuance: Issuance) -> IssuanceView:
    """Return a making as the app shows it."""
    organisation = await organisations.organisation(work, issuance.organisation_id)
    card = await cards.card(work, issuance.card_id) if issuance.card_id else None
    return IssuanceView(
        issuance_id=str(issuance.id),
        step=issuance.step,
        full_name=issuance.proved.means.full_name,
        organisation=organisation.name,
        card_number=issuance.card_number,
        chip_serial=issuance.chip_serial,
        valid_until=card.valid_until if card else None,
        expires_at=issuance.expires_at,
    )


async def state_birth_date(work: Work, issuance: Issuance, *, birth_on: date) -> Issuance:
    """Take the typed birth date: compared, or kept for a new person.

    Raises:
        BirthDateWrong, BirthDateTriesSpent, BirthDateUnfit, PersonMayBeKnown: see `people`.
    """
    step = rules.next_step(issuance.step, IssuanceAct.state_birth_date)
    await people.state_birth_date(
        work,
        person_id=issuance.person_id,
        birth_on=birth_on,
        ura=issuance.proved.means.ura,
        by=holder(issuance),
        is_asked_again=issuance.is_asked_again,
    )
    return await move(work, issuance, step)


async def reserve_blank_card(
    work: Work, setup: IssuanceSetup, issuance: Issuance, *, chip_serial: str, guid: bytes | None
) -> CardInstructions:
    """Reserve the card in the reader for this making, and tell the app how to make it.

    A card for whose keys certificates were intended, but whose PUK was not kept, is given up first: they are
    revoked and it is made anew. The same card asked again before that gets the same answer.

    Raises:
        BlankCardUnknown, -NotSold, -Used, -Barred, -InMaking: see `stock`.
        CardNotBlank: it holds an identity that no making put there.
        KindNotAdmitted: this kind may not be made here.
    """
    step = rules.next_step(issuance.step, IssuanceAct.reserve)
    is_repeat = await _is_begun(work, issuance, chip_serial)
    # The blank card before any card: a making that takes it over goes that way too, and neither waits on.
    blank = await stock.reserve_for_making(
        work, chip_serial=chip_serial, issuance_id=issuance.id, by=holder(issuance)
    )
    require_admitted(blank.kind, setup)
    rules.require_blank(guid, ours=await store.guids_of_chip(work, chip_serial))
    if not is_repeat:
        if issuance.chip_serial != chip_serial:
            await _release_blank_card(work, issuance)
        await give_up_card(work, issuance)
        card = await cards.begin_card(
            work,
            blank=blank,
            holder_id=issuance.person_id,
            organisation_id=issuance.organisation_id,
            policy=setup.means_policy,
            by=holder(issuance),
        )
        issuance = await _begin_attempt(work, setup, issuance, card)
    issuance = await move(work, issuance, step)
    return instructions_for(setup, issuance, blank, await view_of(work, issuance))


async def _is_begun(work: Work, issuance: Issuance, chip_serial: str) -> bool:
    """Tell whether this card was reserved and nothing was certified since: the attempt can go on as it is."""
    if issuance.card_id is None or issuance.chip_serial != chip_serial:
        return False
    if (await cards.card(work, issuance.card_id)).state is not CardState.issuing:
        return False
    return issuance.step is IssuanceStep.certificates and not await ca.has_intents(work, issuance.card_id)


async def _begin_attempt(work: Work, setup: IssuanceSetup, issuance: Issuance, card: Card) -> Issuance:
    attempt = work.random(ATTEMPT_BYTES)
    begun = replace(
        issuance, card_id=card.id, card_number=card.number, chip_serial=card.chip_serial, attempt=attempt
    )
    await store.set_card(work, begun)
    await store.add_guid(
        work, guid=guid_of(setup, attempt), chip_serial=card.chip_serial, issuance_id=issuance.id
    )
    return begun


async def keep_puk(work: Work, issuance: Issuance) -> Issuance:
    """Note that the certificates were read back and that the person says the PUK is kept (CARD-8).

    The PUK itself never comes here. From now on a break goes on with this card instead of starting over.
    """
    return await move(work, issuance, rules.next_step(issuance.step, IssuanceAct.keep))


async def abandon_card(work: Work, issuance: Issuance, *, was_reset: bool) -> Issuance:
    """Give the card up: emptied, it goes back to stock.

    Not emptied, it is barred and the app says so (CARD-9).
    """
    step = rules.next_step(issuance.step, IssuanceAct.abandon)
    if issuance.card_number is None:
        return issuance
    if was_reset:
        await stock.return_to_stock(
            work, number=issuance.card_number, issuance_id=issuance.id, by=holder(issuance)
        )
    else:
        await stock.bar(work, number=issuance.card_number, issuance_id=issuance.id, by=holder(issuance))
    await give_up_card(work, issuance)
    return await forget_card(work, issuance, step)


async def forget_card(work: Work, issuance: Issuance, step: IssuanceStep) -> Issuance:
    """Forget the card of a making, and its attempt on it; the making goes on from `step`."""
    await store.forget_card(work, issuance.id)
    forgotten = replace(
        issuance,
        card_id=None,
        card_number=None,
        chip_serial=None,
        attempt=None,
        challenge=None,
        context=None,
    )
    return await move(work, forgotten, step)


async def move(work: Work, issuance: Issuance, step: IssuanceStep) -> Issuance:
    """Move a making to a step, keep its reservation alive, and write it down."""
    if issuance.card_number is not None and step not in rules.OVER:
        await stock.keep_alive(work, number=issuance.card_number, issuance_id=issuance.id)
    if step is issuance.step:
        return issuance
    await store.set_step(work, issuance.id, step)
    await work.notify(login.CHANNEL, str(issuance.id))
    await record(
        work,
        event=Event.issuance_step_taken,
        by=holder(issuance),
        on=subject_of(issuance.id),
        organisation_id=issuance.organisation_id,
        was=issuance.step,
        becomes=step,
    )
    return replace(issuance, step=step)


async def _release_blank_card(work: Work, issuance: Issuance) -> None:
    """Let the next making have the blank card, which empties it first; somebody else's reservation stays."""
    if issuance.card_number is None:
        return
    with suppress(ReservationLost):
        await stock.return_to_stock(
            work, number=issuance.card_number, issuance_id=issuance.id, by=holder(issuance)
        )


async def give_up_card(work: Work, issuance: Issuance) -> None:
    """Fail the card row of an unfinished attempt: what was signed for it is revoked."""
    if issuance.card_id is None:
        return
    if (await cards.card(work, issuance.card_id)).state is CardState.issuing:
        await cards.fail_card(work, card_id=issuance.card_id, by=holder(issuance))


async def fail(work: Work, issuance: Issuance, why: str) -> None:
    """End a making without a card; `why` goes into the log."""
    await _release_blank_card(work, issuance)
    await give_up_card(work, issuance)
    await store.set_step(work, issuance.id, rules.next_step(issuance.step, IssuanceAct.fail))
    await record(
        work,
        event=Event.issuance_failed,
        by=SYSTEM,
        on=subject_of(issuance.id),
        organisation_id=issuance.organisation_id,
        was=issuance.step,
        becomes=IssuanceStep.failed,
        facts={"why": why},
    )


async def forget_one_ended(work: Work) -> bool:
    """Clear what is personal in one making that has been over for two days; false when there is none left.

    The row stays: it tells which GUIDs are ours, and which UZI certificate a card was made with (CARD-16).
    """
    issuance = await store.ended(work, before=work.now - rules.KEPT_FOR)
    if issuance is None:
        return False
    made_with = rules.uzi_certificate(issuance) if issuance.step is IssuanceStep.done else None
    await store.forget_person(work, issuance.id, made_with)
    return True


async def fail_one_expired(work: Work) -> bool:
    """Fail one making whose day has passed; false when there is none left. The sweep calls it until it is."""
    issuance = await store.expired(work, now=work.now)
    if issuance is None:
        return False
    await fail(work, issuance, "expired")
    return True
