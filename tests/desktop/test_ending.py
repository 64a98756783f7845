"""A window that was ended is no trouble for a collector on another thread."""

import gc
import threading

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid
from tests.desktop.ending import end

from zorgid.kernel.sentences import Language
from zorgid_desktop.windows.window import Window
from zorgid_desktop.windows.words import Words


def test_an_ended_window_can_be_collected_anywhere(application: QApplication) -> None:
    window = Window(Words(Language.nl), 200, 200)
    window.show()
    application.processEvents()
    end(window)
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isValid(window)
    del window
    elsewhere = threading.Thread(target=gc.collect, daemon=True)
    elsewhere.start()
    elsewhere.join(10)
    assert not elsewhere.is_alive()
