"""The door of OCSP, CRLs and authority certificates: answers over plain HTTP/1.1 in this event loop.

Granian serves everything else. It hands each request to the loop from a thread of its own and takes the
answer back, which costs ten times what an answer from memory does (docs/decisions/0360-own-door-for-ocsp.md).
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Final

from zorgid.web.pki.http1 import NotUnderstood, head_of
from zorgid.web.pki.line import WHOLE_WITHIN_SECONDS, Application, Line

logger = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 10_000
WAITING_CONNECTIONS: Final = 1024
"""Connections that the system keeps for us until they are taken."""

AT_ONCE: Final = 100
"""Connections that are taken before the loop does something else."""

READ_BYTES: Final = 64 * 1024
SWEEP_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.1
"""How long no connection is taken after the system refused one."""


class PlainDoor:
    """Takes connections on one address for an application."""

    def __init__(self, application: Application, listening: socket.socket) -> None:
        self.application = application
        self.lines: set[Line] = set()
        self.is_closing = False
        self._loop = asyncio.get_running_loop()
        self.now: Callable[[], float] = self._loop.time
        self._listening = listening
        self._coming: set[asyncio.Task[object]] = set()
        self._looking_up: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)
        self._is_taking = False
        self._take()

    def _take(self) -> None:
        if not self._is_taking and not self.is_closing:
            self._is_taking = True
            self._loop.add_reader(self._listening, self._accept)

    def _rest(self) -> None:
        self._is_taking = False
        self._loop.remove_reader(self._listening)

    def _accept(self) -> None:
        """Take the connections that wait."""
        for _ in range(AT_ONCE):
            if len(self.lines) + len(self._coming) >= MOST_CONNECTIONS:
                self._rest()
                return
            try:
                connection, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                logger.warning("no connection could be taken", extra={"reason": type(error).__name__})
                self._rest()
                self._loop.call_later(PAUSE_SECONDS, self._take)
                return
            connection.setblocking(False)
            self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        """Answer at once who asks one thing that is in memory; make a line for everybody else."""
        received = b""
        try:
            received = connection.recv(READ_BYTES)
            if not received or self._was_all(connection, received):
                connection.close()
                return
        except BlockingIOError:
            pass  # nothing came yet
        except OSError:
            connection.close()
            return
        coming = self._loop.create_task(
            self._loop.connect_accepted_socket(lambda: Line(self, received), connection)
        )
        self._coming.add(coming)
        coming.add_done_callback(self._came)

    def _was_all(self, connection: socket.socket, received: bytes) -> bool:
        """Tell whether one answer was all that was wanted, and is sent."""
        try:
            found = head_of(received)
        except NotUnderstood:
            return False
        if found is None or found[1] != len(received) or not found[0].is_last:
            return False
        answer = self.application.at_once(found[0])
        # a new connection takes some kilobytes at once; what it does not take is cut, as by a lost connection
        return answer is not None and connection.send(answer) > 0

    def _came(self, coming: asyncio.Task[object]) -> None:
        self._coming.discard(coming)
        if not coming.cancelled() and (error := coming.exception()):
            logger.warning("a connection broke off", extra={"reason": type(error).__name__})

    def looking_up(self, look_up: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Let an answer be looked up while other lines are served."""
        task = self._loop.create_task(look_up)
        self._looking_up.add(task)
        task.add_done_callback(self._looking_up.discard)
        return task

    def lost(self, line: Line) -> None:
        """Forget a line; there is room for another."""
        self.lines.discard(line)
        if not self.lines:
            self._empty.set()
        self._take()

    def _sweep(self) -> None:
        """Break off lines that make no progress and, while there is no room, those that ask nothing."""
        now = self.now()
        for line in [line for line in self.lines if line.until <= now]:
            line.expire()
        for line in [line for line in self.lines if line.is_idle and not self._is_taking]:
            line.finish()
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    async def close(self, within_seconds: float) -> None:
        """Take nothing more; let what was asked be answered, and break off what takes too long."""
        self.is_closing = True
        self._rest()
        self._listening.close()
        await asyncio.gather(*self._coming, return_exceptions=True)
        for line in tuple(self.lines):
            line.finish()
        self._empty.clear()
        with contextlib.suppress(TimeoutError):
            if self.lines:
                await asyncio.wait_for(self._empty.wait(), within_seconds)
        self._sweeping.cancel()
        for line in tuple(self.lines):
            line.abort()
        for task in tuple(self._looking_up):
            task.cancel()
        await asyncio.gather(*self._looking_up, return_exceptions=True)


@asynccontextmanager
async def open_plainly(
    application: Application, address: str, port: int, *, stop_within_seconds: float
) -> AsyncIterator[None]:
    """Answer on an address while the block runs. Raises `OSError` when nobody can listen there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.create_server(
        (address, port),
        family=family,
        backlog=WAITING_CONNECTIONS,
        reuse_port=hasattr(socket, "SO_REUSEPORT"),
    )
    listening.setblocking(False)
    if hasattr(socket, "TCP_DEFER_ACCEPT"):  # a connection is ours once something was said on it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, int(WHOLE_WITHIN_SECONDS))
    door = PlainDoor(application, listening)
    try:
        yield
    finally:
        await door.close(stop_within_seconds)
