"""Changes and unblocks the PIN of the card in the reader; done by the employee alone (PIN-2)."""

from collections.abc import Callable, Mapping
from typing import Final

from cardkit.card import Card
from cardkit.errors import CardError, CardRefused, PukBlocked, PukUnfit, PukWrong
from cardkit.readers import Readers
from cardkit.secrets import Puk
from zorgid_desktop.flow.asking import (
    AskPuk,
    Errand,
    Face,
    InsertCard,
    Said,
    SeenCard,
    Trouble,
    Wanted,
    on_errand,
)
from zorgid_desktop.flow.cards import (
    FlowStopped,
    WrongCard,
    chosen_pin,
    not_taken,
    show_pin,
    trouble_of,
)
from zorgid_desktop.flow.choosing import Need, card_in
from zorgid_desktop.flow.seeing import holder_of

PinAct = Callable[[Face, Card], None]
"""Does something with the PIN of a card."""


def with_own_card(readers: Readers, face: Face, act: PinAct, *, very: SeenCard | None = None) -> None:
    """Do something with the PIN of the card that the person puts in; a trouble with it can be mended.

    Where the person pointed at a `very` card, no other one is asked for its PIN.

    Raises `FlowStopped` and `Cancelled` as `act` does.
    """
    with on_errand(ERRANDS.get(act)):
        _with_card(readers, face, act, very)


def _with_card(readers: Readers, face: Face, act: PinAct, very: SeenCard | None) -> None:
    trouble: Trouble | None = None
    while True:
        face.ask(InsertCard(trouble, Wanted.own_card))
        try:
            with card_in(readers, face, Need(Wanted.own_card, very=very)) as found:
                return act(face, found.card)
        except CardError as error:
            trouble = trouble_of(error)
        except WrongCard as wrong:
            trouble = wrong.said


def holder_on(card: Card) -> str:
    """Return the name on the card's certificates, or its serial when it has none."""
    certificates = card.read_certificates()
    return holder_of(certificates[0].certificate) if certificates else card.read_serial() or "?"


def change_pin(face: Face, card: Card) -> None:
    """Replace the PIN: the old one once, the new one twice. Raises `FlowStopped`."""
    holder = holder_on(card)
    old = show_pin(face, card, context=None, holder=holder)
    trouble: Trouble | None = None
    while True:
        new = chosen_pin(face, card.pin_rules, holder, trouble)
        try:
            card.change_pin(old, new)
        except CardRefused as refused:
            trouble = not_taken(refused)
        else:
            face.tell(Said("pin-changed"))
            return


def ask_puk_and_unblock(face: Face, card: Card) -> None:
    """Ask the PUK until the card takes it, with a new PIN each time. Raises `FlowStopped`."""
    holder = holder_on(card)
    trouble: Trouble | None = None
    while True:
        tries_left = card.puk_tries_left()
        if tries_left == 0:
            raise FlowStopped(Said("puk-blocked"))
        trouble = unblock_pin(face, card, face.ask(AskPuk(trouble, holder, tries_left)))
        if trouble is None:
            return


def unblock_pin(face: Face, card: Card, puk_text: str) -> Trouble | None:
    """Give the card a new PIN with its PUK; returns the trouble when the card did not take them.

    Raises:
        FlowStopped: the PUK is blocked; a new card is needed (PIN-4).
    """
    try:
        card.unblock_pin(Puk(puk_text), chosen_pin(face, card.pin_rules, holder_on(card)))
    except PukUnfit:
        return Said("puk-unfit")
    except PukWrong as wrong:
        if wrong.tries_left is None:
            return Said("puk-wrong-tries-unknown")
        return Said("puk-wrong", {"tries_left": wrong.tries_left})
    except PukBlocked:
        raise FlowStopped(Said("puk-blocked")) from None
    except CardRefused as refused:
        return not_taken(refused)
    face.tell(Said("pin-changed"))
    return None


ERRANDS: Final[Mapping[PinAct, Errand]] = {
    change_pin: Errand.pin_change,
    ask_puk_and_unblock: Errand.unblocking,
}
"""What the person came for, by what is done with the PIN."""
