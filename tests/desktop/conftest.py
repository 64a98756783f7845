"""One Qt application for all tests of the windows, drawn on no screen; and a way to wait for what happens in it."""

import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from tests.desktop.driving import end_windows, the_application, until

from zorgid_desktop.windows.window import Window


@pytest.fixture(scope="session")
def application() -> QApplication:
    """Qt's application, as the app makes it."""
    return the_application()


@pytest.fixture(autouse=True)
def nothing_left(application: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End what windows a test opened, and leave the clipboard empty.

    As in the app, cycles are collected on Qt's thread only: a widget that ends on another one ends the program.
    Windows are remembered as they are made: asking Qt for them at the end brings back half-ended ones.
    """
    opened: list[QWidget] = []
    make = Window.__init__

    def remembered(window: Window, *given: Any, **named: Any) -> None:
        make(window, *given, **named)
        opened.append(window)

    monkeypatch.setattr(Window, "__init__", remembered)
    gc.disable()
    yield
    application.clipboard().clear()
    end_windows(opened)
    gc.enable()


@pytest.fixture
def soon() -> Callable[[Callable[[], object]], None]:
    """Handle Qt's events until a condition holds."""
    return until
