"""HTTP/1.1 as far as certificates need it: reads a request strictly, writes a whole answer.

No chunks come in, nothing is switched or compressed, and whatever could be read in two ways is refused, so
that a proxy in front and this reader never disagree about where a request ends.

Source: RFC 9112; RFC 9110 for what the fields mean.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from zorgid.web.pki.wire import MOST_REQUEST_BYTES, Reply

MOST_HEAD_BYTES: Final = 16 * 1024
MOST_FIELDS: Final = 100
"""More than any program or proxy sends; reading thousands of tiny ones takes milliseconds, for everybody."""
HEAD_ENDS: Final = b"\r\n\r\n"
SHORT_HEAD_BYTES: Final = 1024
"""Heads up to here are remembered: a program asks about the same certificate in the same words."""
REMEMBERED_HEADS: Final = 10_000

_REQUEST_LINE: Final = re.compile(rb"([A-Z]+) (/[\x21-\x7e]*|\*|http://[\x21-\x7e]+) HTTP/1\.([01])")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\x20-\x7e\x80-\xff\t]*)")
_ORIGIN: Final = re.compile(r"\Ahttp://[^/?]*")


class NotUnderstood(Exception):
    """A request that is not answered but with a status; the connection ends with it."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Head:
    """What a request says before its body."""

    method: str
    path: str
    """As it came, without the query."""
    body_bytes: int = 0
    known: str = ""
    """The answer that the other side has already (If-None-Match)."""
    is_last: bool = False
    """The other side asks nothing more on this connection."""
    awaits_word: bool = False
    """The body comes when we say so (Expect: 100-continue)."""


@dataclass(frozen=True)
class Request:
    """A whole request; `used` bytes of what was received are it."""

    head: Head
    body: bytes
    used: int


def head_of(received: bytes) -> tuple[Head, int] | None:
    """Return the head that stands first in what was received, and its bytes; None until it is whole.

    Raises `NotUnderstood`.
    """
    ends = received.find(HEAD_ENDS)
    if ends < 0:
        if len(received) > MOST_HEAD_BYTES:
            raise NotUnderstood(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        return None
    if ends > MOST_HEAD_BYTES:
        raise NotUnderstood(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    text = received[:ends]
    return (_remembered(text) if ends <= SHORT_HEAD_BYTES else read_head(text)), ends + len(HEAD_ENDS)


def request_of(received: bytes) -> Request | Head | None:
    """Return the first request once it is whole, its head while only the body is missing, else None.

    Raises `NotUnderstood`.
    """
    found = head_of(received)
    if found is None:
        return None
    head, begins = found
    ends = begins + head.body_bytes
    return Request(head, received[begins:ends], ends) if len(received) >= ends else head


def length_of(head: Head, received: bytes) -> int:
    """Return how many bytes the request with this head, which stands first in what was received, takes."""
    return received.index(HEAD_ENDS) + len(HEAD_ENDS) + head.body_bytes


def read_head(text: bytes) -> Head:
    """Return what a head says, given without the empty line that ends it. Raises `NotUnderstood`."""
    first, *lines = text.split(b"\r\n", MOST_FIELDS + 1)
    if len(lines) > MOST_FIELDS:
        raise NotUnderstood(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    asked = _REQUEST_LINE.fullmatch(first)
    if asked is None:
        raise NotUnderstood(HTTPStatus.BAD_REQUEST)
    method, target, minor = (part.decode("ascii") for part in asked.groups())
    fields = _fields(lines)
    if "transfer-encoding" in fields:
        raise NotUnderstood(HTTPStatus.LENGTH_REQUIRED)
    if minor == "1" and len(fields.get("host", ())) != 1:
        raise NotUnderstood(HTTPStatus.BAD_REQUEST)  # RFC 9112, section 3.2
    wishes = {word.strip().lower() for value in fields.get("connection", ()) for word in value.split(",")}
    return Head(
        method=method,
        path=_ORIGIN.sub("", target).partition("?")[0] or "/",
        body_bytes=_body_bytes(fields.get("content-length", [])),
        known=", ".join(fields.get("if-none-match", ())),
        is_last=minor == "0" or "close" in wishes,
        awaits_word=minor == "1" and "100-continue" in map(str.lower, fields.get("expect", ())),
    )


def _fields(lines: list[bytes]) -> dict[str, list[str]]:
    """Return the fields by name in lower letters. Raises `NotUnderstood` for a line that is none."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise NotUnderstood(HTTPStatus.BAD_REQUEST)
        name, value = (part.decode("latin-1") for part in field.groups())
        fields.setdefault(name.lower(), []).append(value.strip(" \t"))
    return fields


def _body_bytes(lengths: list[str]) -> int:
    if not lengths:
        return 0
    (length, *more) = set(lengths)
    if more or not (length.isascii() and length.isdigit()):
        raise NotUnderstood(HTTPStatus.BAD_REQUEST)  # RFC 9112, section 6.3
    if len(length) > len(str(MOST_REQUEST_BYTES)) or int(length) > MOST_REQUEST_BYTES:
        raise NotUnderstood(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return int(length)


_remembered = lru_cache(maxsize=REMEMBERED_HEADS)(read_head)


def written(reply: Reply, date: bytes, *, is_last: bool) -> bytes:
    """Return a whole answer as it goes over the wire, but for its body; `reply` has all its headers."""
    lines = [
        b"HTTP/1.1 %d %s" % (reply.status, HTTPStatus(reply.status).phrase.encode()),
        *(b"%s: %s" % field for field in reply.headers),
        b"date: %s" % date,
        *([b"connection: close"] if is_last else ()),
    ]
    return b"\r\n".join(lines) + HEAD_ENDS
