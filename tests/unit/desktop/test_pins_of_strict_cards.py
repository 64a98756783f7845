"""What a PIN costs on cards that take digits only, that answer from a script, or that tell no tries (PIN-1, PIN-3, CARD-7)."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.cardkit.builders import answer, scripted_card
from tests.unit.desktop.builders import DIGITS, HOLDER, PIN, PUK, STOP, ScriptedFace, a_card_in

from cardkit.apdu import Command
from cardkit.errors import CardGone, CardRefused
from cardkit.piv import codes
from cardkit.readers import PivReader
from cardkit.secrets import Pin
from cardkit.virtual import Mode, VirtualReader
from zorgid_desktop.flow.asking import AskPin, AskPuk, Cancelled, ChoosePin, NewPin, Said
from zorgid_desktop.flow.cards import FlowStopped, show_pin
from zorgid_desktop.pins import ask_puk_and_unblock, change_pin, holder_on

BLOCKED, FAULT, WRONG_FORM, OK = answer(0x6983), answer(0x6F00), answer(0x6A80), answer(0x9000)
THREE_LEFT, TWO_LEFT = answer(0x63C3), answer(0x63C2)
NEW = NewPin("135790", "135790")
LETTERS = NewPin("Linde25", "Linde25")


def asked(face: ScriptedFace, kind: type) -> list[Any]:
    return [question for question in face.asked if isinstance(question, kind)]


def verifications(sent: list[bytes]) -> list[Command]:
    """The commands that show a PIN; one without data only asks for the tries."""
    commands = map(Command.decode, sent)
    return [command for command in commands if command.ins == codes.VERIFY and command.data]


@pytest.mark.parametrize(
    "text", ["", "12345", "123456789", "12345é", "      ", "12 4567", "123456\n", "\0" * 6]
)
def test_a_text_that_cannot_be_a_pin_sends_nothing(text: str) -> None:
    """PIN-3."""
    card, transport = scripted_card(THREE_LEFT, THREE_LEFT)
    face = ScriptedFace(text, STOP)
    with pytest.raises(Cancelled):
        show_pin(face, card, context=None, holder=HOLDER)
    assert face.troubles == [None, "pin-unfit"]
    assert verifications(transport.sent) == []


def test_a_card_that_refuses_the_form_of_a_pin_takes_no_try() -> None:
    """PIN-3. SP 800-73-4 part 2, 3.2.1: 6A80 leaves the tries as they were."""
    card, transport = scripted_card(THREE_LEFT, WRONG_FORM, THREE_LEFT, OK)
    face = ScriptedFace(PIN, DIGITS)
    assert show_pin(face, card, context=None, holder=HOLDER) == Pin(DIGITS)
    assert face.troubles == [None, "pin-not-taken"]
    assert [question.tries_left for question in face.asked] == [3, 3]
    assert len(verifications(transport.sent)) == 2


def test_any_other_refusal_of_a_card_is_no_matter_of_the_pin() -> None:
    card, _ = scripted_card(THREE_LEFT, FAULT)
    with pytest.raises(CardRefused):
        show_pin(ScriptedFace(PIN), card, context=None, holder=HOLDER)


def test_a_wrong_pin_is_followed_by_how_many_tries_are_left() -> None:
    """PIN-1."""
    card, transport = scripted_card(THREE_LEFT, TWO_LEFT, TWO_LEFT, OK)
    face = ScriptedFace("999999", PIN)
    show_pin(face, card, context=None, holder=HOLDER)
    assert face.asked[1].trouble == Said("pin-wrong", {"tries_left": 2})
    assert [question.holder for question in face.asked] == [HOLDER, HOLDER]
    assert len(verifications(transport.sent)) == 2


def test_no_pin_is_asked_for_a_card_that_is_blocked_already() -> None:
    card, transport = scripted_card(BLOCKED)
    face = ScriptedFace()
    with pytest.raises(FlowStopped) as stopped:
        show_pin(face, card, context=None, holder=HOLDER)
    assert stopped.value.said == Said("pin-blocked", {"holder": HOLDER})
    assert verifications(transport.sent) == []


def test_the_try_that_blocks_ends_the_asking() -> None:
    card, _ = scripted_card(answer(0x63C1), BLOCKED)
    with pytest.raises(FlowStopped) as stopped:
        show_pin(ScriptedFace("999999", PIN), card, context=None, holder=HOLDER)
    assert stopped.value.said.code == "pin-blocked"


def test_a_card_that_tells_no_tries_is_asked_all_the_same() -> None:
    card, _ = scripted_card(OK, OK)
    face = ScriptedFace(PIN)
    show_pin(face, card, context=None, holder=HOLDER)
    assert [question.tries_left for question in face.asked] == [None]


def test_a_card_that_is_pulled_while_the_pin_is_typed_costs_no_second_try() -> None:
    """CARD-9."""
    card, transport = scripted_card(THREE_LEFT)
    face = ScriptedFace(PIN)
    with pytest.raises(CardGone):
        show_pin(face, card, context=None, holder=HOLDER)
    assert len(verifications(transport.sent)) == 1


@pytest.fixture
def strict(tmp_path: Path) -> VirtualReader:
    return a_card_in(tmp_path, mode=Mode.strict)


def test_a_strict_card_is_asked_for_another_new_pin_and_keeps_its_tries(strict: VirtualReader) -> None:
    """CARD-7: digits only where the card demands it."""
    face = ScriptedFace(PIN, DIGITS, LETTERS, NEW)
    with PivReader(strict).open_card() as card:
        change_pin(face, card)
    assert face.troubles == [None, "pin-not-taken", None, "pin-not-taken"]
    assert [said.code for said in face.told] == ["pin-changed"]
    assert strict.card_state("anna").pin.tries_left == 3
    with PivReader(strict).open_card() as card:
        card.verify_pin(Pin("135790"))


def test_a_strict_card_is_unblocked_with_digits(strict: VirtualReader) -> None:
    """PIN-2."""
    with PivReader(strict).open_card() as card, pytest.raises(FlowStopped):
        show_pin(ScriptedFace("999999", "999999", "999999"), card, context=None, holder=HOLDER)
    face = ScriptedFace(PUK, LETTERS, PUK, NEW)
    with PivReader(strict).open_card() as card:
        ask_puk_and_unblock(face, card)
    assert [question.trouble.code if question.trouble else None for question in asked(face, AskPuk)] == [
        None,
        "pin-not-taken",
    ]
    assert strict.card_state("anna").puk.tries_left == 3
    with PivReader(strict).open_card() as card:
        card.verify_pin(Pin("135790"))


def test_the_puk_is_asked_until_it_is_right_and_its_tries_are_said(tmp_path: Path) -> None:
    """PIN-3."""
    reader = a_card_in(tmp_path)
    face = ScriptedFace("1234567", "87654321", LETTERS, "1234 5678", LETTERS)
    with PivReader(reader).open_card() as card:
        ask_puk_and_unblock(face, card)
    questions = asked(face, AskPuk)
    assert [question.tries_left for question in questions] == [3, 3, 2]
    assert {question.holder for question in questions} == {HOLDER}
    assert [question.trouble for question in questions] == [
        None,
        Said("puk-unfit"),
        Said("puk-wrong", {"tries_left": 2}),
    ]


def test_a_blocked_puk_stops_and_is_not_asked_for_again(tmp_path: Path) -> None:
    """PIN-4."""
    reader = a_card_in(tmp_path)
    wrong = ["87654321", LETTERS]
    with PivReader(reader).open_card() as card, pytest.raises(FlowStopped) as stopped:
        ask_puk_and_unblock(ScriptedFace(*wrong * 3), card)
    assert stopped.value.said == Said("puk-blocked")
    face = ScriptedFace()
    with PivReader(reader).open_card() as card, pytest.raises(FlowStopped):
        ask_puk_and_unblock(face, card)
    assert face.asked == []


def test_a_person_who_stops_has_changed_nothing(tmp_path: Path) -> None:
    reader = a_card_in(tmp_path)
    before = reader.card_state("anna")
    for act, answers in (
        (change_pin, (PIN, STOP)),
        (ask_puk_and_unblock, (PUK, STOP)),
        (change_pin, (STOP,)),
    ):
        with PivReader(reader).open_card() as card, pytest.raises(Cancelled):
            act(ScriptedFace(*answers), card)
    assert reader.card_state("anna") == before


def test_a_card_is_named_after_its_holder_and_a_blank_one_after_its_serial(tmp_path: Path) -> None:
    """PIN-1: the screen says which card it is."""
    reader = a_card_in(tmp_path)
    face = ScriptedFace(PIN, LETTERS)
    with PivReader(reader).open_card() as card:
        assert holder_on(card) == HOLDER
        change_pin(face, card)
    assert asked(face, AskPin)[0].holder == HOLDER
    assert asked(face, ChoosePin)[0].card_number == HOLDER
    blank, _ = scripted_card(*[answer(0x6A82)] * 30)
    assert holder_on(blank) == "?"
