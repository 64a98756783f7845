"""The refusals about Smartcards."""

from datetime import datetime

from zorgid.kernel.errors import Refusal


class CardUnknown(Refusal):
    """No card is found under this number or id; whoever typed it can check the number on the card."""

    code = "card-unknown"
    status = 404


class CardActRefused(Refusal):
    """The card's state does not allow this act; the card's page shows the state it has now."""

    code = "card-act-refused"
    status = 409

    def __init__(self, *, state: str, act: str) -> None:
        super().__init__(state=state, act=act)


class CardHeld(Refusal):
    """The card is held, so it works nowhere; whoever set the hold, or support, can release it (LIFE-2)."""

    code = "card-held"

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class CardRevoked(Refusal):
    """The card was revoked, for good; the holder can make a new one with a valid UZI card."""

    code = "card-revoked"

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class CardExpired(Refusal):
    """The card's three years are over; the holder can make a new one with a valid UZI card."""

    code = "card-expired"

    def __init__(self, *, card_number: str, valid_until: datetime) -> None:
        super().__init__(card_number=card_number, valid_until=valid_until)


class CardNotFinished(Refusal):
    """The making of this card was not finished; the holder can go on with it or start over (CARD-9)."""

    code = "card-not-finished"

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class AlreadyHeldByYou(Refusal):
    """The same party already holds the card; its hold stands and can be released (LIFE-2)."""

    code = "card-already-held-by-you"
    status = 409

    def __init__(self, *, card_number: str) -> None:
        super().__init__(card_number=card_number)


class HoldUnknown(Refusal):
    """The hold does not exist or was released already; the card's page shows the holds that remain."""

    code = "hold-unknown"
    status = 404
