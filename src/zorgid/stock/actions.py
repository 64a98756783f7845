"""What is done with blank cards: add, sell, reserve for a making, and what comes of that."""

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, Event, Subject
from zorgid.kernel.codes import new_code
from zorgid.kernel.ids import IssuanceId
from zorgid.stock import rules, store
from zorgid.stock.errors import (
    BlankCardInMaking,
    BlankCardUnknown,
    ChipSerialKnown,
    ReservationLost,
    StockActRefused,
)
from zorgid.stock.model import BlankCard, StockAct, StockState
from zorgid.storage.database import Work

NUMBER_CHARACTERS = 9
"""Eight drawn characters and the one that shows slips: 378 thousand million numbers."""

ATTEMPTS = 3
"""How often a decision is taken anew when another work was faster; each time something did change."""

EVENTS = {
    StockAct.allocate: Event.blank_card_allocated,
    StockAct.ship: Event.blank_card_shipped,
    StockAct.reserve: Event.blank_card_reserved,
    StockAct.take_over: Event.blank_card_reserved,
    StockAct.use: Event.blank_card_used,
    StockAct.take_back: Event.blank_card_returned,
    StockAct.bar: Event.blank_card_barred,
}
"""What the log calls each act."""


async def add_to_stock(work: Work, *, chip_serial: str, kind: str, by: Actor) -> BlankCard:
    """Put a new blank card on the stock list and return it with its number, which is printed on it.

    Raises:
        ChipSerialMalformed, CardKindUnknown: what was scanned cannot be right.
        ChipSerialKnown: the card is on the list.
    """
    rules.require_chip_serial(chip_serial)
    rules.kind_named(kind)
    number = new_code(NUMBER_CHARACTERS, work.random)
    while not await store.add(work, number=number, chip_serial=chip_serial, kind=kind):
        if await store.by_chip(work, chip_serial):
            raise ChipSerialKnown(chip_serial=chip_serial)
        number = new_code(NUMBER_CHARACTERS, work.random)
    facts = {"chip_serial": chip_serial, "kind": kind}
    await record(work, event=Event.blank_card_added, by=by, on=subject(number), facts=facts)
    return await blank_card(work, number=number)


async def allocate(work: Work, *, number: str, by: Actor) -> BlankCard:
    """Set the card aside for an order (SHOP-3). Raises `BlankCardUnknown` and `StockActRefused`."""
    return await _carry_out(work, number, StockAct.allocate, by)


async def ship(work: Work, *, number: str, by: Actor) -> BlankCard:
    """Hand the card to its buyer: from now on it is sold. Raises `BlankCardUnknown` and `StockActRefused`."""
    return await _carry_out(work, number, StockAct.ship, by)


async def reserve_for_making(
    work: Work, *, chip_serial: str, issuance_id: IssuanceId, by: Actor
) -> BlankCard:
    """Reserve the blank card with this chip for the issuance (CARD-10); of two who ask at once, one gets it.

    Asked again for the same issuance this is a sign of life. A reservation without one for half an hour
    lapses: another issuance may then take the card over, and `cards.begin_card` fails what the first one
    left.

    Raises:
        BlankCardUnknown, BlankCardNotSold, BlankCardUsed, BlankCardBarred, BlankCardInMaking: what is in the
        way.
    """
    for _ in range(ATTEMPTS):
        blank = await blank_card_by_chip(work, chip_serial=chip_serial)
        act = rules.reserving_act(blank, issuance_id, now=work.now)
        if rules.is_reserved_for(blank, issuance_id):
            return await keep_alive(work, number=blank.number, issuance_id=issuance_id)
        state = rules.next_state(blank.state, act)
        if await store.move(work, blank, state, issuance_id=issuance_id):
            await _record(work, act, blank, state, by=by, issuance_id=issuance_id)
            return await blank_card(work, number=blank.number)
    raise BlankCardInMaking(card_number=blank.number)


async def keep_alive(work: Work, *, number: str, issuance_id: IssuanceId) -> BlankCard:
    """Note a sign of life of the issuance and return its blank card. Raises `ReservationLost`."""
    if not await store.keep_alive(work, number, issuance_id):
        raise ReservationLost(card_number=number)
    return await blank_card(work, number=number)


async def mark_used(work: Work, *, number: str, issuance_id: IssuanceId, by: Actor) -> BlankCard:
    """Note that the issuance made a card of it, which is blank no more. Raises `ReservationLost`."""
    return await _carry_out(work, number, StockAct.use, by, reserved_for=issuance_id)


async def return_to_stock(work: Work, *, number: str, issuance_id: IssuanceId, by: Actor) -> BlankCard:
    """Give back a card whose making failed; it can be made anew. Raises `ReservationLost`.

    Precondition: the card is empty, or holds no more than what the making put there: the next one knows that
    by its GUID or its changed PIN and management key, and empties it.
    """
    return await _carry_out(work, number, StockAct.take_back, by, reserved_for=issuance_id)


async def bar(work: Work, *, number: str, by: Actor, issuance_id: IssuanceId | None = None) -> BlankCard:
    """Take the card out of use for good: it could not be reset, or was lost.

    Args:
        work: a transaction.
        number: the card.
        by: who says so.
        issuance_id: the making that says so, which must have the card; None for support.

    Raises:
        BlankCardUnknown: no such card.
        ReservationLost: another making has it now.
        StockActRefused: a Smartcard was made of it (revoke that), or it is barred.
    """
    return await _carry_out(work, number, StockAct.bar, by, reserved_for=issuance_id)


async def blank_card(work: Work, *, number: str) -> BlankCard:
    """Return the blank card with this number. Raises `BlankCardUnknown`."""
    return _known(await store.by_number(work, number))


async def blank_card_by_chip(work: Work, *, chip_serial: str) -> BlankCard:
    """Return the blank card with this chip. Raises `BlankCardUnknown`."""
    return _known(await store.by_chip(work, chip_serial))


def subject(number: str) -> Subject:
    """Return the blank card as the log names it."""
    return Subject("blank-card", number)


async def _carry_out(
    work: Work, number: str, act: StockAct, by: Actor, *, reserved_for: IssuanceId | None = None
) -> BlankCard:
    for _ in range(ATTEMPTS):
        blank = await blank_card(work, number=number)
        if reserved_for is not None:
            rules.require_reserved_for(blank, reserved_for)
        state = rules.next_state(blank.state, act)
        if await store.move(work, blank, state):
            await _record(work, act, blank, state, by=by, issuance_id=blank.issuance_id)
            return await blank_card(work, number=number)
    raise StockActRefused(state=blank.state, act=act)


async def _record(
    work: Work,
    act: StockAct,
    was: BlankCard,
    state: StockState,
    *,
    by: Actor,
    issuance_id: IssuanceId | None,
) -> None:
    facts = {"issuance_id": issuance_id} if issuance_id else {}
    await record(
        work, event=EVENTS[act], by=by, on=subject(was.number), was=was.state, becomes=state, facts=facts
    )


def _known(found: BlankCard | None) -> BlankCard:
    if found is None:
        raise BlankCardUnknown
    return found
