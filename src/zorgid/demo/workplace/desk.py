"""A desk: a reader with a tray of test cards, and the app that the person at it has open."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cardkit.virtual import VirtualReader, VirtualReaders
from zorgid.demo.workplace.face import Asked, Seen
from zorgid.demo.workplace.run import AppParts, Run
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import LaunchLink
from zorgid_desktop.flow.asking import InsertCard

MOST_RUNS: Final = 2
"""Runs of the app at one desk: the one that is shown, and one that only watches the card of a session."""

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
        parts = (len(self.runs), id(self.run), asked.number if asked else 0, len(seen.told), seen.is_ended)
        return "-".join(str(int(part)) for part in (*parts, seen.completion is not None))

    def leads_on(self) -> bool:
        """Tell whether the page goes on to the platform by itself: the first time that it shows the way."""
        if self.run is None or self.seen.completion is None or self.run.was_led_on:
            return False
        self.run.was_led_on = True
        return True

    def begin(self, link: LaunchLink, language: Language) -> None:
        """Open the app with a link; a run that was at something is broken off, one that watches goes on."""
        if self.is_busy:
            self.stop_shown()
        alive = [run for run in self.runs if run.is_alive]
        for run in alive[: -(MOST_RUNS - 1)]:
            run.stop()
        readers = VirtualReaders(self.reader)
        run = Run(self.parts, readers, link, language, lambda: self.announce(self.id))
        self.runs = [*alive[-(MOST_RUNS - 1) :], run]
        run.start()

    def stop_shown(self) -> None:
        """Close the app that is shown."""
        if self.run:
            self.run.stop()

    def close(self) -> None:
        """Close everything; nobody sits here any more."""
        for run in self.runs:
            run.stop()
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

    def _out(self) -> None:
        self.reader.remove()
        for run in self.runs:
            run.face.card_is_out()
