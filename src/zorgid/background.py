"""Work that nobody asks for: done again and again beside the requests, on every node.

A round that fails is logged, and the next one comes all the same.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

log = structlog.get_logger(__name__)

STOP_WITHIN_SECONDS: Final = 10.0
"""How long loops may take to end their round at a stop; what was not committed by then never happened."""

Run = Callable[[asyncio.Event], Awaitable[None]]


@dataclass(frozen=True)
class Loop:
    """Something to do every so often; `once` bears being broken off, and being run on several nodes."""

    name: str
    every: timedelta
    once: Callable[[], Awaitable[object]]

    async def run(self, stop: asyncio.Event) -> None:
        """Do it until `stop`, the first time at once."""
        while not stop.is_set():
            try:
                await self.once()
            except Exception:
                log.exception("background work failed", loop=self.name)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.every.total_seconds())


@asynccontextmanager
async def running(runs: Iterable[Run]) -> AsyncIterator[None]:
    """Run everything beside the block, and let each end its round afterwards."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_watched(run, stop)) for run in runs]
    try:
        yield
    finally:
        stop.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_WITHIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _watched(run: Run, stop: asyncio.Event) -> None:
    """Run something that goes on by itself; its end before the stop is a fault."""
    try:
        await run(stop)
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("background work ended", run=getattr(run, "__qualname__", repr(run)))
