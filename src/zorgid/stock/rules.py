"""The life cycle of a blank card as a table, the kinds of cards, and when one may be reserved. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from zorgid.kernel.ids import IssuanceId
from zorgid.pki.algorithms import KeyKind
from zorgid.pki.recognise import Level
from zorgid.stock.errors import (
    BlankCardBarred,
    BlankCardInMaking,
    BlankCardNotSold,
    BlankCardUsed,
    CardKindUnknown,
    ChipSerialMalformed,
    ReservationLost,
    StockActRefused,
)
from zorgid.stock.model import (
    AttestationRoot,
    BlankCard,
    CardKind,
    ManagementKeyAlgorithm,
    PinRule,
    StockAct,
    StockState,
)

TRANSITIONS: Final[Mapping[tuple[StockState, StockAct], StockState]] = {
    (StockState.in_stock, StockAct.allocate): StockState.allocated,
    (StockState.allocated, StockAct.ship): StockState.shipped,
    (StockState.shipped, StockAct.reserve): StockState.in_making,
    # A card that a failed making gave back lies with its buyer; `require_reservable` asks that it was sold.
    (StockState.in_stock, StockAct.reserve): StockState.in_making,
    (StockState.in_making, StockAct.take_over): StockState.in_making,
    (StockState.in_making, StockAct.use): StockState.used,
    (StockState.in_making, StockAct.take_back): StockState.in_stock,
    (StockState.in_making, StockAct.bar): StockState.barred,
    (StockState.in_stock, StockAct.bar): StockState.barred,
    (StockState.allocated, StockAct.bar): StockState.barred,
    (StockState.shipped, StockAct.bar): StockState.barred,
}

RESERVATION_LAPSES_AFTER: Final = timedelta(minutes=30)
"""Without a sign of life this long, another making may take the blank card (docs/tables.md)."""

LETTERS_AND_DIGITS: Final = PinRule(shortest=6, longest=8, digits_only=False)
"""CARD-7."""

DIGITS_ONLY: Final = PinRule(shortest=6, longest=8, digits_only=True)
"""CARD-7 on a card that follows SP 800-73-4, part 2, section 2.4.3, to the letter."""

ALL_KEY_KINDS: Final = (KeyKind.rsa2048, KeyKind.p256, KeyKind.rsa3072, KeyKind.rsa4096)
"""The first is the default, which today's care applications expect (decision 0320)."""

KINDS: Final[Mapping[str, CardKind]] = {
    kind.name: kind
    for kind in (
        CardKind(
            name="yubikey-5",
            attestation_root=AttestationRoot.yubico,
            pin_rule=LETTERS_AND_DIGITS,
            key_kinds=ALL_KEY_KINDS,
            management_key=ManagementKeyAlgorithm.aes192,
            level=Level.substantial,
            is_stand_in=False,
        ),
        CardKind(
            name="virtual-extended",
            attestation_root=AttestationRoot.test,
            pin_rule=LETTERS_AND_DIGITS,
            key_kinds=ALL_KEY_KINDS,
            management_key=ManagementKeyAlgorithm.aes192,
            level=Level.substantial,
            is_stand_in=True,
        ),
        CardKind(
            name="virtual-unattested",
            attestation_root=None,
            pin_rule=DIGITS_ONLY,
            key_kinds=ALL_KEY_KINDS,
            management_key=ManagementKeyAlgorithm.aes192,
            level=Level.low,
            is_stand_in=True,
        ),
    )
}
"""Every kind of card, by name. A name never gets another meaning: cards in the field bear it.

A kind here tells its chip serial: the app touches no card of which it cannot see that it is the reserved
one. A strict NIST card does not, so none is listed.
"""

LONGEST_CHIP_SERIAL: Final = 20


def kind_named(name: str) -> CardKind:
    """Return the kind of that name. Raises `CardKindUnknown`."""
    try:
        return KINDS[name]
    except KeyError:
        raise CardKindUnknown(kind=name) from None


def require_chip_serial(text: str) -> str:
    """Return `text`, which is one to twenty ASCII digits. Raises `ChipSerialMalformed`."""
    if not (0 < len(text) <= LONGEST_CHIP_SERIAL and text.isascii() and text.isdigit()):
        raise ChipSerialMalformed
    return text


def next_state(state: StockState, act: StockAct) -> StockState:
    """Return the state after `act`. Raises `StockActRefused` for every pair that is not in the table."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise StockActRefused(state=state, act=act) from None


def reserving_act(blank: BlankCard, issuance_id: IssuanceId, *, now: datetime) -> StockAct:
    """Return by which act the issuance may have the blank card at `now`.

    Raises:
        BlankCardNotSold: it lies in the warehouse, or should.
        BlankCardUsed, BlankCardBarred: it is past making.
        BlankCardInMaking: another issuance has it and gave a sign of life less than half an hour ago.
    """
    match blank.state:
        case StockState.used:
            raise BlankCardUsed(card_number=blank.number)
        case StockState.barred:
            raise BlankCardBarred(card_number=blank.number)
        case StockState.in_making if is_reserved_for(blank, issuance_id) or has_lapsed(blank, now=now):
            return StockAct.take_over
        case StockState.in_making:
            raise BlankCardInMaking(card_number=blank.number)
        case _ if blank.is_sold:
            return StockAct.reserve
        case _:
            raise BlankCardNotSold(card_number=blank.number)


def is_reserved_for(blank: BlankCard, issuance_id: IssuanceId) -> bool:
    """Tell whether the blank card is in making for this issuance, lapsed or not."""
    return blank.state is StockState.in_making and blank.issuance_id == issuance_id


def has_lapsed(blank: BlankCard, *, now: datetime) -> bool:
    """Tell whether the reservation's last sign of life is half an hour or longer ago."""
    return blank.alive_at is not None and blank.alive_at + RESERVATION_LAPSES_AFTER <= now


def require_reserved_for(blank: BlankCard, issuance_id: IssuanceId) -> BlankCard:
    """Return the blank card, which this issuance has.

    A reservation that lapsed and that nobody took is still the issuance's.

    Raises:
        ReservationLost: another issuance has it, or none.
    """
    if not is_reserved_for(blank, issuance_id):
        raise ReservationLost(card_number=blank.number)
    return blank
