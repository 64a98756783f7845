"""What a card's PIN costs and what not, on a real virtual card (PIN-1…4)."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from cardkit.card import KeyAlgorithm, KeySlot, PinPolicy
from cardkit.errors import PinNeeded
from cardkit.readers import PivReader
from cardkit.secrets import SMARTCARD_PIN, UZI_PIN, ManagementKeyKind, Pin, factory_management_key
from cardkit.virtual import VirtualReader, make_blank_card
from zorgid_desktop.flow.asking import AskPin, Cancelled, NewPin, Question, Said
from zorgid_desktop.flow.cards import FlowStopped, chosen_pin, show_pin
from zorgid_desktop.pins import change_pin, unblock_pin

PIN, PUK = "123456", "12345678"
UNFIT = [
    "",
    "12345",
    "123456789",
    "12345é",
    "123 56",
    "12345\N{ARABIC-INDIC DIGIT SEVEN}",
    "\N{FULLWIDTH DIGIT ONE}23456",
]


class Typist:
    """Types these answers, one after the other, and gives up after the last."""

    def __init__(self, *answers: Any) -> None:
        self._answers = iter(answers)
        self.troubles: list[str] = []
        self.tries_left: list[int | None] = []
        self.said: list[str] = []

    def ask(self, question: Question[Any]) -> Any:
        if question.trouble is not None:
            self.troubles.append(question.trouble.code)
        if isinstance(question, AskPin):
            self.tries_left.append(question.tries_left)
        try:
            return next(self._answers)
        except StopIteration:
            raise Cancelled from None

    def tell(self, said: Said) -> None:
        self.said.append(said.code)


@pytest.fixture
def reader(tmp_path: Path) -> VirtualReader:
    reader = VirtualReader(tmp_path)
    reader.add("card", make_blank_card(1, pin=PIN, puk=PUK))
    reader.insert("card")
    return reader


def tries(reader: VirtualReader) -> tuple[int, int]:
    state = reader.card_state("card")
    return state.pin.tries_left, state.puk.tries_left


@pytest.mark.parametrize("rules", [SMARTCARD_PIN, UZI_PIN])
def test_a_text_that_cannot_be_a_pin_is_never_sent_to_the_card(reader: VirtualReader, rules: Any) -> None:
    """PIN-3."""
    typist = Typist(*UNFIT, PIN)
    with PivReader(reader).open_card(rules) as card:
        show_pin(typist, card, context=None, holder="Sanne")
    assert typist.troubles == ["pin-unfit"] * len(UNFIT)
    assert typist.tries_left == [3] * (len(UNFIT) + 1)
    assert tries(reader) == (3, 3)


def test_each_wrong_pin_costs_one_try_and_the_right_one_brings_all_back(reader: VirtualReader) -> None:
    """PIN-1."""
    typist = Typist("999999", "12345", "999999", PIN)
    with PivReader(reader).open_card() as card:
        show_pin(typist, card, context=None, holder="Sanne")
    assert typist.troubles == ["pin-wrong", "pin-unfit", "pin-wrong"]
    assert typist.tries_left == [3, 2, 2, 1]
    assert tries(reader) == (3, 3)


def test_three_wrong_pins_block_and_a_blocked_card_is_not_asked_again(reader: VirtualReader) -> None:
    typist = Typist("999999", "999999", "999999", PIN)
    for _ in range(2):
        with PivReader(reader).open_card() as card, pytest.raises(FlowStopped) as stopped:
            show_pin(typist, card, context=None, holder="Sanne")
        assert stopped.value.said == Said("pin-blocked", {"holder": "Sanne"})
    assert typist.tries_left == [3, 2, 1]
    assert tries(reader) == (0, 3)


def test_a_chosen_pin_is_asked_until_it_fits_and_is_typed_the_same_twice(reader: VirtualReader) -> None:
    """CARD-7: letters and digits; nothing is sent."""
    unfit = [NewPin(text, text) for text in UNFIT]
    typist = Typist(*unfit, NewPin("Linde24", "linde24"), NewPin("Linde24", ""), NewPin("Linde24", "Linde24"))
    before = reader.apdu_count
    assert chosen_pin(typist, SMARTCARD_PIN, "CWZJNVV9C") == Pin("Linde24")
    assert typist.troubles == ["pin-unfit"] * len(UNFIT) + ["pins-differ", "pin-unfit"]
    assert reader.apdu_count == before


def test_the_pin_is_changed_with_the_old_one(reader: VirtualReader) -> None:
    """PIN-2."""
    typist = Typist(PIN, NewPin("Linde24", "Linde24"))
    with PivReader(reader).open_card() as card:
        change_pin(typist, card)
    assert typist.said == ["pin-changed"]
    with PivReader(reader).open_card() as card:
        card.verify_pin(Pin("Linde24"))


def test_a_blocked_pin_is_replaced_with_the_puk(reader: VirtualReader) -> None:
    with PivReader(reader).open_card() as card, pytest.raises(FlowStopped):
        show_pin(Typist("999999", "999999", "999999"), card, context=None, holder="Sanne")
    typist = Typist(NewPin("Linde24", "Linde24"))
    with PivReader(reader).open_card() as card:
        assert unblock_pin(typist, card, "1234 5678") is None
    assert tries(reader) == (3, 3)
    with PivReader(reader).open_card() as card:
        card.verify_pin(Pin("Linde24"))


def test_a_wrong_puk_costs_a_try_and_one_that_cannot_be_a_puk_does_not(reader: VirtualReader) -> None:
    """PIN-3, PIN-4."""
    new = NewPin("Linde24", "Linde24")
    with PivReader(reader).open_card() as card:
        assert unblock_pin(Typist(new), card, "1234567") == Said("puk-unfit")
        assert unblock_pin(Typist(new), card, "1234567é") == Said("puk-unfit")
        assert tries(reader) == (3, 3)
        assert unblock_pin(Typist(new), card, "99999999") == Said("puk-wrong", {"tries_left": 2})
        assert unblock_pin(Typist(new), card, "99999999") == Said("puk-wrong", {"tries_left": 1})
        with pytest.raises(FlowStopped) as stopped:
            unblock_pin(Typist(new), card, "99999999")
    assert stopped.value.said.code == "puk-blocked"


def test_the_cards_pin_state_is_gone_at_the_end(reader: VirtualReader) -> None:
    """PIN-2; as at the end of a login (docs/desktop-protocol.md, chapter 4)."""
    with PivReader(reader).open_card() as card:
        card.authenticate_management(factory_management_key(ManagementKeyKind.aes192))
        key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256, PinPolicy.once)
        show_pin(Typist(PIN), card, context=None, holder="Sanne")
        assert card.sign(key, b"data", hashes.SHA256())
    with PivReader(reader).open_card() as card, pytest.raises(PinNeeded):
        card.sign(key, b"data", hashes.SHA256())
