"""Changes and unblocks the PIN of the card in the reader; done by the employee alone (PIN-2)."""

from cardkit.errors import CardRefused, PukBlocked, PukUnfit, PukWrong
from cardkit.piv import PivCard
from cardkit.secrets import Puk
from zorgid_desktop.flow.asking import AskPuk, Face, Said, Trouble
from zorgid_desktop.flow.cards import FlowStopped, chosen_pin, holder_of, not_taken, show_pin


def holder_on(card: PivCard) -> str:
    """Return the name on the card's certificates, or its serial when it has none."""
    certificates = card.read_certificates()
    return holder_of(certificates[0].certificate) if certificates else card.read_serial() or "?"


def change_pin(face: Face, card: PivCard) -> None:
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


def ask_puk_and_unblock(face: Face, card: PivCard) -> None:
    """Ask the PUK until the card takes it, with a new PIN each time. Raises `FlowStopped`."""
    trouble: Trouble | None = None
    while True:
        tries_left = card.puk_tries_left()
        if tries_left == 0:
            raise FlowStopped(Said("puk-blocked"))
        trouble = unblock_pin(face, card, face.ask(AskPuk(trouble, tries_left)))
        if trouble is None:
            return


def unblock_pin(face: Face, card: PivCard, puk_text: str) -> Trouble | None:
    """Give the card a new PIN with its PUK; returns the trouble when the card did not take them.

    Raises:
        FlowStopped: the PUK is blocked; a new card is needed (PIN-4).
    """
    try:
        card.unblock_pin(Puk(puk_text), chosen_pin(face, card.pin_rules, holder_on(card)))
    except PukUnfit:
        return Said("puk-unfit")
    except PukWrong as wrong:
        return Said("puk-wrong", {"tries_left": wrong.tries_left})
    except PukBlocked:
        raise FlowStopped(Said("puk-blocked")) from None
    except CardRefused as refused:
        return not_taken(refused)
    face.tell(Said("pin-changed"))
    return None
