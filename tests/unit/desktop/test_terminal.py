"""The face in a terminal: every question is asked, answered or stopped by what a person types (ALL-1, ALL-4)."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.unit.desktop.builders import HOLDER, PIN, PUK, Terminal, a_blank_in, a_context, an_act

from cardkit.secrets import NIST_PIN, SMARTCARD_PIN, Puk
from zorgid.kernel.sentences import Language
from zorgid_desktop import terminal as terminal_module
from zorgid_desktop.flow.asking import (
    AskBirthDate,
    AskPin,
    AskPuk,
    Cancelled,
    CardKind,
    ChooseCard,
    ChoosePin,
    InsertCard,
    KeepPuk,
    NewPin,
    Question,
    SeenCard,
    StartOver,
    Wanted,
)

NUMBER = "CWZJNVV9C"
TODAY = date(2026, 6, 15)
CHOICE = (
    SeenCard("Links", CardKind.uzi_card, None, "Sanne", "900000123", date(2028, 5, 31), "a", can_log_in=True),
    SeenCard("Rechts", CardKind.blank, "20000001"),
)
LOGIN = a_context(organisation="De Linde")
READ: list[tuple[Question[Any], tuple[str, ...], Any]] = [
    *((InsertCard(None, wanted, number), ("1",), None) for wanted in Wanted for number in (None, NUMBER)),
    (InsertCard(None, Wanted.uzi_card), ("uzi-sanne",), None),
    (ChooseCard(None, CHOICE), ("x", "0", "3", "2"), 1),
    (AskBirthDate(None, HOLDER, "De Linde", TODAY), ("31-3-1980", "ja"), "31-3-1980"),
    (KeepPuk(None, Puk(PUK)), ("ja",), True),
    (KeepPuk(None, Puk(PUK)), ("nee",), False),
    (KeepPuk(None, Puk(PUK)), ("",), False),
    (StartOver(None, NUMBER), ("yes",), True),
    (StartOver(None, NUMBER), ("n",), False),
]
"""What is typed for all to see."""
HIDDEN: list[tuple[Question[Any], tuple[str, ...], Any]] = [
    (AskPin(None, LOGIN, HOLDER, 3, SMARTCARD_PIN), (PIN,), PIN),
    (AskPin(None, LOGIN, HOLDER, 1, SMARTCARD_PIN), (PIN,), PIN),
    (AskPin(None, an_act(), HOLDER, None, SMARTCARD_PIN), (PIN,), PIN),
    (AskPin(None, None, HOLDER, None, SMARTCARD_PIN), (PIN,), PIN),
    (ChoosePin(None, SMARTCARD_PIN, NUMBER), ("Linde24", "Linde25"), NewPin("Linde24", "Linde25")),
    (ChoosePin(None, NIST_PIN, NUMBER), ("123456", "123456"), NewPin("123456", "123456")),
    (AskPuk(None, HOLDER, 2), (PUK,), PUK),
    (AskPuk(None, HOLDER, 1), (PUK,), PUK),
    (AskPuk(None, HOLDER, None), (PUK,), PUK),
]
"""What is typed unseen."""
QUESTIONS = [question for question, _, _ in (*READ, *HIDDEN)]


def a_tray_in(folder: Path) -> None:
    for name in ("leeg-1", "uzi-sanne"):
        a_blank_in(folder, name)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("question", "typed", "hidden", "answer"),
    [
        *((question, typed, (), answer) for question, typed, answer in READ),
        *((question, (), hidden, answer) for question, hidden, answer in HIDDEN),
    ],
)
def test_every_question_is_asked_and_answered_in_both_languages(
    tmp_path: Path,
    language: Language,
    question: Question[Any],
    typed: tuple[str, ...],
    hidden: tuple[str, ...],
    answer: Any,
) -> None:
    a_tray_in(tmp_path)
    terminal = Terminal(tmp_path, *typed, hidden=hidden, language=language)
    assert terminal.face.ask(question) == answer
    assert terminal.shown
    assert "{" not in terminal.screen


def kinds_below(kind: type) -> set[type]:
    return set(kind.__subclasses__()).union(*(kinds_below(below) for below in kind.__subclasses__()))


def test_no_kind_of_question_is_left_without_a_test() -> None:
    assert {type(question) for question in QUESTIONS} == kinds_below(Question)


@pytest.mark.parametrize("end", ["stop", " STOP ", "q", EOFError(), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: type(question).__name__)
def test_a_word_an_end_of_input_or_an_interrupt_cancels_at_every_question(
    question: Question[Any], end: str | BaseException, tmp_path: Path
) -> None:
    a_blank_in(tmp_path)
    terminal = Terminal(tmp_path, end, hidden=(end,))
    with pytest.raises(Cancelled):
        terminal.face.ask(question)
    assert terminal.reader.inserted is None


def test_a_new_pin_can_be_cancelled_when_it_is_asked_again(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, hidden=(PIN, "stop"))
    with pytest.raises(Cancelled):
        terminal.face.ask(ChoosePin(None, SMARTCARD_PIN, NUMBER))


@pytest.mark.parametrize("no", ["", "nee", "no", "jaja", "ok", "1"])
@pytest.mark.parametrize(
    "question", [KeepPuk(None, Puk(PUK)), StartOver(None, NUMBER)], ids=["PUK", "start over"]
)
def test_anything_but_yes_is_no(question: Question[bool], no: str, tmp_path: Path) -> None:
    """CARD-8: a PUK is kept when somebody says so."""
    assert Terminal(tmp_path, no).face.ask(question) is False
    for yes in ("ja", "J", " yes ", "Y"):
        assert Terminal(tmp_path, yes).face.ask(question) is True


@pytest.mark.parametrize(("question", "typed", "answer"), HIDDEN)
def test_pin_and_puk_are_typed_unseen_and_never_shown(
    tmp_path: Path, question: Question[Any], typed: tuple[str, ...], answer: Any
) -> None:
    """ALL-4."""
    terminal = Terminal(tmp_path, hidden=typed)
    terminal.face.ask(question)
    assert len(terminal.hidden_prompts) == len(typed)
    assert not [secret for secret in typed if secret in terminal.screen]


def test_hidden_lines_are_read_with_getpass() -> None:
    """ALL-4: what it reads is neither on the screen nor in a history."""
    defaults = terminal_module.TerminalFace.__init__.__kwdefaults__
    assert defaults["read_hidden"] is terminal_module.getpass.getpass


@pytest.mark.parametrize("secret", [PIN, PUK, "1234 5678"])
def test_neither_a_question_nor_its_answer_prints_a_secret(secret: str) -> None:
    """ALL-4."""
    values = [*QUESTIONS, NewPin(PIN, PIN)]
    assert [value for value in values if secret in f"{value!r} {value!s}"] == []


@pytest.mark.parametrize(
    "typed", [["0", "3", "-1", "²", "x", "", "../leeg-1", "2"], ["9" * 400, "uzi-sanne"]]
)
def test_a_card_is_asked_until_one_of_the_tray_is_named(tmp_path: Path, typed: list[str]) -> None:
    a_tray_in(tmp_path)
    terminal = Terminal(tmp_path, *typed)
    terminal.face.ask(InsertCard(None, Wanted.uzi_card))
    assert terminal.reader.inserted == "uzi-sanne"


@pytest.mark.parametrize("language", Language)
def test_two_smartcards_of_one_holder_are_chosen_by_their_chips(tmp_path: Path, language: Language) -> None:
    """ALL-2."""
    one, other = (
        SeenCard(reader, CardKind.smartcard, serial, HOLDER, "900000123", date(2029, 6, 15))
        for reader, serial in (("Links", "20000001"), ("Rechts", "20000002"))
    )
    terminal = Terminal(tmp_path, "2", language=language)
    assert terminal.face.ask(ChooseCard(None, (one, other))) == 1
    assert [seen.serial in terminal.screen for seen in (one, other) if seen.serial] == [True, True]


def test_a_birth_date_is_said_back_and_asked_again_when_it_is_not_right(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "3-1-1980", "nee", "1-3-1980", "ja")
    assert terminal.face.ask(AskBirthDate(None, HOLDER, "De Linde", TODAY)) == "1-3-1980"
    assert "dag 3, maand 1, jaar 1980" in terminal.screen
    assert "dag 1, maand 3, jaar 1980" in terminal.screen


@pytest.mark.parametrize("typed", ["gisteren", "15-3-2030", "16-6-2026", "31-12-1899"])
def test_what_cannot_be_a_birth_date_is_handed_on_without_a_second_look(typed: str, tmp_path: Path) -> None:
    """CARD-1: the flow says why it is none, and asks again."""
    terminal = Terminal(tmp_path, typed)
    assert terminal.face.ask(AskBirthDate(None, HOLDER, "De Linde", TODAY)) == typed
    assert "maand" not in terminal.screen
