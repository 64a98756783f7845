"""Puts what may be seen once on the clipboard, when asked; takes it off after a minute or at the end.

Whatever somebody else put there meanwhile is left alone.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from PySide6.QtCore import QMimeData, QObject, QTimer
from PySide6.QtGui import QClipboard

LONGEST_MS: Final = 60_000
"""How long such a thing may be on the clipboard, in milliseconds."""
OURS: Final = "application/x-zorgid-once"
"""Marks what was put there by this app."""
WINDOWS_FORMAT: Final = 'application/x-qt-windows-mime;value="{}"'
NO_HISTORY: Final = {
    # What programs that keep a history of the clipboard look at, on Windows and on KDE.
    WINDOWS_FORMAT.format("ExcludeClipboardContentFromMonitorProcessing"): b"1",
    WINDOWS_FORMAT.format("CanIncludeInClipboardHistory"): bytes(4),
    WINDOWS_FORMAT.format("CanUploadToCloudClipboard"): bytes(4),
    "x-kde-passwordManagerHint": b"secret",
}


class Alarm(Protocol):
    """Calls a function once, after so many milliseconds."""

    def __call__(self, milliseconds: int, ring: Callable[[], None], /) -> None:
        """Set the alarm."""
        ...


class OnceOnClipboard(QObject):
    """The one way to the clipboard for a PUK or an address with a code, and back to nothing."""

    def __init__(self, clipboard: QClipboard, alarm: Alarm = QTimer.singleShot) -> None:
        super().__init__()
        self._clipboard = clipboard
        self._alarm = alarm
        self._count = 0
        self._wiped: Callable[[], None] | None = None

    def put(self, secret: str, wiped: Callable[[], None]) -> Callable[[], None]:
        """Copy a text; `wiped` is called when it is off the clipboard again.

        Returns what takes this very text off before its time; whatever was copied since stays.
        """
        data = QMimeData()
        data.setText(secret)
        data.setData(OURS, b"1")
        for name, value in NO_HISTORY.items():
            data.setData(name, value)
        self._clipboard.setMimeData(data)
        self._count += 1
        self._wiped = wiped
        mine = self._count
        take_off = partial(self._wipe_if, mine)
        self._alarm(LONGEST_MS, take_off)
        return take_off

    def _wipe_if(self, count: int) -> None:
        if count == self._count:
            self.wipe()

    def wipe(self) -> None:
        """Take it off the clipboard, when it is still ours."""
        if self._wiped is None:
            return
        if self._clipboard.ownsClipboard() or self._is_ours():
            self._clipboard.clear()
        wiped, self._wiped = self._wiped, None
        wiped()

    def _is_ours(self) -> bool:
        """Tell it by the mark where the system does not say whose the clipboard is (Windows, offscreen)."""
        data = self._clipboard.mimeData()
        return data is not None and data.hasFormat(OURS)
