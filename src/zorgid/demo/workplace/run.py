"""One launch link on its way through the app, in a thread of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from cardkit.readers import Readers
from zorgid.demo.workplace.face import PageFace, Seen
from zorgid.kernel.clock import Clock
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import LaunchLink
from zorgid_desktop.flow.ending import why_it_ended
from zorgid_desktop.flow.login import Surroundings
from zorgid_desktop.flow.watching import watch_card, watches
from zorgid_desktop.run import run_link
from zorgid_desktop.server import Platform

Connect = Callable[[Language], Platform]
"""Returns a conversation with the platform, whose refusals come in that language."""


@dataclass(frozen=True)
class AppParts:
    """What every run of the app at this workplace shares."""

    connect: Connect
    clock: Clock


class Run:
    """The app with one link. The thread ends with the flow, or soon after `stop`."""

    def __init__(
        self,
        parts: AppParts,
        readers: Readers,
        link: LaunchLink,
        language: Language,
        changed: Callable[[], None],
    ) -> None:
        self.face = PageFace(changed)
        self.link = link
        self.was_led_on = False
        """Whether a page has gone on to the platform by itself."""
        self.birth_dates: set[str] = set()
        """What was answered to the question for a birth date; asked again, it was not the right one."""
        self._parts = parts
        self._readers = readers
        self._language = language
        self._is_stopped = Event()
        self._thread = Thread(target=self._work, name="virtual workplace", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def seen(self) -> Seen:
        """What the app shows now."""
        return self.face.seen()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Close the app: a question ends as cancelled, a session stays as it is."""
        self._is_stopped.set()
        self.face.leave()

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended."""
        self._thread.join(seconds)

    def _work(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - whatever ended it, the page says so
            self.face.end(why_it_ended(error))
        else:
            self.face.end(None)

    def _follow(self) -> None:
        with self._parts.connect(self._language) as platform:
            around = Surroundings(platform, self._readers, self.face.open_browser, self._parts.clock)
            logged_in = run_link(around, self.face, self.link)
            if watches(logged_in):
                watch_card(around, self.face, self.link, logged_in, is_stopped=self._is_stopped.is_set)
