"""Links that later starts of the app hand over, brought from the listener's thread into the windows."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping

from PySide6.QtCore import QObject, Qt, Signal

from zorgid.protocol.links import LaunchLink
from zorgid_desktop.handover import AlreadyRunning, Answer, Listening, PlaceUnsafe, place_of


class Line(QObject):
    """Decides about each link that is handed over: one login at a time, and never the same one twice.

    Args:
        is_busy: tells whether a flow is at work that must not be disturbed; asked in any thread.
        follow: follows a link in a window; called in the thread of the windows.
        come_forward: shows the window of the login that is asked for once more; likewise.
    """

    _arrived = Signal(object)
    _again = Signal()

    def __init__(
        self,
        is_busy: Callable[[], bool],
        follow: Callable[[LaunchLink], object],
        come_forward: Callable[[], object],
    ) -> None:
        super().__init__()
        self._is_busy = is_busy
        self._follow = follow
        self._come_forward = come_forward
        self._lock = threading.Lock()
        self._current: LaunchLink | None = None
        self._is_starting = False
        self._arrived.connect(self.begin, Qt.ConnectionType.QueuedConnection)
        self._again.connect(self._show_again, Qt.ConnectionType.QueuedConnection)

    def begin(self, link: LaunchLink) -> None:
        """Follow a link now."""
        try:
            self._follow(link)
        finally:  # or one window that cannot be drawn would make every later link wait for it
            with self._lock:
                self._current, self._is_starting = link, False

    def _show_again(self) -> None:
        self._come_forward()

    def on_link(self, link: LaunchLink) -> Answer:
        """Answer a link at once; called in the thread of the listener."""
        with self._lock:
            if self._is_starting or self._is_busy():
                if self._current != link:
                    return Answer.busy
                self._again.emit()
                return Answer.taken
            self._current, self._is_starting = link, True
        self._arrived.emit(link)
        return Answer.taken

    def is_owed(self) -> bool:
        """Tell whether a link was taken that no window shows yet."""
        with self._lock:
            return self._is_starting


@contextlib.contextmanager
def listening(line: Line, variables: Mapping[str, str]) -> Iterator[None]:
    """Listen for links of later starts while the block runs; where that is not safe, every start is alone."""
    place = place_of(variables)
    with contextlib.ExitStack() as stack:
        if place is not None:
            with contextlib.suppress(AlreadyRunning, PlaceUnsafe, OSError):
                stack.enter_context(Listening(place, line.on_link))
        yield


def run_while_owed(
    line: Line, variables: Mapping[str, str], begin: Callable[[], object], run: Callable[[], object]
) -> None:
    """Begin and run the windows until the last is closed; once more for a link that came as it closed.

    Whoever handed that one over was told that it is shown, and shows it nowhere else.
    """
    with listening(line, variables):
        begin()
        run()
    while line.is_owed():
        with listening(line, variables):
            run()
