"""What the bare application needs of HTTP: reading a bounded body, base64 in a path, headers for caches."""

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import unquote_to_bytes

Scope = Mapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MOST_REQUEST_BYTES: Final = 8 * 1024
"""An OCSP request for one certificate is about a hundred bytes, with a signature two thousand."""

CACHED_FOR: Final = timedelta(seconds=60)
"""How long a cache on the way may give out an answer: a hold must be seen soon (LIFE-3)."""


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


def ocsp_request_of_path(scope: Scope, prefix: str) -> bytes:
    """Return the request that stands in base64 in the path, or nothing when that cannot be read.

    The base64 may be escaped or not, and its slashes too. Source: RFC 6960, appendix A.1.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    if len(raw) > MOST_REQUEST_BYTES:
        raise RequestTooLarge
    text = unquote_to_bytes(raw.partition(b"?")[0])[len(prefix) + 1 :]
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def cache_headers(body: bytes, this_update: datetime, next_update: datetime, now: datetime) -> Headers:
    """Return the headers for a signed answer with these times. Source: RFC 5019, section 6.2."""
    seconds = max(int(min(CACHED_FOR, next_update - now).total_seconds()), 0)
    return [
        (b"cache-control", b"public, no-transform, must-revalidate, max-age=%d" % seconds),
        (b"expires", _http_date(now + timedelta(seconds=seconds))),
        (b"last-modified", _http_date(this_update)),
        (b"etag", b'"%s"' % hashlib.sha256(body).hexdigest().encode()),
    ]


def _http_date(at: datetime) -> bytes:
    return format_datetime(at, usegmt=True).encode()


async def send_reply(scope: Scope, send: Send, reply: Reply) -> None:
    """Send an answer, without its body to HEAD, and 304 to who has it already."""
    asked = dict(scope["headers"]).get(b"if-none-match")
    is_known = asked is not None and any(name == b"etag" and value in asked for name, value in reply.headers)
    status = 304 if is_known and reply.status == 200 else reply.status  # noqa: PLR2004 - RFC 9110, section 15.3.1
    headers = [*reply.headers, (b"x-content-type-options", b"nosniff")]
    if status != 304:  # noqa: PLR2004 - RFC 9110, section 15.4.5
        headers += [(b"content-type", reply.content_type), (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b"" if status == 304 or scope["method"] == "HEAD" else reply.body  # noqa: PLR2004
    await send({"type": "http.response.body", "body": body})
