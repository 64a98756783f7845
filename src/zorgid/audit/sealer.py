"""Closes what was committed, about once a second, and hands the seal to a place outside the database.

A seal takes every transaction below `pg_snapshot_xmin`: all of those have ended, so no late commit can slip
in behind it. Seconds in which nothing happened are sealed too, so that a cut-off end shows as silence. Every
node runs a sealer: an advisory lock lets one of them seal at a time, and each hands all seals to its own
place.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from zorgid.audit import seal_store
from zorgid.audit.chain import Digest, Seal, Sign, next_seal
from zorgid.audit.places import SealPlace
from zorgid.kernel.errors import Fault
from zorgid.storage.database import Database, Origin, Work

EVERY: Final = timedelta(seconds=1)
HANDED_OVER_AT_ONCE: Final = 1000

log = structlog.get_logger(__name__)


class SealsAhead(Fault):
    """The place outside knows seals, or transactions, that the database does not: it was restored or cut.

    Sealing stops until the operator has looked; `zorgid audit verify` shows what is missing.
    """


class Sealer:
    """Seals on behalf of one node."""

    def __init__(
        self, database: Database, place: SealPlace, sign: Sign, *, origin: Origin, every: timedelta = EVERY
    ) -> None:
        self._database = database
        self._place = place
        self._sign = sign
        self._origin = origin
        self._every = every

    async def run(self, stop: asyncio.Event) -> None:
        """Seal until `stop`, and once more then. What fails is logged and tried again in the next round."""
        while not stop.is_set():
            await self._try_once()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._every.total_seconds())
        await self._try_once(even_early=True)

    async def once(self, *, even_early: bool = False) -> Seal | None:
        """Add the next seal and hand over what the place lacks; return the seal.

        Returns None when another node is sealing or has just sealed; `even_early` seals all the same in the
        latter case.

        Raises:
            SealsAhead: the database lacks what was sealed before.
            PlaceUnfit: the place was tampered with.
            OSError: the place cannot be written.
        """
        known_outside = await asyncio.to_thread(self._place.last_number)
        async with self._database.work(self._origin) as work:
            seal = await self._close(work, known_outside, even_early=even_early)
        await self._hand_over(known_outside)
        return seal

    async def _try_once(self, *, even_early: bool = False) -> None:
        try:
            await self.once(even_early=even_early)
        except Exception:
            log.exception("sealing failed")  # a sealer that ends would leave everything after it unsealed

    async def _close(self, work: Work, known_outside: int, *, even_early: bool) -> Seal | None:
        if not await seal_store.lock_sealing(work):
            return None
        last = await seal_store.last_seal(work)
        if last and not even_early and timedelta() <= work.now - last.at < self._every:
            return None
        until = await seal_store.horizon(work)
        _require_in_step(last, known_outside, until)
        digest = Digest()
        async for mark in seal_store.marks_between(work, last.until_xact if last else 0, until):
            digest.add(mark)
        seal = next_seal(
            last, digest, until_xact=until, now=work.now, node=self._origin.node, sign=self._sign
        )
        await seal_store.add_seal(work, seal)
        return seal

    async def _hand_over(self, known_outside: int) -> None:
        more = True
        while more and (seals := await self._seals_after(known_outside)):
            await asyncio.to_thread(self._place.append, seals)
            known_outside = seals[-1].number
            more = len(seals) == HANDED_OVER_AT_ONCE

    async def _seals_after(self, number: int) -> Sequence[Seal]:
        async with self._database.work(self._origin) as work:
            found = await seal_store.lines_after(work, number, HANDED_OVER_AT_ONCE)
        return [Seal.from_line(line) for _, line in found]


def _require_in_step(last: Seal | None, known_outside: int, until: int) -> None:
    """Check that the database goes on where the seals left off. Raises `SealsAhead`."""
    known_inside = last.number if last else 0
    if known_outside > known_inside:
        raise SealsAhead(
            f"seal {known_outside} is kept outside, the database knows no more than {known_inside}"
        )
    if last and until < last.until_xact:
        raise SealsAhead(f"transactions until {last.until_xact} were sealed, the database is at {until}")
