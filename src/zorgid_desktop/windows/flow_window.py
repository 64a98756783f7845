"""The window in which one flow is walked: it draws what the flow asks and tells, one page at a time."""

import threading
import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent

from zorgid_desktop.flow.asking import Said, Trouble
from zorgid_desktop.flow.ending import why_it_ended
from zorgid_desktop.windows.drawing import LAST, Studio, last_screen_for, screen_between, screen_for
from zorgid_desktop.windows.face import Asked, WindowFace
from zorgid_desktop.windows.screens.done import LastScreen, StoppedScreen
from zorgid_desktop.windows.screens.progress import STEPS, BusyScreen, MakingScreen, StoppableScreen
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.window import Window

WIDTH: Final = 720
HEIGHT: Final = 720
Work = Callable[[WindowFace], None]
"""A flow from its begin to its end; raises as flows do."""
IN_BROWSER: Final = frozenset({"proved", "browser-opened", "open-in-browser"})
"""What is told when the flow only waits for the browser; the window may go then."""
WATCHING: Final = "watching"
"""What is told when the login is done and the app looks whether the card stays in."""


class FlowWindow(Window):
    """Runs a flow in a thread of its own. `ended` says with what: None when it went well."""

    ended = Signal(object)
    reached_watching = Signal()
    _over = Signal(object)

    def __init__(
        self, studio: Studio, face: WindowFace, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(studio.words, WIDTH, HEIGHT)
        self.studio = studio
        self.face = face
        self.trouble: Trouble | None = None
        self.screen_now: Screen | None = None
        self._now = now
        self._asked: Asked | None = None
        self._thread: threading.Thread | None = None
        self._may_go = True
        self._is_closing = False
        self._making_began_at: float | None = None
        face.asked.connect(self._ask, Qt.ConnectionType.QueuedConnection)
        face.told.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._over.connect(self._end, Qt.ConnectionType.QueuedConnection)

    @property
    def is_active(self) -> bool:
        """Whether a flow is at work here that must not be disturbed."""
        return not self._may_go

    def begin(self, work: Work) -> None:
        """Start the flow."""
        self._draw(BusyScreen(self.studio.words, None))
        self._may_go = False
        self._thread = threading.Thread(target=self._run, args=(work,), name="flow", daemon=True)
        self._thread.start()

    def _run(self, work: Work) -> None:
        try:
            work(self.face)
        except BaseException as error:  # noqa: BLE001 - whatever ended it is said in a sentence
            self._over.emit(why_it_ended(error))
        else:
            self._over.emit(None)

    # --- What the flow says -----------------------------------------------------------------------

    def _ask(self, asked: Asked) -> None:
        self._asked = asked
        screen = screen_for(self.studio, asked.question)
        screen.answered.connect(self._answer)
        self._draw(screen)
        self.come_forward()

    def _answer(self, value: object) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        # The screen forgets what was typed before anybody else hears of it.
        self._draw(self._between())
        asked.answer(value)

    def _between(self) -> Screen:
        """Return what is seen until the flow says more."""
        return BusyScreen(self.studio.words, None)

    def _tell(self, said: Said) -> None:
        self._asked = None
        self._may_go = said.code in IN_BROWSER or said.code in LAST
        if said.code == WATCHING:
            self.reached_watching.emit()
        last = last_screen_for(self.studio, said)
        if last is not None:
            self.show_last(last)
        elif said.code in STEPS:
            self._show_step(said.code)
        else:
            self._draw(screen_between(self.studio, said))

    def _show_step(self, code: str) -> None:
        if self._making_began_at is None or code == next(iter(STEPS)):
            self._making_began_at = self._now()
        if not isinstance(self.screen_now, MakingScreen):
            self._draw(MakingScreen(self.studio.words, self._making_began_at, self._now))
        assert isinstance(self.screen_now, MakingScreen)
        self.screen_now.show_step(code)
        if self.face.is_stopped():
            self.screen_now.say_stopping()

    def _end(self, trouble: Trouble | None) -> None:
        self._may_go = True
        self.trouble = trouble
        if trouble is not None and not self._is_closing:
            self.show_last(StoppedScreen(self.studio.words, trouble))
        elif self._is_closing or not isinstance(self.screen_now, LastScreen):
            self.close()
        self.ended.emit(trouble)

    def show_last(self, screen: Screen) -> None:
        """Show a page after which nothing comes but closing."""
        screen.answered.connect(self.close)
        self._draw(screen)
        self.come_forward()

    # --- What the person does ---------------------------------------------------------------------

    def stop(self) -> None:
        """Stop, at once where nothing is being written, else as soon as it is safe."""
        if self._may_go:
            self.face.stop()
            self.close()
            return
        self.face.stop()
        if self._asked is not None:
            self._asked = None
            self._draw(self._between())
        if isinstance(self.screen_now, StoppableScreen):
            self.screen_now.say_stopping()

    def escape(self) -> None:
        """Stop, as the button does; at the end, close."""
        if isinstance(self.screen_now, LastScreen):
            self.close()
        else:
            self.stop()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Close at once where that harms nothing, else once the flow has stopped."""
        if self._may_go:
            self.face.stop()
            if self.screen_now is not None:
                self.screen_now.forget()
            event.accept()
            return
        self._is_closing = True
        self.stop()
        event.ignore()

    def _draw(self, screen: Screen) -> None:
        before, self.screen_now = self.screen_now, screen
        if before is not None:
            before.forget()
            self.whole.removeWidget(before)
            before.hide()
            before.deleteLater()
        screen.cancelled.connect(self.stop)
        self.whole.addWidget(screen, 1)
        name = "window-title-trouble" if screen.trouble is not None else "window-title"
        self.setWindowTitle(self.studio.words.text(name, title=screen.title))
        screen.show()
        screen.begin()
