"""What lies in the readers, looked at in a thread of its own and again whenever a card comes or goes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QObject, Signal

from cardkit.errors import CardError, ReaderAbsent, ReaderServiceAbsent
from cardkit.readers import Readers
from zorgid_desktop.flow.asking import Said, SeenCard
from zorgid_desktop.flow.cards import trouble_of
from zorgid_desktop.flow.choosing import look

ONE_WAIT_SECONDS: Final = 1.0
BUSY: Final = "card-busy"
"""What is said of a card that another program uses."""
SOON: Final = timedelta(days=90)
"""From so long before its end a card is shown to expire soon."""


class Status(StrEnum):
    """How a card stands, as far as it tells by itself."""

    good = "good"
    soon = "soon"
    expired = "expired"


def status_of(seen: SeenCard, today: date) -> Status | None:
    """Return how a card stands today; its last day is a good one. None for a card without certificates."""
    if seen.valid_until is None:
        return None
    if seen.valid_until < today:
        return Status.expired
    return Status.soon if seen.valid_until - today <= SOON else Status.good


@dataclass(frozen=True)
class Shown:
    """All that the list shows: cards, readers whose card did not tell, or why there is nothing to look at."""

    cards: tuple[SeenCard, ...] = ()
    troubles: tuple[tuple[str, Said], ...] = ()
    why_not: str | None = None
    """The name of a text of the windows."""

    @property
    def is_passing(self) -> bool:
        """Whether a card that tells nothing now may tell more without being moved: somebody else uses it."""
        return any(said.code == BUSY for _, said in self.troubles)


def shown_now(readers: Readers) -> Shown:
    """Look at all readers once."""
    try:
        looked = look(readers)
    except ReaderServiceAbsent:
        return Shown(why_not="cards-no-service")
    except ReaderAbsent:
        return Shown(why_not="cards-no-reader")
    except CardError as error:
        return Shown(troubles=(("", trouble_of(error)),))
    troubles = tuple((reader, trouble_of(error)) for reader, error in looked.troubles)
    nothing = not looked.cards and not troubles
    return Shown(looked.cards, troubles, "cards-none" if nothing else None)


@dataclass
class Turn:
    """Keeps the list from looking at cards while a flow uses one: nobody else may hold a card meanwhile."""

    lock: threading.Lock = field(default_factory=threading.Lock)


class CardWatcher(QObject):
    """Emits `changed` with a `Shown`, at the start and whenever that is different."""

    changed = Signal(object)

    def __init__(self, open_readers: Callable[[], Readers], turn: Turn) -> None:
        super().__init__()
        self._open_readers = open_readers
        self._turn = turn
        self._is_over = threading.Event()
        self._again = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="cards", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when the last look is over."""
        self._is_over.set()
        self._thread.join(ONE_WAIT_SECONDS * 3)

    def look_again(self) -> None:
        """Look at the cards at the next turn, whether something moved or not: a flow has changed one."""
        self._again.set()

    def _watch(self) -> None:
        readers = self._open_readers()
        shown: Shown | None = None
        self._again.set()
        while not self._is_over.is_set():
            if self._again.is_set() and self._turn.lock.acquire(timeout=ONE_WAIT_SECONDS):
                self._again.clear()
                try:
                    before, shown = shown, shown_now(readers)
                finally:
                    self._turn.lock.release()
                if shown != before:
                    self.changed.emit(shown)
            if self._moved(readers) or (shown is not None and shown.is_passing):
                self._again.set()

    def _moved(self, readers: Readers) -> bool:
        try:
            return readers.wait(ONE_WAIT_SECONDS)
        except CardError:
            # A service that comes later is seen by looking again.
            self._is_over.wait(ONE_WAIT_SECONDS)
            return True
