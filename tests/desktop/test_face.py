"""The flow asks in its own thread and waits; the window answers, cancels, or a card does (CARD-1)."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from tests.desktop.driving import until
from tests.unit.desktop.builders import HOLDER, a_card_in

from cardkit.errors import ReaderServiceAbsent
from cardkit.readers import CardReader
from cardkit.secrets import SMARTCARD_PIN
from cardkit.virtual import VirtualReader, VirtualReaders
from zorgid_desktop.flow.asking import AskPin, Cancelled, ChooseCard, InsertCard, Said, SeenCard, Wanted
from zorgid_desktop.flow.choosing import look
from zorgid_desktop.windows.face import Asked, WindowFace

PIN_QUESTION = AskPin(None, None, HOLDER, 3, SMARTCARD_PIN)
LOGIN_CARD = InsertCard(None, Wanted.login_card)


class Asking:
    """A flow's thread with one question."""

    def __init__(self, face: WindowFace, question: Any) -> None:
        self.answer: Any = None
        self._thread = threading.Thread(target=self._ask, args=(face, question), daemon=True)
        self._thread.start()

    def _ask(self, face: WindowFace, question: Any) -> None:
        try:
            self.answer = face.ask(question)
        except Cancelled as cancelled:
            self.answer = cancelled

    def is_over(self) -> bool:
        return not self._thread.is_alive()


@pytest.fixture
def reader(tmp_path: Path) -> VirtualReader:
    reader = a_card_in(tmp_path)
    reader.remove()
    return reader


@pytest.fixture
def face(application: QApplication, reader: VirtualReader) -> WindowFace:
    return WindowFace(VirtualReaders(reader))


@pytest.fixture
def drawn(face: WindowFace) -> Iterator[list[Asked]]:
    """What reached the window."""
    questions: list[Asked] = []
    face.asked.connect(questions.append)
    yield questions
    face.stop()


def test_the_flow_gets_what_the_person_answers(face: WindowFace, drawn: list[Asked]) -> None:
    asking = Asking(face, PIN_QUESTION)
    until(lambda: drawn)
    assert drawn[0].question is PIN_QUESTION
    assert not asking.is_over()
    drawn[0].answer("123456")
    drawn[0].answer("only the first counts")
    until(asking.is_over)
    assert asking.answer == "123456"


def test_stopping_ends_the_open_question_and_all_that_follow(face: WindowFace, drawn: list[Asked]) -> None:
    asking = Asking(face, PIN_QUESTION)
    until(lambda: drawn)
    face.stop()
    until(asking.is_over)
    assert isinstance(asking.answer, Cancelled)
    assert face.is_stopped()
    with pytest.raises(Cancelled):
        face.ask(PIN_QUESTION)


def test_a_message_reaches_the_window(face: WindowFace) -> None:
    told: list[Said] = []
    face.told.connect(told.append)
    face.tell(Said("logged-in"))
    until(lambda: told)
    assert told == [Said("logged-in")]


def test_a_card_that_is_put_in_answers_by_itself(
    face: WindowFace, drawn: list[Asked], reader: VirtualReader
) -> None:
    asking = Asking(face, LOGIN_CARD)
    until(lambda: drawn)
    reader.insert("anna")
    until(asking.is_over)
    assert asking.answer is None


def test_a_fitting_card_that_lies_there_answers_at_once(face: WindowFace, reader: VirtualReader) -> None:
    reader.insert("anna")
    asking = Asking(face, LOGIN_CARD)
    until(asking.is_over)
    assert asking.answer is None


@pytest.mark.parametrize(
    "question",
    [InsertCard(Said("card-gone"), Wanted.login_card), InsertCard(None, Wanted.blank_card)],
    ids=["asked again", "another card wanted"],
)
def test_a_card_that_lay_there_does_not_answer_for_another(
    face: WindowFace, drawn: list[Asked], reader: VirtualReader, question: InsertCard
) -> None:
    reader.insert("anna")
    asking = Asking(face, question)
    until(lambda: drawn)
    reader.remove()
    assert not asking.is_over()
    reader.insert("anna")
    until(asking.is_over)
    assert asking.answer is None


def test_the_button_answers_too(face: WindowFace, drawn: list[Asked]) -> None:
    asking = Asking(face, LOGIN_CARD)
    until(lambda: drawn)
    drawn[0].answer(None)
    until(asking.is_over)
    assert asking.answer is None


def test_stopping_ends_the_wait_for_a_card(face: WindowFace, drawn: list[Asked]) -> None:
    asking = Asking(face, LOGIN_CARD)
    until(lambda: drawn)
    face.stop()
    until(asking.is_over)
    assert isinstance(asking.answer, Cancelled)


class NoService:
    """A computer whose service for readers does not run."""

    def present(self) -> list[CardReader]:
        raise ReaderServiceAbsent

    def wait(self, seconds: float) -> bool:
        raise ReaderServiceAbsent


def test_without_a_service_for_readers_the_button_is_left(application: QApplication) -> None:
    face = WindowFace(NoService())
    drawn: list[Asked] = []
    face.asked.connect(drawn.append)
    asking = Asking(face, LOGIN_CARD)
    until(lambda: drawn)
    drawn[0].answer(None)
    until(asking.is_over)
    assert asking.answer is None


@pytest.fixture
def pointed_at(reader: VirtualReader) -> Callable[[], SeenCard]:
    def see() -> SeenCard:
        reader.insert("anna")
        return look(VirtualReaders(reader)).cards[0]

    return see


def test_a_card_of_the_list_is_not_asked_for(
    reader: VirtualReader, pointed_at: Callable[[], SeenCard]
) -> None:
    seen = pointed_at()
    face = WindowFace(VirtualReaders(reader), chosen=seen)
    other = SeenCard("other", seen.kind, "1", fingerprint="other")
    assert face.ask(InsertCard(None, Wanted.own_card)) is None
    assert face.ask(ChooseCard(None, (other, seen))) == 1
