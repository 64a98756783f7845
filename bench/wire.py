"""A small HTTP/1.1 client for load: one request at a time on a kept connection, bytes in, bytes out."""

import asyncio
from dataclasses import dataclass
from typing import Self

HEAD_ENDS = b"\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """One answer; headers in lower letters, as they came."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Return the first header of this name, empty without one."""
        return self.headers(name)[0] if self.headers(name) else b""

    def headers(self, name: bytes) -> list[bytes]:
        """Return all headers of this name."""
        lines = (line.partition(b":") for line in self.head.split(b"\r\n")[1:])
        return [value.strip() for key, _, value in lines if key.lower() == name]


class Line(asyncio.Protocol):
    """A kept connection to one server."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._waiting: asyncio.Future[Answer] | None = None

    @classmethod
    async def to(cls, port: int) -> Self:
        """Return a new connection."""
        _, line = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError(f"the server hung up: {exc}"))

    def data_received(self, data: bytes) -> None:
        """Put the answer together, and hand it over when it is whole."""
        self._received += data
        if self._waiting is None or (answer := whole(self._received)) is None:
            return
        self._received = b""
        waiting, self._waiting = self._waiting, None
        waiting.set_result(answer)

    async def ask(self, request: bytes) -> Answer:
        """Send a request and return its answer."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def whole(received: bytes) -> Answer | None:
    """Return the answer when all of it is there; nothing follows it, since one request runs at a time."""
    head, ends, body = received.partition(HEAD_ENDS)
    if not ends:
        return None
    answer = Answer(int(head[9:12]), head, body)
    if answer.header(b"transfer-encoding") == b"chunked":
        return Answer(answer.status, head, dechunked(body)) if body.endswith(b"0\r\n\r\n") else None
    length = int(answer.header(b"content-length") or 0)
    return answer if len(body) >= length else None


def dechunked(body: bytes) -> bytes:
    """Return a body without the marks of its chunks (RFC 9112, section 7.1)."""
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        parts.append(body[:length])
        body = body[length + 2 :]
    return b"".join(parts)


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return a request as bytes."""
    if body:
        headers = {**headers, "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + HEAD_ENDS + body
