"""A bare application, without a framework: OCSP is asked more than anything else (design.md, chapter 8).

Granian serves it over its own interface (RSGI), which costs half of ASGI; everything else may use ASGI.
"""

import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from zorgid.ca.answers import OcspResponder
from zorgid.ca.errors import CrlMissing
from zorgid.ca.model import AuthorityName, Hierarchy, PublishedCrl
from zorgid.ca.publication import current_crl, current_crl_number
from zorgid.kernel.clock import Clock
from zorgid.storage.database import Database, Origin
from zorgid.web.pki.wire import (
    MOST_REQUEST_BYTES,
    BodyCut,
    Headers,
    Receive,
    Reply,
    RequestTooLarge,
    RsgiProtocol,
    RsgiScope,
    Scope,
    Send,
    cache_headers,
    fitted,
    ocsp_request_of_path,
    read_body,
    read_chunks,
    send_reply,
)

logger = logging.getLogger(__name__)

OCSP_PATH: Final = "/ocsp"
READING: Final = ("GET", "HEAD")


@dataclass(frozen=True)
class Asked:
    """A request over either interface; the raw path may be escaped still."""

    method: str
    path: str
    raw_path: str
    body: Callable[[], Awaitable[bytes]]


@dataclass
class PkiApp:
    """Serves `/ocsp`, `/crl/<name>.crl` and `/ca/<name>.cer`; everything else is not found."""

    database: Database
    hierarchy: Hierarchy
    responder: OcspResponder
    clock: Clock
    origin: Origin
    _crls: dict[AuthorityName, PublishedCrl] = field(default_factory=dict)

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

    async def __rsgi__(self, scope: RsgiScope, protocol: RsgiProtocol) -> None:
        """Answer one request (RSGI 1)."""
        asked = Asked(
            scope.method, scope.path, scope.path, partial(read_chunks, protocol, MOST_REQUEST_BYTES)
        )
        with contextlib.suppress(BodyCut):
            reply = await self._safe_reply(asked)
            whole = fitted(reply, method=scope.method, known=scope.headers.get("if-none-match") or "")
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in whole.headers]
            protocol.response_bytes(whole.status, headers, whole.body)

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
        if path == OCSP_PATH or path.startswith(f"{OCSP_PATH}/"):
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
                return Reply(404)

    async def _ocsp(self, asked: Asked) -> Reply:
        try:
            match asked.method:
                case "POST" if asked.path == OCSP_PATH:
                    answer = await self.responder.answer(await asked.body())
                    return Reply(
                        200, answer.der, b"application/ocsp-response", [(b"cache-control", b"no-store")]
                    )
                case "GET" | "HEAD":
                    answer = await self.responder.answer(ocsp_request_of_path(asked.raw_path, OCSP_PATH))
                case _:
                    return Reply(405, headers=[(b"allow", b"GET, HEAD, POST")])
        except RequestTooLarge:
            return Reply(413)
        headers: Headers = [(b"cache-control", b"no-store")]
        if answer.this_update is not None and answer.next_update is not None:
            headers = cache_headers(answer.sha256, answer.this_update, answer.next_update, self.clock())
        return Reply(200, answer.der, b"application/ocsp-response", headers)

    async def _crl(self, name: AuthorityName | None) -> Reply:
        if name is None:
            return Reply(404)
        async with self.database.work(self.origin) as work:
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
            return Reply(404)
        der = self.hierarchy.named(name).certificate.public_bytes(Encoding.DER)
        return Reply(200, der, b"application/pkix-cert", [(b"cache-control", b"public, max-age=86400")])


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
