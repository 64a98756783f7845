"""Hears what other nodes announce with NOTIFY, on a connection of its own that is made again when lost.

Who keeps something in memory gives a handler that drops it. While the connection is lost nothing is heard, so
`on_lost` must drop everything, and `on_connected` may start to rely on memory again: it runs when listening
has begun.
"""

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Self

from psycopg import AsyncConnection, sql

logger = logging.getLogger(__name__)

Hook = Callable[[], Awaitable[None] | None]
Handler = Callable[[str], Awaitable[None] | None]

PROOF_OF_LIFE_SECONDS: Final = 5.0
"""How long silence is believed before the server is asked whether it is still there."""

ANSWER_SECONDS: Final = 5.0
"""How long the server may take to answer that question, or to accept a connection."""

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
"""Pauses between attempts to connect double from the first to the longest."""


class Listener:
    """Calls `handlers[channel](payload)` for every notification, in the order of the commits.

    Use it as `async with Listener(...)`: listening has begun when the block is entered, unless the server
    cannot be reached, and it ends with the block. A handler that raises counts as a lost connection: memory
    that could not be dropped is worse than memory that is empty.
    """

    def __init__(
        self,
        url: str,
        handlers: Mapping[str, Handler],
        *,
        on_connected: Hook | None = None,
        on_lost: Hook | None = None,
    ) -> None:
        self._url = url
        self._handlers = dict(handlers)
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._first_attempt_over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_connected = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="listener")
        await self._first_attempt_over.wait()
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._listen_until_lost()
            except Exception as exception:  # noqa: BLE001 - whatever broke, memory is dropped and listening begins anew
                logger.warning("listener lost its connection", extra={"reason": type(exception).__name__})
            pause = FIRST_PAUSE_SECONDS if await self._lost() else min(pause * 2, LONGEST_PAUSE_SECONDS)
            self._first_attempt_over.set()
            await asyncio.sleep(pause)

    async def _lost(self) -> bool:
        """Say that nothing is heard any more; return whether something was heard before."""
        was_connected, self.is_connected = self.is_connected, False
        if was_connected:
            await _call(self._on_lost)
        return was_connected

    async def _listen_until_lost(self) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            connection = await AsyncConnection.connect(self._url, autocommit=True)
        async with connection:
            for channel in self._handlers:
                await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            self.is_connected = True
            await _call(self._on_connected)
            self._first_attempt_over.set()
            while True:
                await self._hear(connection)

    async def _hear(self, connection: AsyncConnection[Any]) -> None:
        """Handle what arrives within one proof of life, then ask the server whether it is there."""
        async for notice in connection.notifies(timeout=PROOF_OF_LIFE_SECONDS):
            await _call(self._handlers[notice.channel], notice.payload)
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.execute("select 1")


async def _call(hook: Callable[..., Awaitable[None] | None] | None, *arguments: str) -> None:
    if hook is None:
        return
    answer = hook(*arguments)
    if inspect.isawaitable(answer):
        await answer
