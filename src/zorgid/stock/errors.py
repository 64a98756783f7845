"""The refusals about blank cards."""

from zorgid.kernel.errors import Refusal


class BlankCardUnknown(Refusal):
    """The chip is not on the stock list, so this is no card of ours.

    The employee can take one that was bought here.
    """

    code = "blank-card-unknown"
    status = 404


class BlankCardNotSold(Refusal):
    """The card never left our stock by a sale; support can find out how it got here (CARD-10)."""

    code = "blank-card-not-sold"
    status = 409

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class BlankCardUsed(Refusal):
    """A Smartcard was already made of this card; the employee can take a new one."""

    code = "blank-card-used"
    status = 409

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class BlankCardBarred(Refusal):
    """The card was taken out of use after a broken making or by support.

    The employee can take another one.
    """

    code = "blank-card-barred"
    status = 409

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class BlankCardInMaking(Refusal):
    """Another making has this card now; it is free again half an hour after that one's last sign of life."""

    code = "blank-card-in-making"
    status = 409

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class ReservationLost(Refusal):
    """This making no longer has the blank card: the reservation lapsed and another took it; start over."""

    code = "blank-card-reservation-lost"
    status = 409

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class StockActRefused(Refusal):
    """The blank card's state does not allow this act; whoever keeps the stock can look what came before."""

    code = "stock-act-refused"
    status = 409

    def __init__(self, *, state: str, act: str) -> None:
        super().__init__(state=state, act=act)


class ChipSerialKnown(Refusal):
    """A card with this chip serial is already on the stock list; whoever adds it can check the box."""

    code = "chip-serial-known"
    status = 409

    def __init__(self, *, chip_serial: str) -> None:
        super().__init__(chip_serial=chip_serial)


class ChipSerialMalformed(Refusal):
    """A chip serial is one to twenty digits; whoever adds the card can mend it."""

    code = "chip-serial-malformed"
    status = 422


class CardKindUnknown(Refusal):
    """No kind of card has this name; whoever adds the card can choose one that exists."""

    code = "card-kind-unknown"
    status = 422

    def __init__(self, *, kind: str) -> None:
        super().__init__(kind=kind)
