"""One connection to the bare door: its requests are answered in turn, within bounds of time and memory."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, Protocol, cast

from zorgid.web.pki.http1 import Head, NotUnderstood, Request, length_of, request_of, written
from zorgid.web.pki.wire import Reply, fitted

WHOLE_WITHIN_SECONDS: Final = 10.0
"""How long a client may take to send a request."""

IDLE_SECONDS: Final = 75.0
"""How long a connection may wait for the next request."""

SENT_WITHIN_SECONDS: Final = 30.0
"""How long a client may take nothing of an answer."""

PIECE_BYTES: Final = 64 * 1024
"""What is handed over of a long answer at once; the rest of it is not copied for each who takes it slowly."""

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


class Keeper(Protocol):
    """What keeps the connections: the door that they came in by."""

    application: Application
    lines: "set[Line]"
    is_closing: bool
    now: Callable[[], float]
    """The clock of the event loop, in seconds."""

    def looking_up(self, look_up: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Let an answer be looked up while other lines are served."""
        ...

    def lost(self, line: "Line") -> None:
        """Forget a line."""
        ...


class Line(asyncio.Protocol):
    """A connection; its requests are answered one after the other."""

    def __init__(self, door: "Keeper", received: bytes) -> None:
        self._door = door
        self._received = received
        self._transport: asyncio.Transport | None = None
        self._answering: asyncio.Task[None] | None = None
        self._is_full = False
        self._is_last = False
        self._awaited_bytes = 0
        """How much of a request there must be once its head was read; crumbs of a body are not looked at."""
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
            if len(self._received) < self._awaited_bytes:
                return
            try:
                asked = request_of(self._received)
            except NotUnderstood as refused:
                self._send(fitted(Reply(refused.status), method="", known=""), is_last=True)
                return
            if not isinstance(asked, Request):
                if asked is not None:
                    self._await_body(asked)
                return
            self._awaited_bytes = 0
            self._received = self._received[asked.used :]
            self._answer(asked)

    def _await_body(self, head: Head) -> None:
        assert self._transport is not None
        self._awaited_bytes = length_of(head, self._received)
        if head.awaits_word:
            self._transport.write(CONTINUE)

    @property
    def is_idle(self) -> bool:
        """Whether nothing was asked that is not answered."""
        return not (self._received or self._is_at_something)

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
