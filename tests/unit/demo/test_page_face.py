"""The face of the app at a desk: a question waits in one thread for an answer from another."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from cardkit.errors import CardGone
from cardkit.secrets import SMARTCARD_PIN, Puk
from zorgid.demo.workplace.face import PageFace
from zorgid.protocol.links import Browser
from zorgid_desktop.flow.asking import (
    AskPin,
    Cancelled,
    ChoosePin,
    InsertCard,
    KeepPuk,
    Question,
    Said,
    Wanted,
)

PIN = AskPin(None, None, "Sanne", 3, SMARTCARD_PIN)
CARD = InsertCard(None, Wanted.login_card)
CHOOSE = ChoosePin(None, SMARTCARD_PIN, "K1")
PUK = KeepPuk(None, Puk("12345678"))


class Flow:
    """A flow that asks one question in a thread of its own."""

    def __init__(self, question: Question[Any], patience_seconds: float = 60.0) -> None:
        self.changed = Event()
        self.face = PageFace(self.changed.set, patience_seconds=patience_seconds)
        self.pool = ThreadPoolExecutor(1)
        self.outcome: Future[Any] = self.pool.submit(self.face.ask, question)
        assert self.changed.wait(60)

    @property
    def number(self) -> int:
        asked = self.face.seen().asked
        assert asked is not None
        return asked.number

    def ends(self) -> Any:
        try:
            return self.outcome.result(60)
        finally:
            self.pool.shutdown()


def test_an_answer_reaches_the_flow_that_asked() -> None:
    flow = Flow(PIN)
    assert flow.face.seen().is_settled
    flow.face.answer(flow.number, "123456")
    assert not flow.face.seen().is_settled, "from now on it is the app's turn"
    assert flow.ends() == "123456"


def test_an_answer_to_another_question_is_let_go() -> None:
    flow = Flow(PIN)
    flow.face.answer(flow.number + 1, "old page")
    flow.face.cancel(flow.number - 1)
    flow.face.answer(flow.number, "this page")
    assert flow.ends() == "this page"


@pytest.mark.parametrize(
    "end",
    [
        lambda flow: flow.face.cancel(flow.number),
        lambda flow: flow.face.leave(),
    ],
    ids=["cancelled", "left"],
)
def test_who_goes_away_cancels(end: Callable[[Flow], None]) -> None:
    flow = Flow(CARD)
    end(flow)
    with pytest.raises(Cancelled):
        flow.ends()


def test_a_question_that_nobody_answers_ends_by_itself() -> None:
    with pytest.raises(Cancelled):
        Flow(PIN, patience_seconds=0.01).ends()


def test_who_left_is_asked_nothing_more() -> None:
    face = PageFace(lambda: None)
    face.leave()
    with pytest.raises(Cancelled):
        face.ask(PIN)


@pytest.mark.parametrize("question", [PIN, CHOOSE])
def test_a_question_about_a_card_ends_when_that_card_is_pulled(question: Question[Any]) -> None:
    flow = Flow(question)
    flow.face.card_is_out()
    with pytest.raises(CardGone):
        flow.ends()


@pytest.mark.parametrize("question", [CARD, PUK])
def test_other_questions_stay_when_a_card_is_pulled(question: Question[Any]) -> None:
    """The PUK is on the card by then: the person must be able to keep it (CARD-8)."""
    flow = Flow(question)
    flow.face.card_is_out()
    flow.face.answer(flow.number, True)
    assert flow.ends() is True


def test_the_way_on_is_shown_until_the_app_goes_on_and_never_printed() -> None:
    face = PageFace(lambda: None)
    face.open_browser("https://op.example/oauth/complete#handle.code", Browser.default)
    assert face.seen().completion == "https://op.example/oauth/complete#handle.code"
    assert "code" not in repr(face.seen())
    face.tell(Said("logged-in"))
    assert face.seen().completion is None


def test_a_flow_that_ended_says_why() -> None:
    face = PageFace(lambda: None)
    face.tell(Said("watching"))
    assert face.seen().is_watching
    face.end(Said("cancelled"))
    assert face.seen().is_ended
    assert not face.seen().is_watching
    assert face.seen().trouble == Said("cancelled")
