"""Does to a window what a person does: looks for what is named, types, clicks, and waits for what comes."""

import sys
import threading
import time
import traceback
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
LONGEST_SECONDS = 60


def the_application() -> QApplication:
    """Return Qt's application as the app makes it; a process has one, whichever test asks first."""
    running = QApplication.instance()
    return running if isinstance(running, QApplication) else new_application(Language.nl)


def until(condition: Callable[[], object], seconds: float = LONGEST_SECONDS) -> None:
    """Handle events until the condition holds; fail when it does not in time, with what is seen and done."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not happen in {seconds:.0f} seconds\n{seen()}\n{doing()}"
        QTest.qWait(2)


def until_over(window: FlowWindow) -> None:
    """Wait until the flow of a window has let go of everything: its last word comes before that."""
    thread = window._thread
    assert thread is not None
    until(lambda: not thread.is_alive())


def seen() -> str:
    """Return what every window shows."""
    windows = [one for one in QApplication.topLevelWidgets() if one.isVisible()]
    return "\n".join(f"{one.windowTitle()}: {read(one)}" for one in windows)


def doing() -> str:
    """Return where every other thread is."""
    frames = sys._current_frames()
    others = [one for one in threading.enumerate() if one is not threading.current_thread()]
    stacks = {one.name: traceback.format_stack(frames.get(one.ident or 0), limit=8) for one in others}
    return "\n".join(f"{name}\n{''.join(stack)}" for name, stack in stacks.items())


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
