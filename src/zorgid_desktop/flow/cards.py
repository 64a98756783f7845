"""Opens the card in the reader, and shows a PIN to it: once per act of the person."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography import x509

from cardkit.apdu import WRONG_DATA
from cardkit.card import CardCertificate, CertificateUsage
from cardkit.errors import (
    CardBusy,
    CardError,
    CardGone,
    CardNotRecognised,
    CardRefused,
    CertificateMissing,
    PinBlocked,
    PinUnfit,
    PinWrong,
    ReaderEmpty,
)
from cardkit.piv import PivCard
from cardkit.secrets import SMARTCARD_PIN, Pin, PinRules
from cardkit.transport import Reader
from zorgid.protocol.context import Context
from zorgid_desktop.flow.asking import AskPin, ChoosePin, Face, Said, Trouble


class FlowStopped(Exception):
    """The flow cannot go on; `said` tells the person why and what to do."""

    def __init__(self, said: Trouble) -> None:
        self.said = said
        super().__init__(said.code)


@dataclass(frozen=True)
class LoginCard:
    """A card with the certificate that it can log in with."""

    card: PivCard
    certificate: CardCertificate

    @property
    def holder(self) -> str:
        """The name on the card."""
        return holder_of(self.certificate.certificate)


@contextmanager
def card_in(reader: Reader, rules: PinRules = SMARTCARD_PIN) -> Iterator[PivCard]:
    """Hold the card that is in the reader, exclusively; its PIN state is cleared at the end (step 10)."""
    with reader.connect() as transport:
        yield PivCard.open(transport, pin_rules=rules)


def holder_of(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate, for showing only."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else "?"


def login_card(card: PivCard) -> LoginCard:
    """Return the card's authentication certificate, found by key usage. Raises `CertificateMissing`."""
    return LoginCard(card, card.certificate_for(CertificateUsage.authentication))


def show_pin(face: Face, card: PivCard, *, context: Context | None, holder: str) -> Pin:
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
            trouble = Said("pin-wrong", {"tries_left": wrong.tries_left})
        except PinBlocked:
            raise FlowStopped(Said("pin-blocked", {"holder": holder})) from None
        else:
            return pin


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
    ReaderEmpty: "reader-empty",
    CardGone: "card-gone",
    CardBusy: "card-busy",
    CardNotRecognised: "card-not-recognised",
    CertificateMissing: "certificate-missing",
}


def trouble_of(error: CardError) -> Said:
    """Return what to say about a trouble with card or reader; the unlisted ones share a sentence."""
    return Said(TROUBLES.get(type(error), "card-trouble"))
