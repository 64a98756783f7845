"""Runs the handlers of committed events, on every node, at least once per handler and event.

At least once: a node that dies between the work of a handler and the note that it is done leaves the event to
be taken up again when its lease is over, so a handler must bear a second run (`OutboxEvent.id` is the same
then). Events are taken up in the order in which they became due; with several nodes, or after a failed try, a
later one may overtake.

An event is taken up in one short transaction and handled outside of any: a slow mail server holds no lock,
and does not hold up the sealing of the audit log.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from zorgid.kernel.errors import Refusal
from zorgid.outbox import store
from zorgid.outbox.model import Handler, OutboxEvent
from zorgid.outbox.rules import HANDLER_TIME, LEASE, MOST_TRIES, pause_after
from zorgid.storage.database import Database, Origin

LONGEST_REST: Final = timedelta(seconds=5)
"""How long a dispatcher rests when nobody wakes it; a lost notification costs no more than this."""

NOBODY_SURVIVED: Final = "no-dispatcher-survived"

log = structlog.get_logger(__name__)


class Dispatcher:
    """Dispatches on behalf of one node.

    `handlers` names every event this version knows, also those without handlers. Other events are left alone:
    during a roll-out they are for the newer version (ALL-12).
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Sequence[Handler]],
        *,
        origin: Origin,
        handler_time: timedelta = HANDLER_TIME,
    ) -> None:
        self._database = database
        self._handlers = dict(handlers)
        self._origin = origin
        self._handler_time = handler_time
        self._woken = asyncio.Event()

    def wake(self, payload: str = "") -> None:
        """Look for events now; the handler of a `Listener` on the channel of the outbox."""
        del payload  # what is due stands in the database
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Dispatch until `stop`; the handler that is running then is let finish.

        What breaks is logged and retried.
        """
        waker = asyncio.create_task(self._wake_at(stop))
        try:
            while not stop.is_set():
                self._woken.clear()
                await self._dispatch_and_rest(stop)
        finally:
            waker.cancel()

    async def drain(self, stop: asyncio.Event | None = None) -> int:
        """Handle one event after another until none is due, or until `stop`.

        Return how many were taken up.
        """
        taken = 0
        while not (stop and stop.is_set()):
            async with self._database.work(self._origin) as work:
                event = await store.take_up(work, self._handlers.keys(), LEASE)
            if event is None:
                break
            taken += 1
            await self._handle(event, stop)
        return taken

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()

    async def _dispatch_and_rest(self, stop: asyncio.Event) -> None:
        rest = LONGEST_REST
        try:
            await self.drain(stop)
            rest = await self._until_next()
        except Exception:
            log.exception("dispatching failed")  # a dispatcher that ends would leave every event waiting
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), rest.total_seconds())

    async def _until_next(self) -> timedelta:
        async with self._database.work(self._origin) as work:
            due_at = await store.next_due_at(work, self._handlers.keys())
            return min(max(due_at - work.now, timedelta()), LONGEST_REST) if due_at else LONGEST_REST

    async def _handle(self, event: OutboxEvent, stop: asyncio.Event | None) -> None:
        if event.tries > MOST_TRIES:
            await self._failed(event, NOBODY_SURVIVED)
            return
        for handler in self._handlers[event.name]:
            if handler.name in event.finished:
                continue
            if stop and stop.is_set():
                await self._put_back(event)
                return
            if (error := await self._error_of(handler, event)) is not None:
                await self._failed(event, error)
                return
            async with self._database.work(self._origin) as work:
                await store.finish_handler(work, event, handler.name, LEASE)
        async with self._database.work(self._origin) as work:
            await store.finish(work, event)

    async def _error_of(self, handler: Handler, event: OutboxEvent) -> str | None:
        """Run a handler; return the name of what went wrong, which holds no personal data, or None."""
        try:
            async with asyncio.timeout(self._handler_time.total_seconds()):
                await handler.run(event)
        except Refusal as refusal:
            return refusal.code
        except Exception as error:
            log.exception(
                "handler failed", handler=handler.name, event_name=event.name, event_id=str(event.id)
            )
            return type(error).__name__
        return None

    async def _failed(self, event: OutboxEvent, error: str) -> None:
        pause = pause_after(event.tries)
        async with self._database.work(self._origin) as work:
            if pause is None:
                await store.give_up(work, event, error)
            else:
                await store.try_later(work, event, work.now + pause, error)
        log.warning(
            "event not handled",
            event_name=event.name,
            event_id=str(event.id),
            tries=event.tries,
            error=error,
            given_up=pause is None,
        )

    async def _put_back(self, event: OutboxEvent) -> None:
        """Leave the rest of an event to another node, at once."""
        async with self._database.work(self._origin) as work:
            await store.try_later(work, event, work.now, "stopped")
