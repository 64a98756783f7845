"""The window of a flow: what is shown when, and how a person stops it (CARD-9, ALL-2)."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from tests.desktop.driving import key, press, read, screen_of, type_in, until
from tests.desktop.examples import ADDRESS, MADE, NoReaders, a_context

from cardkit.secrets import SMARTCARD_PIN
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import AskPin, Cancelled, Said
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.windows import flow_window
from zorgid_desktop.windows.app import Desk
from zorgid_desktop.windows.card_list import Turn
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.drawing import Studio
from zorgid_desktop.windows.face import WindowFace
from zorgid_desktop.windows.flow_window import FlowWindow, Work
from zorgid_desktop.windows.screens.done import DoneScreen, MadeScreen, StoppedScreen
from zorgid_desktop.windows.screens.insert import InsertScreen
from zorgid_desktop.windows.screens.pin import PinScreen
from zorgid_desktop.windows.screens.progress import MakingScreen
from zorgid_desktop.windows.words import Words
from zorgid_desktop.windows.work import acting

SECRET = "Linde24"
PIN_QUESTION = AskPin(None, a_context(Language.nl), "Sanne", 3, SMARTCARD_PIN)
Open = Callable[[Work], FlowWindow]


class Gate:
    """Holds a flow up until the test lets it go on."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def wait(self) -> None:
        assert self._event.wait(30)

    def open(self) -> None:
        self._event.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def opened(application: QApplication) -> Open:
    def open_window(work: Work) -> FlowWindow:
        studio = Studio(Words(Language.nl), OnceOnClipboard(application.clipboard(), lambda _, __: None))
        window = FlowWindow(studio, WindowFace(NoReaders()), now=lambda: 100.0)
        window.show()
        window.begin(work)
        return window

    return open_window


def outcome_of(window: FlowWindow) -> list[Any]:
    outcomes: list[Any] = []
    window.ended.connect(outcomes.append)
    return outcomes


def test_a_question_is_drawn_and_its_answer_goes_to_the_flow(opened: Open) -> None:
    answers: list[str] = []
    window = opened(lambda face: answers.append(face.ask(PIN_QUESTION)))
    screen = screen_of(window, PinScreen)
    type_in(screen.edit, SECRET)
    press(window, "Bevestig")
    until(lambda: answers)
    assert answers == [SECRET]
    until(lambda: not window.isVisible())


def test_what_was_typed_is_gone_when_the_person_stops(opened: Open) -> None:
    window = opened(lambda face: face.ask(PIN_QUESTION) and None)
    screen = screen_of(window, PinScreen)
    forgotten: list[str] = []
    forget = screen.forget

    def noticed() -> None:
        forget()
        forgotten.append(screen.edit.text())

    screen.forget = noticed
    type_in(screen.edit, SECRET)
    press(window, "Annuleer")
    screen_of(window, StoppedScreen)
    assert forgotten == [""]
    assert SECRET not in read(window)


@pytest.mark.parametrize(
    ("act", "button"), [("change-pin", "Pincode veranderen"), ("unblock-pin", "Deblokkeren met pukcode")]
)
def test_who_stops_at_a_pin_is_sent_to_the_button_where_that_began(
    opened: Open, act: str, button: str
) -> None:
    window = opened(acting(act, Turn()))
    screen_of(window, InsertScreen)
    press(window, "Annuleer")
    screen = screen_of(window, StoppedScreen)
    assert screen.title == "U bent gestopt"
    assert f"Kies in de lijst met kaarten weer {button}." in read(window)


def test_a_refusal_stays_until_it_is_closed(opened: Open) -> None:
    def work(_: WindowFace) -> None:
        raise FlowStopped(Said("pin-blocked", {"holder": "Sanne"}))

    window = opened(work)
    outcomes = outcome_of(window)
    screen_of(window, StoppedScreen)
    until(lambda: outcomes)
    assert outcomes[0].code == "pin-blocked"
    assert "Deblokkeren met pukcode" in read(window)
    assert window.windowTitle().startswith("Let op: ")
    press(window, "Sluiten")
    assert not window.isVisible()


