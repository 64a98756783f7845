"""A desk: a reader with a tray of test cards, and the app that the person at it has open."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cardkit.virtual import VirtualReader, VirtualReaders
from zorgid.demo.workplace.errors import DesksTaken
from zorgid.demo.workplace.face import Asked, Seen
from zorgid.demo.workplace.run import AppParts, Run
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import LaunchLink
from zorgid_desktop.flow.asking import InsertCard

MOST_ENDING: Final = 3
"""Runs at one desk that were stopped and wait for an answer of the platform; then no other is begun."""
ENDED_AFTER_SECONDS: Final = 20
"""After this at the latest the platform has answered such a run."""

NOTHING: Final = Seen()


@dataclass
class Desk:
    """One browser's desk. Used by the event loop only; the flows run in threads of their own."""

    id: str
    reader: VirtualReader
    used_at: datetime
    parts: AppParts
    announce: Callable[[str], None]
    """Tells, from any thread, that the desk with this id looks different."""
    own_folder: Path | None = None
    """The folder of its cards, when they are of this desk alone and go with it."""
    runs: list[Run] = field(default_factory=list)
    """The one that is shown comes last; before it at most one that watches the card of a session."""
    ending: list[Run] = field(default_factory=list)
    runs_begun: int = 0
    waiting: LaunchLink | None = None
    """A link that arrived while the app was at something; the person is asked which of the two."""

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return self.runs[-1] if self.runs else None

    @property
    def seen(self) -> Seen:
        """What the app shows."""
        return self.run.seen if self.run else NOTHING

    @property
    def is_busy(self) -> bool:
        """Whether the app is at something that another link would break off."""
        return self.run is not None and not (self.seen.is_ended or self.seen.is_watching)

    @property
    def is_settled(self) -> bool:
        """Whether it is the person's turn, or nobody's."""
        return self.run is None or self.seen.is_settled

    @property
    def appearance(self) -> str:
        """A mark that differs whenever the desk looks different."""
        seen, asked = self.seen, self.asked
        of_run = (asked.number if asked else 0, len(seen.told), seen.is_ended, seen.completion is not None)
        return "-".join(str(int(part)) for part in (self.runs_begun, len(self.runs), *of_run))

    @property
    def is_watched(self) -> bool:
        """Whether a run that is not shown watches the card of a session."""
        return any(run.is_alive and run.seen.is_watching for run in self.runs[:-1])

    def leads_on(self) -> bool:
        """Tell whether the page goes on to the platform by itself: the first time that it shows the way."""
        if self.run is None or self.seen.completion is None or self.run.was_led_on:
            return False
        self.run.was_led_on = True
        return True

    def begin(self, link: LaunchLink, language: Language) -> None:
        """Open the app with a link; what was at something is broken off, the last run that watches goes on.

        Raises:
            DesksTaken: too many that were broken off have not ended yet.
        """
        watching = [run for run in self.runs if run.is_alive and run.seen.is_watching][-1:]
        broken_off = [run for run in self.runs if run not in watching]
        for run in broken_off:
            run.stop()
        self.ending = [run for run in (*self.ending, *broken_off) if run.is_alive]
        if len(self.ending) > MOST_ENDING:
            raise DesksTaken(retry_after_seconds=ENDED_AFTER_SECONDS)
        readers = VirtualReaders(self.reader)
        run = Run(self.parts, readers, link, language, lambda: self.announce(self.id))
        self.runs = [*watching, run]
        self.runs_begun += 1
        run.start()

    def close(self) -> None:
        """Close everything; nobody sits here any more."""
        for run in self.runs:
            run.stop()
        self.ending = [*self.ending, *self.runs]
        self.reader.remove()

    def put_away(self) -> None:
        """Take the app that has ended from the screen."""
        if self.seen.is_ended:
            self.runs.pop()

    def insert(self, name: str) -> None:
        """Put a card of the tray in the reader; that answers the app when it waits for one.

        Raises:
            KeyError, ValueError: there is no such card.
        """
        self._out()
        self.reader.insert(name)
        self.go_on()

    def take_out(self) -> None:
        """Take the card out of the reader."""
        self._out()

    def go_on(self) -> None:
        """Tell the app, when it waits for a card, that one is in."""
        asked = self.asked
        if self.run and asked and isinstance(asked.question, InsertCard):
            self.run.face.answer(asked.number, None)

    @property
    def asked(self) -> Asked | None:
        """The question that waits."""
        return self.seen.asked

    @property
    def question_mark(self) -> str:
        """Name the question that waits as no other at this desk, of this run of the app or of another."""
        return f"{self.runs_begun}-{self.asked.number}" if self.asked else ""

    def _out(self) -> None:
        self.reader.remove()
        for run in self.runs:
            run.face.card_is_out()
