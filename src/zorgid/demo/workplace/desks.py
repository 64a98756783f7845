"""All desks of the virtual workplace: one for each browser, as many as fit, gone when nobody uses them.

A browser knows its desk by a cookie, of which a hash is kept here. Nothing of this is in the database; after
a restart everybody takes a new desk.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cardkit.virtual import VirtualReader
from zorgid.demo.workplace.desk import Desk
from zorgid.demo.workplace.errors import DesksTaken, DeskUnknown
from zorgid.demo.workplace.run import AppParts
from zorgid.kernel.clock import Clock
from zorgid.kernel.randomness import RandomSource, base64url
from zorgid.kernel.secrets import Secret
from zorgid.protocol.links import LaunchLink
from zorgid.web.login.watch import Watch

COOKIE_BYTES: Final = 32
TICKET_BYTES: Final = 16
TICKET_GOOD_FOR: Final = timedelta(minutes=1)
MOST_TICKETS: Final = 200
MOST_DESKS: Final = 50
"""With a few threads a desk at most, a process of ours carries that."""
KEPT_FOR: Final = timedelta(hours=8)
"""How long a desk that nobody uses is kept."""
KEPT_WHEN_FULL: Final = timedelta(minutes=30)
"""How long it is kept at least, when somebody else needs one."""
LAID_OUT_SECONDS: Final = 5
"""After this a desk that is being laid out now is mostly there."""
END_WITHIN_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Tray:
    """A reader over a folder of cards; `own_folder` when they are of one desk alone."""

    reader: VirtualReader
    own_folder: Path | None = None


LayOut = Callable[[str], Awaitable[Tray]]
"""Returns the tray for the desk with this id."""


@dataclass(frozen=True)
class Arrival:
    """A launch link on its way from the login page to a desk."""

    link: LaunchLink
    good_until: datetime


class Desks:
    """The desks, by the hash of their cookie. Used by the event loop only."""

    def __init__(self, lay_out: LayOut, parts: AppParts, *, clock: Clock, random: RandomSource) -> None:
        self.watch = Watch()
        self._lay_out = lay_out
        self._parts = parts
        self._clock = clock
        self._random = random
        self._desks: dict[str, Desk] = {}
        self._being_laid_out = 0
        self._arrivals: dict[str, Arrival] = {}

    def __len__(self) -> int:
        return len(self._desks)

    async def open(self) -> tuple[Desk, Secret]:
        """Return a new desk and the cookie that its browser keeps. Raises `DesksTaken`."""
        self._make_room()
        cookie = Secret.new(COOKIE_BYTES, self._random)
        desk_id, loop = cookie.digest().hex(), asyncio.get_running_loop()
        self._being_laid_out += 1
        try:
            tray = await self._lay_out(desk_id)
        finally:
            self._being_laid_out -= 1

        def announce(which: str) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self.watch.heard, which)

        desk = Desk(desk_id, tray.reader, self._clock(), self._parts, announce, tray.own_folder)
        self._desks[desk_id] = desk
        return desk, cookie

    def of(self, cookie: Secret | None) -> Desk:
        """Return the desk of a browser. Raises `DeskUnknown`."""
        desk = self._desks.get(cookie.digest().hex()) if cookie else None
        if desk is None:
            raise DeskUnknown
        desk.used_at = self._clock()
        return desk

    def keep_arrival(self, link: LaunchLink) -> str:
        """Keep a link for a minute; returns the ticket with which a desk fetches it, once."""
        now = self._clock()
        waiting = {ticket: one for ticket, one in self._arrivals.items() if now < one.good_until}
        self._arrivals = dict(list(waiting.items())[-(MOST_TICKETS - 1) :])
        ticket = base64url(self._random(TICKET_BYTES))
        self._arrivals[ticket] = Arrival(link, now + TICKET_GOOD_FOR)
        return ticket

    def take_arrival(self, ticket: str) -> LaunchLink | None:
        """Return the link of a ticket that is still good, for the first who asks."""
        arrival = self._arrivals.pop(ticket, None)
        return arrival.link if arrival and self._clock() < arrival.good_until else None

    async def close(self) -> None:
        """Close every desk and wait for their threads."""
        closing, self._desks = list(self._desks.values()), {}
        for desk in closing:
            desk.close()
        for desk in closing:
            for run in desk.ending:
                await asyncio.to_thread(run.join, END_WITHIN_SECONDS)
            await asyncio.to_thread(_clear, desk.own_folder)

    def _make_room(self) -> None:
        """Close the desks that nobody uses any more. Raises `DesksTaken` when all are in use."""
        now = self._clock()
        for desk in [one for one in self._desks.values() if one.used_at + KEPT_FOR <= now]:
            self._remove(desk)
        if len(self._desks) + self._being_laid_out < MOST_DESKS:
            return
        if not self._desks:
            raise DesksTaken(retry_after_seconds=LAID_OUT_SECONDS)
        oldest = min(self._desks.values(), key=lambda desk: desk.used_at)
        free_at = oldest.used_at + KEPT_WHEN_FULL
        if now < free_at:
            raise DesksTaken(retry_after_seconds=max(1, round((free_at - now).total_seconds())))
        self._remove(oldest)

    def _remove(self, desk: Desk) -> None:
        del self._desks[desk.id]
        desk.close()
        _clear(desk.own_folder)


def _clear(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
