"""What the bare application needs of HTTP: reading a bounded body, base64 in a path, headers for caches."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

Scope = Mapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MOST_REQUEST_BYTES: Final = 8 * 1024
"""An OCSP request for one certificate is about a hundred bytes, with a signature two thousand."""

MOST_PATHS: Final = 10_000
"""Paths whose meaning is remembered: everybody asks about the same certificates in the same words."""

SHORT_PATH: Final = 1024
"""Characters up to which a path is remembered; strangers could fill a memory with long ones."""

CACHED_FOR: Final = timedelta(seconds=60)
"""How long a cache on the way may give out an answer: a hold must be seen soon (LIFE-3)."""

NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")


class RequestTooLarge(Exception):
    """The body or the path is larger than any honest request; only the wire sees this."""


class BodyCut(Exception):
    """The other side went away before its request was whole."""


@dataclass(frozen=True)
class Reply:
    """A whole answer, small enough for memory."""

    status: int
    body: bytes = b""
    content_type: bytes = b"text/plain; charset=utf-8"
    headers: Headers = field(default_factory=list)


async def read_body(receive: Receive, most_bytes: int) -> bytes:
    """Return the body of a request. Raises `RequestTooLarge` as soon as it is, and `BodyCut`."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyCut
        body += message.get("body", b"")
        if len(body) > most_bytes:
            raise RequestTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def ocsp_request_of_path(path: str, prefix: str) -> bytes:
    """Return the request that stands in base64 in the path, or nothing when that cannot be read.

    The base64 may be escaped or not, and its slashes too. Source: RFC 6960, appendix A.1.
    """
    if len(path) > MOST_REQUEST_BYTES:
        raise RequestTooLarge
    return (_remembered if len(path) <= SHORT_PATH else _from_base64)(path[len(prefix) + 1 :])


def _from_base64(escaped: str) -> bytes:
    text = unquote_to_bytes(escaped)
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


_remembered = lru_cache(maxsize=MOST_PATHS)(_from_base64)


def cache_headers(sha256: str, this_update: datetime, next_update: datetime, now: datetime) -> Headers:
    """Return the headers for a signed answer with this hash. Source: RFC 5019, section 6.2."""
    seconds = max(int(min(CACHED_FOR, next_update - now).total_seconds()), 0)
    return [
        (b"cache-control", b"public, no-transform, must-revalidate, max-age=%d" % seconds),
        (b"expires", http_date(int(now.timestamp()) + seconds)),
        (b"last-modified", http_date(int(this_update.timestamp()))),
        (b"etag", b'"%s"' % sha256.encode()),
    ]


@lru_cache(maxsize=MOST_PATHS)
def http_date(at_seconds: int) -> bytes:
    """Return a moment as HTTP writes it (RFC 9110, section 5.6.7)."""
    return format_datetime(datetime.fromtimestamp(at_seconds, UTC), usegmt=True).encode()


def fitted(reply: Reply, *, method: str, known: str) -> Reply:
    """Return the reply as it goes out: no body to HEAD, 304 to who has it, as `If-None-Match` says."""
    is_known = bool(known) and any(
        name == b"etag" and value.decode() in known for name, value in reply.headers
    )
    status = 304 if is_known and reply.status == 200 else reply.status  # noqa: PLR2004 - RFC 9110, section 15.3.1
    if status == 304:  # noqa: PLR2004 - RFC 9110, section 15.4.5
        return Reply(status, headers=[*reply.headers, NO_SNIFFING])
    headers = whole_headers(reply.content_type, len(reply.body), reply.headers)
    return Reply(status, b"" if method == "HEAD" else reply.body, headers=headers)


def whole_headers(content_type: bytes, length: int, headers: Headers) -> Headers:
    """Return all headers of a reply with a body."""
    return [
        *headers,
        NO_SNIFFING,
        (b"content-type", content_type),
        (b"content-length", b"%d" % length),
    ]


async def send_reply(scope: Scope, send: Send, reply: Reply) -> None:
    """Send a reply over ASGI."""
    asked = dict(scope["headers"]).get(b"if-none-match", b"")
    whole = fitted(reply, method=scope["method"], known=asked.decode("latin-1"))
    await send({"type": "http.response.start", "status": whole.status, "headers": whole.headers})
    await send({"type": "http.response.body", "body": whole.body})
