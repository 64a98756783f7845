"""Which screen draws which question, and which message: two tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from zorgid_desktop.flow.asking import (
    AskBirthDate,
    AskPin,
    AskPuk,
    ChooseCard,
    ChoosePin,
    InsertCard,
    KeepPuk,
    Question,
    Said,
    StartOver,
)
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.paper import Print, print_puk
from zorgid_desktop.windows.screens.address import AddressScreen, BrowserScreen
from zorgid_desktop.windows.screens.birth_date import BirthDateScreen
from zorgid_desktop.windows.screens.choosing import ChooseCardScreen, StartOverScreen
from zorgid_desktop.windows.screens.done import DoneScreen, MadeScreen, WatchingScreen
from zorgid_desktop.windows.screens.insert import InsertScreen
from zorgid_desktop.windows.screens.new_pin import NewPinScreen
from zorgid_desktop.windows.screens.pin import PinScreen, PukScreen
from zorgid_desktop.windows.screens.progress import BusyScreen
from zorgid_desktop.windows.screens.puk import KeepPukScreen
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.tray import Tray
from zorgid_desktop.windows.words import Words


@dataclass(frozen=True)
class Studio:
    """What screens need besides their question."""

    words: Words
    clipboard: OnceOnClipboard
    tray: Tray | None = None
    paper: Print = print_puk


Draw = Callable[[Studio, Any], Screen]

SCREENS: Final[Mapping[type[Question[Any]], Draw]] = {
    InsertCard: lambda studio, asked: InsertScreen(studio.words, asked, studio.tray),
    ChooseCard: lambda studio, asked: ChooseCardScreen(studio.words, asked),
    AskPin: lambda studio, asked: PinScreen(studio.words, asked),
    AskPuk: lambda studio, asked: PukScreen(studio.words, asked),
    AskBirthDate: lambda studio, asked: BirthDateScreen(studio.words, asked),
    ChoosePin: lambda studio, asked: NewPinScreen(studio.words, asked),
    KeepPuk: lambda studio, asked: KeepPukScreen(studio.words, asked, studio.clipboard, studio.paper),
    StartOver: lambda studio, asked: StartOverScreen(studio.words, asked),
}
"""The screen of every question."""

LAST: Final[Mapping[str, Draw]] = {
    "card-made": lambda studio, said: MadeScreen(studio.words, said.facts),
    "pin-changed": lambda studio, said: DoneScreen(studio.words, "done-title", said),
    "logged-in": lambda studio, said: DoneScreen(studio.words, "logged-in-title", said),
    "watching": lambda studio, said: WatchingScreen(studio.words, said, studio.tray),
    "session-ended-by-pull": lambda studio, said: DoneScreen(studio.words, "logged-out-title", said),
    "session-over": lambda studio, said: DoneScreen(studio.words, "logged-out-title", said, kind="note"),
    "session-end-not-told": lambda studio, said: DoneScreen(studio.words, "log-out-title", said, kind="warn"),
}
"""The screen of every message after which nothing is asked any more."""


BETWEEN: Final[Mapping[str, Draw]] = {
    "browser-opened": lambda studio, said: BrowserScreen(studio.words, said, studio.clipboard),
    "open-in-browser": lambda studio, said: AddressScreen(studio.words, said, studio.clipboard),
}
"""The screen of a message on the way that has one of its own."""


def screen_for(studio: Studio, question: Question[Any]) -> Screen:
    """Return the screen that asks a question."""
    return SCREENS[type(question)](studio, question)


def screen_between(studio: Studio, said: Said) -> Screen:
    """Return the screen of a message on the way."""
    draw = BETWEEN.get(said.code)
    return draw(studio, said) if draw is not None else BusyScreen(studio.words, said)


def last_screen_for(studio: Studio, said: Said) -> Screen | None:
    """Return the screen of a message that ends what the person does; None for any other message."""
    draw = LAST.get(said.code)
    return draw(studio, said) if draw is not None else None