def test_an_unforeseen_error_shows_a_reference_and_nothing_of_its_words(
    opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_: WindowFace) -> None:
        raise RuntimeError(f"the PIN is {SECRET}")

    window = opened(work)
    screen_of(window, StoppedScreen)
    assert "RuntimeError/" in read(window)
    assert SECRET not in read(window) + "".join(capsys.readouterr())


def test_progress_names_the_step_and_the_time(opened: Open, gate: Gate) -> None:
    def work(face: WindowFace) -> None:
        face.tell(Said("step-preparing"))
        face.tell(Said("step-keys"))
        gate.wait()

    window = opened(work)
    screen = screen_of(window, MakingScreen)
    until(lambda: "Stap 2 van 5" in read(window))
    assert "✓ klaar: De kaart wordt klaargemaakt" in read(window)
    assert "▶ bezig: De kaart maakt drie sleutels" in read(window)
    assert "○ straks: De kaart krijgt een pukcode" in read(window)
    screen._now = lambda: 165.0
    screen.tick()
    assert "1 min 5 s" in read(window)


def test_whoever_closes_the_window_while_a_card_is_written_waits_until_that_is_safe(
    opened: Open, gate: Gate
) -> None:
    ended: list[type[BaseException]] = []

    def work(face: WindowFace) -> None:
        face.tell(Said("step-keys"))
        gate.wait()
        try:
            face.ask(PIN_QUESTION)
        except Cancelled:
            ended.append(Cancelled)
            raise

    window = opened(work)
    screen_of(window, MakingScreen)
    window.close()
    assert window.isVisible()
    assert "Wij stoppen zodra het veilig kan" in read(window)
    gate.open()
    until(lambda: not window.isVisible())
    assert ended == [Cancelled]


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (Said("proved", {"full_name": "Sanne"}), "Dank u, Sanne"),
        (Said("browser-opened", {"address": ADDRESS}), "wij hebben uw browser geopend"),
        (Said("open-in-browser", {"address": ADDRESS}), "Wij konden uw browser niet openen"),
    ],
)
def test_a_flow_that_waits_for_the_browser_can_be_left_at_once(
    opened: Open, gate: Gate, said: Said, seen: str
) -> None:
    def work(face: WindowFace) -> None:
        face.tell(said)
        gate.wait()

    window = opened(work)
    until(lambda: seen in read(window))
    assert not window.is_active
    window.close()
    assert not window.isVisible()


@pytest.mark.parametrize(
    ("said", "kind"), [(Said("card-made", MADE), MadeScreen), (Said("pin-changed"), DoneScreen)]
)
def test_a_good_end_stays_until_it_is_closed(opened: Open, said: Said, kind: type[DoneScreen]) -> None:
    window = opened(lambda face: face.tell(said))
    outcomes = outcome_of(window)
    screen_of(window, kind)
    until(lambda: outcomes)
    assert outcomes == [None]
    assert window.isVisible()
    key(window, Qt.Key.Key_Escape)
    assert not window.isVisible()


def test_an_enter_too_many_presses_nothing(opened: Open, gate: Gate) -> None:
    """Where a page comes by itself, the focus begins at its title."""

    def work(face: WindowFace) -> None:
        face.tell(Said("step-keys"))
        gate.wait()

    window = opened(work)
    screen_of(window, MakingScreen)
    key(QApplication.focusWidget() or window, Qt.Key.Key_Return)
    assert not window.face.is_stopped()


@pytest.mark.parametrize("code", ["watching", "session-end-not-told", "session-over"])
def test_a_window_that_only_watches_a_card_can_be_closed_at_once(opened: Open, gate: Gate, code: str) -> None:
    def work(face: WindowFace) -> None:
        face.tell(Said(code, {"reader": "x"}))
        gate.wait()

    window = opened(work)
    screen_of(window, DoneScreen)
    assert not window.is_active
    key(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
    assert window.face.is_stopped()


def test_a_window_that_cannot_be_drawn_leaves_the_desk_free(
    application: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or every later link would be told to wait, for as long as the app runs."""
    clipboard = OnceOnClipboard(application.clipboard(), lambda _, __: None)
    desk = Desk(Words(Language.nl), NoReaders, None, clipboard)
    monkeypatch.setattr(flow_window, "BusyScreen", Mock(side_effect=RuntimeError("no picture")))
    with pytest.raises(RuntimeError, match="no picture"):
        desk.start(lambda _: None)
    assert not desk.is_busy()
