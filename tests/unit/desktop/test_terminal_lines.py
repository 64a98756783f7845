"""What a terminal is given to read: lines that fit, addresses that stay whole, and words that are nobody's command."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.desktop.builders import HOLDER, PIN, PUK, Terminal, a_blank_in, a_context, an_act

from cardkit.secrets import SMARTCARD_PIN, Puk
from zorgid.kernel.sentences import Language, Sentence
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
    Said,
    SeenCard,
    StartOver,
    Told,
    Wanted,
)
from zorgid_desktop.terminal import NARROWEST
from zorgid_desktop.texts import catalogue

NUMBER = "CWZJNVV9C"
COLUMNS = [1, 2, 20, 40, 80, 200]
QUESTIONS: list[Question[Any]] = [
    *(InsertCard(None, wanted, number) for wanted in Wanted for number in (None, NUMBER)),
    ChooseCard(None, (SeenCard("Links", CardKind.blank, "20000001"),)),
    AskPin(None, a_context(organisation="De Linde"), HOLDER, 3, SMARTCARD_PIN),
    AskPin(None, an_act(), HOLDER, None, SMARTCARD_PIN),
    AskBirthDate(None, HOLDER, "De Linde"),
    ChoosePin(None, SMARTCARD_PIN, NUMBER),
    KeepPuk(None, Puk(PUK)),
    AskPuk(None, HOLDER, 1),
    StartOver(None, NUMBER),
]


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


@pytest.mark.parametrize("secret", [PIN, PUK, "1234 5678"])
def test_neither_a_question_nor_its_answer_prints_a_secret(secret: str) -> None:
    """ALL-4."""
    values = [*QUESTIONS, NewPin(PIN, PIN)]
    assert [value for value in values if secret in f"{value!r} {value!s}"] == []


def test_hidden_lines_are_read_with_getpass() -> None:
    """ALL-4: what it reads is neither on the screen nor in a history."""
    defaults = terminal_module.TerminalFace.__init__.__kwdefaults__
    assert defaults["read_hidden"] is terminal_module.getpass.getpass


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("language", list(Language))
def test_an_address_is_never_broken(
    columns: int, language: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    address = "http://localhost:8600/oauth/complete#AAECAwQFBgcICQoLDA0ODw." + "A-b_" * 10 + "xyz"
    terminal = Terminal(tmp_path, language=language)
    terminal.face.tell(Said("open-in-browser", {"address": address}))
    lines = "\n".join(terminal.shown).splitlines()
    assert [line.strip() for line in lines if "http" in line] == [address]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("code", sorted(catalogue().codes()))
def test_every_text_fits_the_terminal_and_loses_no_word(
    columns: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    facts = dict.fromkeys(catalogue().names_in(code), "FACT")
    terminal = Terminal(tmp_path)
    terminal.face.explain(Said(code, facts))
    lines = "\n".join(terminal.shown).splitlines()
    assert [line for line in lines if len(line) > max(columns - 1, NARROWEST) and len(line.split()) > 2] == []
    text = catalogue().sentence(code, facts, Language.nl)
    words = re.sub(r"(?m)^! ", "", "\n".join(terminal.shown)).split()
    assert words == f"{text.text} {text.next_step}".split()


def test_what_went_wrong_is_said_first_and_the_context_is_not_shown_again(tmp_path: Path) -> None:
    """PIN-1: the tries that are left are said before the next one."""
    terminal = Terminal(tmp_path, hidden=(PIN,))
    trouble = Said("pin-wrong", {"tries_left": 2})
    terminal.face.ask(AskPin(trouble, a_context(), HOLDER, 2, SMARTCARD_PIN))
    assert terminal.shown[1] == "! Deze pincode is niet goed. U kunt het nog 2 keer proberen."
    assert terminal.hidden_prompts == ["Pincode (nog 2 keer): "]
    assert "Demo-HIS" not in terminal.screen


def test_words_of_others_are_never_read_as_places_for_facts(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, hidden=(PIN,))
    told = Told("x", Sentence("Kaart {0} is al gebruikt.", "Neem {card_number}."))
    terminal.face.ask(AskPin(told, None, "{tries_left}", 3, SMARTCARD_PIN))
    for words in ("Kaart {0} is al gebruikt.", "Neem {card_number}.", "kaart van {tries_left}."):
        assert words in terminal.screen
    shown = a_context(care_application="{app_key}", organisation="{}")
    terminal = Terminal(tmp_path, hidden=(PIN,))
    terminal.face.ask(AskPin(None, shown, "{holder}", 3, SMARTCARD_PIN))
    for words in ("loggen bij {app_key}.", "Het gaat om {}.", "kaart van {holder}."):
        assert words in terminal.screen


def test_a_login_is_shown_as_one_whatever_else_its_context_says(tmp_path: Path) -> None:
    """LOGIN-5: who asks, for whom, where, and how to stop."""
    terminal = Terminal(tmp_path, hidden=(PIN,))
    shown = a_context(organisation="De Linde", act="Iets anders")
    terminal.face.ask(AskPin(None, shown, HOLDER, 3, SMARTCARD_PIN))
    assert [line for line in terminal.shown if line][:6] == [
        "ZORG-ID vraagt u om in te loggen bij Demo-HIS.",
        "Klopt dat niet? Breek dan af.",
        "Het gaat om De Linde.",
        "Dit gebeurt op https://id.example.",
        "Met stop breekt u af, bij elke vraag.",
        f"\nTyp de pincode van de kaart van {HOLDER}.",
    ]


def test_a_birth_date_is_said_back_and_asked_again_when_it_is_not_right(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "3-1-1980", "nee", "1-3-1980", "ja")
    assert terminal.face.ask(AskBirthDate(None, HOLDER, "De Linde")) == "1-3-1980"
    assert "dag 3, maand 1, jaar 1980" in terminal.screen
    assert "dag 1, maand 3, jaar 1980" in terminal.screen


def test_a_birth_date_that_cannot_be_read_is_handed_on(tmp_path: Path) -> None:
    assert Terminal(tmp_path, "gisteren").face.ask(AskBirthDate(None, HOLDER, "De Linde")) == "gisteren"
