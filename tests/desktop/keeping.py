"""A program that shows a PUK to keep, and wipes the clipboard after a second in place of a minute."""

import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from tests.desktop.examples import PUK, begun, flow_window

from cardkit.secrets import Puk
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import KeepPuk
from zorgid_desktop.windows.app import new_application
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.drawing import Studio, screen_for
from zorgid_desktop.windows.words import Words

SHORTER = 60

if __name__ == "__main__":
    running = new_application(Language.nl)
    once = OnceOnClipboard(
        QApplication.clipboard(), lambda milliseconds, ring: QTimer.singleShot(milliseconds // SHORTER, ring)
    )
    studio = Studio(Words(Language.nl), once)
    shown = begun(flow_window(studio, screen_for(studio, KeepPuk(None, Puk(PUK)))))
    print(shown.windowTitle(), flush=True)  # noqa: T201
    sys.exit(running.exec())
