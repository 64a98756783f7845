"""Does to a window what a person does: looks for what is named, types, clicks, and waits for what comes."""

import time
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget

from zorgid.kernel.sentences import Language
from zorgid_desktop.windows.app import new_application
from zorgid_desktop.windows.flow_window import FlowWindow
from zorgid_desktop.windows.screens.screen import Screen

Kind = TypeVar("Kind", bound=QWidget)
Wanted = TypeVar("Wanted", bound=Screen)
LONGEST_SECONDS = 30


def the_application() -> QApplication:
    """Return Qt's application as the app makes it; a process has one, whichever test asks first."""
    running = QApplication.instance()
    return running if isinstance(running, QApplication) else new_application(Language.nl)


def until(condition: Callable[[], object], seconds: float = LONGEST_SECONDS) -> None:
    """Handle events until the condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        QTest.qWait(2)


def shown(window: QWidget, kind: type[Kind]) -> list[Kind]:
    """Return what of a kind can be seen in a window."""
    return [one for one in window.findChildren(kind) if one.isVisible()]


def press(window: QWidget, name: str) -> None:
    """Press the button, or tick the box, with this name."""
    (button,) = (one for one in shown(window, QAbstractButton) if one.accessibleName() == name)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(24, button.height() // 2))


def type_in(edit: QLineEdit, text: str) -> None:
    """Type a text in a field."""
    edit.setFocus()
    QTest.keyClicks(edit, text)


def key(widget: QWidget, which: Qt.Key) -> None:
    """Press one key."""
    QTest.keyClick(widget, which)


def read(window: QWidget) -> str:
    """Return every text that can be seen."""
    return "\n".join(label.text() for label in shown(window, QLabel))


def screen_of(window: FlowWindow, kind: type[Wanted]) -> Wanted:
    """Wait until the window shows a screen of a kind, and return it."""
    until(lambda: isinstance(window.screen_now, kind) and window.screen_now.isVisible())
    assert isinstance(window.screen_now, kind)
    return window.screen_now


def focused() -> QWidget | None:
    """Return what has the focus."""
    return QApplication.focusWidget()
