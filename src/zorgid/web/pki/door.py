"""The door of OCSP, CRLs and authority certificates: answers over plain HTTP/1.1 in this event loop.

Granian serves everything else. It hands each request to the loop from a thread of its own and takes the
answer back, which costs ten times what an answer from memory does (docs/decisions/0360-own-door-for-ocsp.md).
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Final, Protocol, cast

from zorgid.web.pki.http1 import Head, NotUnderstood, Request, head_of, request_of, written
from zorgid.web.pki.wire import Reply, fitted

logger = logging.getLogger(__name__)

WHOLE_WITHIN_SECONDS: Final = 10.0
"""How long a client may take to send a request."""

IDLE_SECONDS: Final = 75.0
"""How long a connection may wait for the next request."""

SENT_WITHIN_SECONDS: Final = 30.0
"""How long a client may take nothing of an answer."""

MOST_CONNECTIONS: Final = 10_000
WAITING_CONNECTIONS: Final = 1024
"""Connections that the system keeps for us until they are taken."""

AT_ONCE: Final = 100
"""Connections that are taken before the loop does something else."""

READ_BYTES: Final = 64 * 1024
PIECE_BYTES: Final = 64 * 1024
"""What is handed over of a long answer at once; the rest of it is not copied for each who takes it slowly."""

SWEEP_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.1
"""How long no connection is taken after the system refused one."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Application(Protocol):
    """What stands behind the door."""

    def at_once(self, head: Head) -> bytes | None:
        """Return the whole answer when it is in memory, as it goes over the wire."""
        ...

    async def reply(self, request: Request) -> Reply:
        """Return the reply to a request, whatever breaks."""
        ...

    def date(self) -> bytes:
        """Return the date that an answer bears."""
        ...


class Line(asyncio.Protocol):
    """A connection; its requests are answered one after the other."""

    def __init__(self, door: "PlainDoor", received: bytes) -> None:
        self._door = door
        self._received = received
        self._transport: asyncio.Transport | None = None
        self._answering: asyncio.Task[None] | None = None
        self._is_full = False
        self._is_last = False
        self._was_told_to_go_on = False
        self._rest = memoryview(b"")
        self._unsent = 0
        self.until = door.now() + WHOLE_WITHIN_SECONDS
        """When there must be progress."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; something may have come already."""
        self._transport = cast("asyncio.Transport", transport)
        self._door.lines.add(self)
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave; what is being looked up goes on, so that nothing breaks off in the database."""
        del exc
        self._door.lost(self)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if not self._received:
            self.until = self._door.now() + WHOLE_WITHIN_SECONDS
        self._received = self._received + data if self._received else data
        self._go_on()

    def pause_writing(self) -> None:
        """Answer nothing more, and take nothing in, until the other side took what was sent."""
        assert self._transport is not None
        self._is_full = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on with the answer, then with what was asked meanwhile."""
        self._is_full = False
        self._hand_over()
        self._go_on()
        self._read_on()

    def _go_on(self) -> None:
        """Answer whatever is whole."""
        assert self._transport is not None
        while self._received and not (self._is_at_something or self._transport.is_closing()):
            try:
                asked = request_of(self._received)
            except NotUnderstood as refused:
                self._send(fitted(Reply(refused.status), method="", known=""), is_last=True)
                return
            if not isinstance(asked, Request):
                if asked is not None and asked.awaits_word and not self._was_told_to_go_on:
                    self._was_told_to_go_on = True
                    self._transport.write(CONTINUE)
                return
            self._was_told_to_go_on = False
            self._received = self._received[asked.used :]
            self._answer(asked)

    @property
    def _is_at_something(self) -> bool:
        """Whether an answer is looked up or still to be taken; the next request waits for it."""
        return self._answering is not None or self._is_full or bool(self._rest)

    def _read_on(self) -> None:
        if self._transport is not None and not self._is_at_something:
            self._transport.resume_reading()

    def _answer(self, asked: Request) -> None:
        assert self._transport is not None
        answer = self._door.application.at_once(asked.head)
        if answer is None:
            self._transport.pause_reading()
            self.until = float("inf")
            self._answering = self._door.looking_up(self._look_up(asked))
            return
        self._transport.write(answer)
        self._sent(is_last=asked.head.is_last)

    async def _look_up(self, asked: Request) -> None:
        """Answer what is not in memory."""
        assert self._transport is not None
        reply = await self._door.application.reply(asked)
        self._answering = None
        if self._transport.is_closing():
            return
        self._send(
            fitted(reply, method=asked.head.method, known=asked.head.known), is_last=asked.head.is_last
        )
        self._go_on()
        self._read_on()

    def _send(self, reply: Reply, *, is_last: bool) -> None:
        assert self._transport is not None
        is_last = is_last or self._door.is_closing
        self._transport.write(written(reply, self._door.application.date(), is_last=is_last))
        self._rest = memoryview(reply.body)
        self._sent(is_last=is_last)

    def _sent(self, *, is_last: bool) -> None:
        self._is_last = is_last or self._door.is_closing
        self._hand_over()
        self._unsent = self._left
        self.until = self._door.now() + (SENT_WITHIN_SECONDS if self._unsent else IDLE_SECONDS)

    def _hand_over(self) -> None:
        """Write what the other side takes of the answer; hang up after the last."""
        assert self._transport is not None
        while self._rest and not (self._is_full or self._transport.is_closing()):
            piece, self._rest = self._rest[:PIECE_BYTES], self._rest[PIECE_BYTES:]
            self._transport.write(piece)
        if self._is_last and not self._rest:
            self._transport.close()

    @property
    def _left(self) -> int:
        """How many bytes of the answer were not taken yet."""
        assert self._transport is not None
        return self._transport.get_write_buffer_size() + len(self._rest)

    def expire(self) -> None:
        """Break off, unless the other side is still taking an answer."""
        assert self._transport is not None
        left = self._left
        if 0 < left < self._unsent:
            self._unsent = left
            self.until = self._door.now() + SENT_WITHIN_SECONDS
        else:
            self._transport.abort()

    def finish(self) -> None:
        """Hang up as soon as what was asked is answered."""
        assert self._transport is not None
        self._is_last = True
        if self._answering is None and not self._rest:
            self._transport.close()

    def abort(self) -> None:
        """Hang up now."""
        assert self._transport is not None
        self._transport.abort()


class PlainDoor:
    """Takes connections on one address for an application."""

    def __init__(self, application: Application, listening: socket.socket) -> None:
        self.application = application
        self.lines: set[Line] = set()
        self.is_closing = False
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
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
        """Break off lines that make no progress."""
        now = self.now()
        for line in [line for line in self.lines if line.until <= now]:
            line.expire()
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
