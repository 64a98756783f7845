"""A program that shows a PUK to keep; the minute of the clipboard is over at a line on its input."""

import sys
from collections.abc import Callable

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication
from tests.desktop.examples import PUK, begun, flow_window

from cardkit.secrets import Puk
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import KeepPuk
from zorgid_desktop.windows.app import new_application
from zorgid_desktop.windows.clipboard import LONGEST_MS, OnceOnClipboard
from zorgid_desktop.windows.drawing import Studio, screen_for
from zorgid_desktop.windows.words import Words


class Minute:
    """An alarm that rings when the test says so, and not while nobody has looked yet."""

    def __init__(self) -> None:
        self._rings: list[Callable[[], None]] = []
        self._notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self.pass_by)

    def __call__(self, milliseconds: int, ring: Callable[[], None]) -> None:
        assert milliseconds == LONGEST_MS
        self._rings.append(ring)

    def pass_by(self) -> None:
        """Let the time be over for all that was copied."""
        sys.stdin.readline()
        while self._rings:
            self._rings.pop()()


if __name__ == "__main__":
    running = new_application(Language.nl)
    once = OnceOnClipboard(QApplication.clipboard(), Minute())
    studio = Studio(Words(Language.nl), once)
    shown = begun(flow_window(studio, screen_for(studio, KeepPuk(None, Puk(PUK)))))
    print(shown.windowTitle(), flush=True)  # noqa: T201
    sys.exit(running.exec())
