"""A making in the windows, from the first question to the card in use: by keyboard, cards noticed by themselves."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from tests.desktop.driving import (
    key,
    press,
    read,
    screen_of,
    type_in,
    until,
    until_over,
)
from tests.scenarios.checks import one_good_card
from tests.scenarios.world import EMPLOYEE, NEW_PIN, Scenario

from cardkit.virtual import VirtualReaders
from zorgid.kernel.sentences import Language
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.drawing import Studio
from zorgid_desktop.windows.face import WindowFace
from zorgid_desktop.windows.flow_window import FlowWindow
from zorgid_desktop.windows.screens.birth_date import BirthDateScreen
from zorgid_desktop.windows.screens.done import MadeScreen, StoppedScreen
from zorgid_desktop.windows.screens.insert import InsertScreen
from zorgid_desktop.windows.screens.new_pin import NewPinScreen
from zorgid_desktop.windows.screens.pin import PinScreen
from zorgid_desktop.windows.screens.puk import KeepPukScreen
from zorgid_desktop.windows.words import Words

Open = Callable[[Language], FlowWindow]


@pytest.fixture
def opened(application: QApplication, world: Scenario) -> Open:
    def open_window(language: Language) -> FlowWindow:
        clipboard = OnceOnClipboard(application.clipboard(), alarm=lambda _, __: None)
        window = FlowWindow(Studio(Words(language), clipboard), WindowFace(VirtualReaders(world.reader)))
        window.show()
        window.begin(world.make)
        return window

    return open_window


def type_pin(window: FlowWindow, pin: str) -> PinScreen:
    screen = screen_of(window, PinScreen)
    type_in(screen.edit, pin)
    key(screen.edit, Qt.Key.Key_Return)
    until(lambda: window.screen_now is not screen)
    assert screen.edit.text() == ""
    return screen


def say_birth_date(window: FlowWindow, shown_as: str) -> None:
    screen = screen_of(window, BirthDateScreen)
    day, month, year = screen.edits
    for edit, text in ((day, "31"), (month, "3"), (year, "1980")):
        type_in(edit, text)
    key(year, Qt.Key.Key_Return)
    assert shown_as in read(window)
    key(window.focusWidget(), Qt.Key.Key_Return)


def choose_pin(window: FlowWindow, first: str, second: str) -> NewPinScreen:
    screen = screen_of(window, NewPinScreen)
    until(lambda: window.screen_now is screen)
    type_in(screen.edit, first)
    key(screen.edit, Qt.Key.Key_Return)
    assert screen.again.hasFocus()
    type_in(screen.again, second)
    key(screen.again, Qt.Key.Key_Return)
    until(lambda: window.screen_now is not screen)
    return screen


TEXTS = {
    Language.nl: ("31 maart 1980", "Ik heb de pukcode bewaard", "Verder", "Kopieer"),
    Language.en: ("31 March 1980", "I have kept the PUK", "Continue", "Copy"),
}


@pytest.mark.parametrize("language", Language)
def test_a_card_is_made_in_windows(
    world: Scenario, opened: Open, language: Language, tmp_path: Path, application: QApplication
) -> None:
    """CARD-1, CARD-7, CARD-8, CARD-11, PIN-1."""
    blank = world.blank()
    maker = world.maker(EMPLOYEE, blank)
    day, kept, go_on, copy = TEXTS[language]
    window = opened(language)
    screen_of(window, InsertScreen)
    world.reader.insert(f"uzi-{EMPLOYEE}")

    screen_of(window, PinScreen)
    assert "http://localhost:8600" in read(window)
    type_pin(window, "999999")
    until(lambda: isinstance(window.screen_now, PinScreen) and window.screen_now.trouble is not None)
    type_pin(window, maker.pin)

    say_birth_date(window, day)
    screen_of(window, InsertScreen)
    world.reader.remove()
    world.reader.insert(blank)

    choose_pin(window, NEW_PIN, "Linde25")
    choose_pin(window, NEW_PIN, NEW_PIN)
    puk_screen = screen_of(window, KeepPukScreen)
    puk = puk_screen.code.text().replace(" ", "")
    world.secrets |= {puk, puk_screen.code.text()}
    assert len(puk) == 8
    press(window, copy)
    assert application.clipboard().text() == puk
    press(window, go_on)
    assert window.screen_now is puk_screen
    press(window, kept)
    press(window, go_on)

    made = screen_of(window, MadeScreen)
    assert puk not in read(window)
    assert "Huisartsenpraktijk De Linde" in read(window)
    made._choose = lambda _, name, __: tmp_path / name
    made._save()
    (file,) = tmp_path.glob("*.ics")
    assert "BEGIN:VALARM" in file.read_text()
    until_over(window)  # it takes the card out of the reader
    one_good_card(world, EMPLOYEE, maker)
    key(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
    assert all(pin not in text for pin in (maker.pin, NEW_PIN) for text in [file.read_text()])


def test_a_person_who_presses_escape_stops_and_can_go_on_later(world: Scenario, opened: Open) -> None:
    """Nothing half-made is valid, and nothing was done to the card (CARD-9)."""
    blank = world.blank()
    maker = world.maker(EMPLOYEE, blank)
    window = opened(Language.nl)
    screen_of(window, InsertScreen)
    world.reader.insert(f"uzi-{EMPLOYEE}")
    type_pin(window, maker.pin)
    say_birth_date(window, "31 maart 1980")
    state = world.reader.card_state(blank)
    screen_of(window, InsertScreen)
    key(window.screen_now, Qt.Key.Key_Escape)
    screen_of(window, StoppedScreen)
    assert "U hebt dit afgebroken" in read(window)
    assert world.reader.card_state(blank) == state
    until_over(window)
    world.make(maker)
    one_good_card(world, EMPLOYEE, maker)
