"""Shows a PIN to the card, once per act of the person; and says what a trouble with card or reader is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cardkit.apdu import WRONG_DATA
from cardkit.card import Card
from cardkit.errors import (
    CardBusy,
    CardCannot,
    CardError,
    CardFileUnreadable,
    CardGone,
    CardMute,
    CardNotRecognised,
    CardRefused,
    CertificateMissing,
    ModuleUnusable,
    PinBlocked,
    PinUnfit,
    PinWrong,
    ReaderAbsent,
    ReaderEmpty,
    ReaderServiceAbsent,
)
from cardkit.secrets import Pin, PinRules
from zorgid_desktop.flow.asking import AskPin, ChoosePin, Face, Said, SeenCard, Trouble

if TYPE_CHECKING:
    from zorgid.protocol.context import Context


class FlowStopped(Exception):
    """The flow cannot go on; `said` tells the person why and what to do."""

    def __init__(self, said: Trouble) -> None:
        self.said = said
        super().__init__(said.code)


class WrongCard(FlowStopped):
    """Other cards are in the readers than the step needs; nothing was done to them, and another may do."""

    def __init__(self, said: Trouble, found: Sequence[SeenCard]) -> None:
        super().__init__(said)
        self.found = found


def show_pin(face: Face, card: Card, *, context: "Context | None", holder: str) -> Pin:
    """Ask the PIN until the card takes it, and return it for the uses that follow in this same step.

    A text that cannot be a PIN costs no try (PIN-3); each wrong one is a new act of the person (PIN-1).

    Raises:
        FlowStopped: the PIN is blocked.
        Cancelled: the person gave up.
    """
    trouble: Trouble | None = None
    while True:
        tries_left = card.pin_tries_left()
        if tries_left == 0:
            raise FlowStopped(Said("pin-blocked", {"holder": holder}))
        typed = face.ask(AskPin(trouble, context, holder, tries_left, card.pin_rules))
        try:
            pin = Pin(typed, card.pin_rules)
            card.verify_pin(pin)
        except PinUnfit:
            trouble = unfit(card.pin_rules)
        except CardRefused as refused:
            trouble = not_taken(refused)
        except PinWrong as wrong:
            trouble = wrong_pin(wrong)
        except PinBlocked:
            raise FlowStopped(Said("pin-blocked", {"holder": holder})) from None
        else:
            return pin


def wrong_pin(wrong: PinWrong) -> Said:
    """Return what to say about a wrong PIN: how often it may still be tried, where the card tells that."""
    if wrong.tries_left is None:
        return Said("pin-wrong-tries-unknown")
    return Said("pin-wrong", {"tries_left": wrong.tries_left})


def not_taken(refused: CardRefused) -> Said:
    """Return what to say about a PIN that this very card does not take; raises any other refusal again.

    Source: SP 800-73-4 part 2, 3.2.1: the tries are as they were.
    """
    if refused.status != WRONG_DATA:
        raise refused
    return Said("pin-not-taken")


def chosen_pin(face: Face, rules: PinRules, card_number: str, trouble: Trouble | None = None) -> Pin:
    """Return a new PIN that was typed twice and fits the card (CARD-7); nothing is sent to the card."""
    while True:
        chosen = face.ask(ChoosePin(trouble, rules, card_number))
        try:
            pin = Pin(chosen.first, rules)
            if pin == Pin(chosen.second, rules):
                return pin
            trouble = Said("pins-differ")
        except PinUnfit:
            trouble = unfit(rules)


def unfit(rules: PinRules) -> Said:
    """Return what to say about a text that cannot be a PIN of this card."""
    code = "pin-unfit-digits" if rules.digits_only else "pin-unfit"
    return Said(code, {"shortest": rules.shortest, "longest": rules.longest})


TROUBLES: dict[type[CardError], str] = {
    ReaderServiceAbsent: "reader-service-absent",
    ReaderAbsent: "reader-absent",
    ReaderEmpty: "reader-empty",
    CardGone: "card-gone",
    CardMute: "card-mute",
    CardBusy: "card-busy",
    CardFileUnreadable: "card-file-unreadable",
    CardNotRecognised: "card-not-recognised",
    CertificateMissing: "certificate-missing",
    CardCannot: "card-cannot",
}


def trouble_of(error: CardError) -> Said:
    """Return what to say about a trouble with card or reader; the unlisted ones share a sentence."""
    if isinstance(error, ModuleUnusable):
        return Said(f"module-{error.flaw}", {"module": error.module})
    return Said(TROUBLES.get(type(error), "card-trouble"))
