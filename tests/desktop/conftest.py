"""One Qt application for all tests of the windows, drawn on no screen; and a way to wait for what happens in it."""

import gc
import os
from collections.abc import Callable, Iterator

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
from PySide6.QtWidgets import QApplication
from tests.desktop.driving import end_all_windows, the_application, until


@pytest.fixture(scope="session")
def application() -> QApplication:
    """Qt's application, as the app makes it."""
    return the_application()


@pytest.fixture(autouse=True)
def nothing_left(application: QApplication) -> Iterator[None]:
    """Close what a test opened, and leave the clipboard empty.

    As in the app, cycles are collected on Qt's thread only: a widget that ends on another one ends the program.
    """
    gc.disable()
    yield
    application.clipboard().clear()
    end_all_windows()
    gc.enable()


@pytest.fixture
def soon() -> Callable[[Callable[[], object]], None]:
    """Handle Qt's events until a condition holds."""
    return until
