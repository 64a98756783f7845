"""A bare application, without a framework: OCSP is asked more than anything else.

It has a door of its own (docs/decisions/0360-own-door-for-ocsp.md); over ASGI it answers the same.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import Final
from urllib.parse import unquote

from cryptography.hazmat.primitives.serialization import Encoding

from zorgid.ca.answers import OcspResponder
from zorgid.ca.errors import CrlMissing
from zorgid.ca.model import AuthorityName, Hierarchy, PublishedCrl
from zorgid.ca.publication import current_crl, current_crl_number
from zorgid.kernel.clock import Clock
from zorgid.storage.database import Database, Origin
from zorgid.web.pki.door import open_plainly
from zorgid.web.pki.http1 import Head, Request, written
from zorgid.web.pki.wire import (
    MOST_REQUEST_BYTES,
    BodyCut,
    Headers,
    Receive,
    Reply,
    RequestTooLarge,
    Scope,
    Send,
    cache_headers,
    http_date,
    ocsp_request_of_path,
    read_body,
    send_reply,
    whole_headers,
)

logger = logging.getLogger(__name__)

OCSP_PATH: Final = "/ocsp"
OCSP_BELOW: Final = f"{OCSP_PATH}/"
OCSP_TYPE: Final = b"application/ocsp-response"
READING: Final = ("GET", "HEAD")

NOTHING_HERE: Final = (
    b"Dit adres is voor programma's die kaarten controleren; voor mensen is hier niets te zien. / "
    b"This address is for programs that check cards; there is nothing here for people to see.\n"
)
"""A browser shows an error page of its own for an answer without a body, as if the platform were down."""

LISTS_AT_ONCE: Final = 2
"""Lists that are looked up at the same time; who waits finds a long new one in memory."""

SECONDS_REMEMBERED: Final = 1_000
"""Answers, each in one second, of which the headers are kept finished."""


@dataclass(frozen=True)
class Asked:
    """A request; the raw path may be escaped still."""

    method: str
    path: str
    raw_path: str
    body: Callable[[], Awaitable[bytes]]


@dataclass
class PkiApp:
    """Serves `/ocsp`, `/crl/<name>.crl` and `/ca/<name>.cer`; everything else is not found, and says so."""

    database: Database
    hierarchy: Hierarchy
    responder: OcspResponder
    clock: Clock
    origin: Origin
    _crls: dict[AuthorityName, PublishedCrl] = field(default_factory=dict)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LISTS_AT_ONCE))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        asked = Asked(
            scope["method"],
            scope["path"],
            raw.partition(b"?")[0].decode("latin-1"),
            partial(read_body, receive, MOST_REQUEST_BYTES),
        )
        with contextlib.suppress(BodyCut):
            await send_reply(scope, send, await self._safe_reply(asked))

    def at_once(self, head: Head) -> bytes | None:
        """Return the whole answer to what nearly everybody asks: by GET, about what is in memory.

        It is what the long way gives, which everything else goes.
        """
        path = head.path
        if head.method != "GET" or not path.startswith(OCSP_BELOW) or len(path) > MOST_REQUEST_BYTES:
            return None
        now = self.clock()
        kept = self.responder.remembered(ocsp_request_of_path(path, OCSP_PATH), now)
        if kept is None or head.known:
            return None
        moments = (kept.this_update, kept.next_update, now.replace(microsecond=0))
        return _finished_head(kept.sha256, len(kept.der), *moments, is_last=head.is_last) + kept.der

    async def reply(self, request: Request) -> Reply:
        """Return the reply to a whole request, whatever breaks."""

        async def body() -> bytes:
            return request.body

        head = request.head
        return await self._safe_reply(Asked(head.method, unquote(head.path), head.path, body))

    def date(self) -> bytes:
        """Return the date that an answer bears (RFC 9110, section 6.6.1)."""
        return http_date(int(self.clock().timestamp()))

    def open(self, address: str, port: int, stop_within_seconds: float) -> AbstractAsyncContextManager[None]:
        """Answer on an address, over plain HTTP, while the block runs."""
        return open_plainly(self, address, port, stop_within_seconds=stop_within_seconds)

    async def _safe_reply(self, asked: Asked) -> Reply:
        """Return the reply, whatever breaks. Raises `BodyCut`."""
        try:
            return await self._reply(asked)
        except BodyCut:
            raise
        except Exception as exception:  # the edge: whatever broke, nothing is said about any certificate
            logger.exception("no answer about certificates", extra={"reason": type(exception).__name__})
            return Reply(503, headers=[(b"retry-after", b"5"), (b"cache-control", b"no-store")])

    async def _reply(self, asked: Asked) -> Reply:
        path = asked.path
        if path == OCSP_PATH or path.startswith(OCSP_BELOW):
            return await self._ocsp(asked)
        if asked.method not in READING:
            return Reply(405, headers=[(b"allow", b"GET, HEAD")])
        folder, _, name = path.removeprefix("/").partition("/")
        match folder:
            case "crl":
                return await self._crl(_authority(name, ".crl"))
            case "ca":
                return self._certificate(_authority(name, ".cer"))
            case _:
                return Reply(404, NOTHING_HERE)

    async def _ocsp(self, asked: Asked) -> Reply:
        try:
            match asked.method:
                case "POST" if asked.path == OCSP_PATH:
                    answer = await self.responder.answer(await asked.body())
                    return Reply(200, answer.der, OCSP_TYPE, [(b"cache-control", b"no-store")])
                case "GET" | "HEAD":
                    answer = await self.responder.answer(ocsp_request_of_path(asked.raw_path, OCSP_PATH))
                case _:
                    return Reply(405, headers=[(b"allow", b"GET, HEAD, POST")])
        except RequestTooLarge:
            return Reply(413)
        headers: Headers = [(b"cache-control", b"no-store")]
        if answer.this_update is not None and answer.next_update is not None:
            headers = cache_headers(answer.sha256, answer.this_update, answer.next_update, self.clock())
        return Reply(200, answer.der, OCSP_TYPE, headers)

    async def _crl(self, name: AuthorityName | None) -> Reply:
        if name is None:
            return Reply(404, NOTHING_HERE)
        async with self._turns, self.database.work(self.origin) as work:
            number = await current_crl_number(work, name)
            kept = self._crls.get(name)
            if kept is not None and kept.number == number:
                return self._crl_reply(kept)
            try:
                crl = await current_crl(work, name)
            except CrlMissing:
                return Reply(404)
        self._crls[name] = crl
        return self._crl_reply(crl)

    def _crl_reply(self, crl: PublishedCrl) -> Reply:
        headers = cache_headers(_sha256(crl.der), crl.this_update, crl.next_update, self.clock())
        return Reply(200, crl.der, b"application/pkix-crl", headers)

    def _certificate(self, name: AuthorityName | None) -> Reply:
        if name is None:
            return Reply(404, NOTHING_HERE)
        der = self.hierarchy.named(name).certificate.public_bytes(Encoding.DER)
        return Reply(200, der, b"application/pkix-cert", [(b"cache-control", b"public, max-age=86400")])


@lru_cache(maxsize=SECONDS_REMEMBERED)
def _finished_head(
    sha256: str, length: int, this_update: datetime, next_update: datetime, second: datetime, *, is_last: bool
) -> bytes:
    """Return the head of one answer by GET, which is the same throughout a second."""
    caching = cache_headers(sha256, this_update, next_update, second)
    whole = Reply(200, headers=whole_headers(OCSP_TYPE, length, caching))
    return written(whole, http_date(int(second.timestamp())), is_last=is_last)


@lru_cache(maxsize=len(AuthorityName))
def _sha256(crl: bytes) -> str:
    """Return the hash of a CRL, which may be long and is asked for again and again."""
    return hashlib.sha256(crl).hexdigest()


def _authority(file_name: str, ending: str) -> AuthorityName | None:
    """Return the authority whose file this is, or None when there is no such file."""
    name = file_name.removesuffix(ending)
    return AuthorityName(name) if file_name.endswith(ending) and name in AuthorityName.__members__ else None


async def _live(receive: Receive, send: Send) -> None:
    """Agree to start and stop; what lives longer than a request is made and ended in `app.py`."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
