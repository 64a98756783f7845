"""The face in a terminal: every question in both languages, with what a person types (ALL-1, PIN-1)."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cardkit.secrets import NIST_PIN, SMARTCARD_PIN, Puk
from cardkit.virtual import VirtualReader, VirtualReaders, make_blank_card
from zorgid.kernel.sentences import Language, Sentence
from zorgid.protocol.context import Context, MeansUsed, Purpose, sha256_of_act
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
from zorgid_desktop.terminal import TerminalFace
from zorgid_desktop.texts import sentence

ACT = "U maakt een ZORG-ID Smartcard op uw eigen naam."


def context(**facts: Any) -> Context:
    fields: dict[str, Any] = {
        "origin": "https://id.example",
        "care_application": "Demo-HIS",
        "purpose": Purpose.login,
        "accepts": tuple(MeansUsed),
        "expires_at": datetime(2026, 6, 15, tzinfo=UTC),
        "app_key": "A" * 43,
    }
    return Context(**{**fields, **facts})


class Terminal:
    """A terminal in which somebody types these lines, one after the other."""

    def __init__(self, folder: Path, typed: Iterable[str] = (), *, language: Language = Language.nl) -> None:
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self._typed = iter(typed)
        self.reader = VirtualReader(folder)
        for number, name in enumerate(("leeg-1", "uzi-sanne"), start=1):
            if name not in self.reader.cards:
                self.reader.add(name, make_blank_card(number))
        self.face = TerminalFace(
            VirtualReaders(self.reader),
            language,
            tray=self.reader,
            show=self.shown.append,
            read=self._read,
            read_hidden=self._read_hidden,
        )

    def _read(self, prompt: str) -> str:
        self.shown.append(prompt)
        try:
            return next(self._typed)
        except StopIteration:
            raise EOFError from None

    def _read_hidden(self, prompt: str) -> str:
        self.hidden.append(prompt)
        return self._read(prompt)

    @property
    def text(self) -> str:
        return "\n".join(self.shown)


PUK = Puk("12345678")
CHOICE = (
    SeenCard("Links", CardKind.uzi_card, None, "Sanne", "900000123", date(2028, 5, 31), "a", can_log_in=True),
    SeenCard("Rechts", CardKind.blank, "20000001"),
)
SAID_OF_PINS = (("pin-wrong", {"tries_left": 2}), ("ask-pin", {"holder": "Sanne", "tries_left": 2}))
QUESTIONS: list[tuple[Question[Any], list[str], Any]] = [
    (InsertCard(None, Wanted.login_card), ["1"], None),
    (InsertCard(None, Wanted.uzi_card), ["uzi-sanne"], None),
    (InsertCard(None, Wanted.blank_card), ["1"], None),
    (InsertCard(None, Wanted.blank_card, "CWZJNVV9C"), ["1"], None),
    (InsertCard(None, Wanted.new_card, "CWZJNVV9C"), ["1"], None),
    (InsertCard(None, Wanted.own_card), ["1"], None),
    (ChooseCard(None, CHOICE), ["x", "0", "3", "2"], 1),
    (AskPin(None, context(), "Sanne", 3, SMARTCARD_PIN), ["123456"], "123456"),
    (AskPin(None, context(), "Sanne", 1, SMARTCARD_PIN), ["123456"], "123456"),
    (AskPin(None, None, "Sanne", None, SMARTCARD_PIN), ["123456"], "123456"),
    (AskBirthDate(None, "Sanne", "De Linde"), ["31-3-1980", "ja"], "31-3-1980"),
    (ChoosePin(None, SMARTCARD_PIN, "CWZJNVV9C"), ["Linde24", "Linde25"], NewPin("Linde24", "Linde25")),
    (ChoosePin(None, NIST_PIN, "CWZJNVV9C"), ["123456", "123456"], NewPin("123456", "123456")),
    (KeepPuk(None, PUK), ["ja"], True),
    (KeepPuk(None, PUK), ["nee"], False),
    (KeepPuk(None, PUK), [""], False),
    (AskPuk(None, "Sanne", 2), ["12345678"], "12345678"),
    (AskPuk(None, "Sanne", None), ["12345678"], "12345678"),
    (StartOver(None, "CWZJNVV9C"), ["yes"], True),
    (StartOver(None, "CWZJNVV9C"), ["n"], False),
]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("question", "typed", "answer"), QUESTIONS)
def test_every_question_is_asked_and_answered_in_both_languages(
    tmp_path: Path, language: Language, question: Question[Any], typed: list[str], answer: Any
) -> None:
    terminal = Terminal(tmp_path, typed, language=language)
    assert terminal.face.ask(question) == answer
    assert terminal.text
    assert "{" not in terminal.text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    "question", [AskPin(None, None, "Sanne", 3, SMARTCARD_PIN), AskPuk(None, "Sanne", 3)]
)
def test_a_pin_and_a_puk_are_asked_by_the_name_of_the_holder(
    tmp_path: Path, language: Language, question: Question[str]
) -> None:
    """PIN-1: a PUK typed for another card costs that card a try."""
    terminal = Terminal(tmp_path, ["12345678"], language=language)
    terminal.face.ask(question)
    assert "Sanne" in terminal.text


@pytest.mark.parametrize(("question", "typed", "answer"), QUESTIONS)
@pytest.mark.parametrize("word", ["stop", "STOP ", "q", None])
def test_every_question_can_be_stopped(
    tmp_path: Path, question: Question[Any], typed: list[str], answer: Any, word: str | None
) -> None:
    terminal = Terminal(tmp_path, [word] if word else [])
    with pytest.raises(Cancelled):
        terminal.face.ask(question)


@pytest.mark.parametrize(
    ("question", "typed"),
    [
        (question, typed)
        for question, typed, _ in QUESTIONS
        if isinstance(question, AskPin | ChoosePin | AskPuk)
    ],
)
def test_pin_and_puk_are_typed_unseen_and_never_shown(
    tmp_path: Path, question: Question[Any], typed: list[str]
) -> None:
    """ALL-4."""
    terminal = Terminal(tmp_path, typed)
    terminal.face.ask(question)
    assert len(terminal.hidden) == len(typed)
    assert not [secret for secret in typed if secret in terminal.text]


def test_the_puk_is_shown_in_groups_of_four(tmp_path: Path) -> None:
    """CARD-8."""
    terminal = Terminal(tmp_path, ["ja"])
    terminal.face.ask(KeepPuk(None, PUK))
    assert "1234 5678" in terminal.text


def test_a_question_that_is_asked_again_says_first_what_was_wrong(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, ["123456"])
    trouble = Said("pin-wrong", {"tries_left": 2})
    terminal.face.ask(AskPin(trouble, context(), "Sanne", 2, SMARTCARD_PIN))
    wrong, question = (sentence(Said(code, facts), Language.nl) for code, facts in SAID_OF_PINS)
    assert terminal.text.index(wrong.text) < terminal.text.index(question.text)


def test_a_refusal_of_the_platform_is_shown_as_it_came(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.face.explain(
        Told("blank-card-used", Sentence("Deze kaart is gebruikt.", "Neem een andere kaart."))
    )
    assert "! Deze kaart is gebruikt." in terminal.text
    assert "! Neem een andere kaart." in terminal.text


@pytest.mark.parametrize(
    "typed", [["0", "3", "-1", "²", "x", "", "../leeg-1", "2"], ["9" * 400, "uzi-sanne"]]
)
def test_a_card_is_asked_until_one_of_the_tray_is_named(tmp_path: Path, typed: list[str]) -> None:
    terminal = Terminal(tmp_path, typed)
    terminal.face.ask(InsertCard(None, Wanted.uzi_card))
    assert terminal.reader.inserted == "uzi-sanne"


@pytest.mark.parametrize("language", Language)
def test_what_is_confirmed_is_shown_before_the_pin_is_asked(tmp_path: Path, language: Language) -> None:
    """LOGIN-6, protocols.md 7.4, step 4."""
    terminal = Terminal(tmp_path, ["123456"], language=language)
    shown = context(organisation="De Linde")
    terminal.face.ask(AskPin(None, shown, "Sanne", 3, SMARTCARD_PIN))
    before_pin = terminal.text[: terminal.text.index("Sanne")]
    for part in ("Demo-HIS", "De Linde", "https://id.example"):
        assert part in before_pin


def test_an_act_is_shown_word_for_word(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, ["123456"])
    shown = context(purpose=Purpose.make_card, act=ACT, act_sha256=sha256_of_act(ACT))
    terminal.face.ask(AskPin(None, shown, "Sanne", 3, SMARTCARD_PIN))
    assert ACT in " ".join(terminal.text.split())


def test_tries_are_shown_where_the_card_tells_them(tmp_path: Path) -> None:
    """PIN-1."""
    for tries_left in (2, None):
        terminal = Terminal(tmp_path, ["123456"])
        terminal.face.ask(AskPin(None, None, "Sanne", tries_left, SMARTCARD_PIN))
        assert ("2" in terminal.text) is (tries_left == 2)


def test_progress_is_told(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.face.tell(Said("card-reserved", {"card_number": "CWZJNVV9C"}))
    assert "CWZJNVV9C" in terminal.text
