"""Ends the windows of a test on Qt's thread, so that none is left for Python's collector to meet on another.

A window that the collector ends on the platform's thread waits there until Qt's own thread handles events; when
that one waits for the platform, neither ever goes on. The conftest of every folder whose tests open windows
takes both fixtures from here.
"""

import gc
import os
from collections.abc import Iterator
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid
from tests.desktop.driving import the_application

from zorgid_desktop.windows.flow_window import FlowWindow
from zorgid_desktop.windows.window import Window

LONGEST_WAIT_SECONDS = 60

GOING_ON: list[FlowWindow] = []
"""Windows whose flow goes on after its test: their threads may still speak to them."""


@pytest.fixture(scope="session")
def application() -> QApplication:
    """Qt's application, as the app makes it."""
    return the_application()


@pytest.fixture(autouse=True)
def nothing_left(application: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End what windows a test opened, and leave the clipboard empty.

    As in the app, cycles are collected on Qt's thread only. Windows are remembered as they are made: asking Qt
    for them at the end brings back half-ended ones.
    """
    opened: list[Window] = []
    make = Window.__init__

    def remembered(window: Window, *given: Any, **named: Any) -> None:
        make(window, *given, **named)
        opened.append(window)

    monkeypatch.setattr(Window, "__init__", remembered)
    gc.disable()
    yield
    application.clipboard().clear()
    for window in opened:
        end(window)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    opened.clear()
    gc.collect(1)
    gc.enable()


def end(window: Window) -> None:
    """Let Qt end a window at the next occasion, unless its flow cannot be stopped."""
    if not isValid(window):
        return
    if isinstance(window, FlowWindow) and not flow_is_over(window):
        GOING_ON.append(window)
        return
    window.hide()
    window.deleteLater()


def flow_is_over(window: FlowWindow) -> bool:
    """Stop the flow of a window and tell whether its thread has ended."""
    window.face.stop()
    thread = window._thread
    if thread is not None:
        thread.join(LONGEST_WAIT_SECONDS)
    return thread is None or not thread.is_alive()
