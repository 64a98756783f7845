"""Wakes those who wait for a transaction to move: browsers by event stream, apps by a held request.

The database tells every node (LISTEN/NOTIFY); nobody asks it again and again. When the listener is lost or
back, everyone is woken and looks for themselves.
"""

import asyncio
from collections import defaultdict
from typing import Self


class Watch:
    """The waiters of this node, by the id that they wait for."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    def heard(self, payload: str) -> None:
        """Wake those who wait for `payload`; the handler of channel "login"."""
        for event in self._waiting.get(payload, ()):
            event.set()

    def wake_all(self) -> None:
        """Wake everyone: something may have been missed."""
        for events in self._waiting.values():
            for event in events:
                event.set()

    def expect(self, payload: str) -> "Expectation":
        """Return an expectation; enter it before looking, and nothing is missed in between."""
        return Expectation(self._waiting, payload)


class Expectation:
    """One waiter. Enter it, look, then `wait`; looking again after each wake-up."""

    def __init__(self, waiting: dict[str, set[asyncio.Event]], payload: str) -> None:
        self._waiting = waiting
        self._payload = payload
        self._event = asyncio.Event()

    def __enter__(self) -> Self:
        self._waiting[self._payload].add(self._event)
        return self

    def __exit__(self, *exception: object) -> None:
        waiters = self._waiting[self._payload]
        waiters.discard(self._event)
        if not waiters:
            del self._waiting[self._payload]

    async def wait(self, *, seconds: float) -> bool:
        """Return true when something was heard since the last wait, false after such a silence."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        self._event.clear()
        return True
