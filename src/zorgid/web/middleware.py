"""What surrounds every request: its name in the logs, limits, protecting headers, an answer to a fault.

Plain ASGI, so that streams pass untouched. `protect` puts the layers in their order.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zorgid.kernel.codes import new_code
from zorgid.kernel.randomness import RandomSource
from zorgid.logs import route_of
from zorgid.storage.database import Origin
from zorgid.web.errors import BodyTooLarge
from zorgid.web.policy import PLAIN_PAGE

log = structlog.get_logger("zorgid.web")

REFERENCE_LENGTH: Final = 12
LARGEST_BODY_BYTES: Final = 256 * 1024
"""Larger than any form, token request or set of three certificate requests with attestations."""

FOR_MACHINES_IN_FRONT: Final = frozenset({"/health", "/ready"})
"""Addresses that a load balancer asks under whatever name it knows."""

HEADERS: Final = {
    "content-security-policy": PLAIN_PAGE,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""Set unless the handler set its own. A year of HSTS comes with them outside the demo."""

YEAR_OF_TLS: Final = "max-age=31536000; includeSubDomains"

FaultPage = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Surroundings:
    """What the layers need to know of the platform."""

    node: str
    hosts: frozenset[str]
    trusted_proxies: Collection[str]
    is_secure: bool
    random: RandomSource
    fault_page: FaultPage
    stopping: asyncio.Event


def protect(application: ASGIApp, around: Surroundings) -> ASGIApp:
    """Return the application with all layers around it, the first to see a request outermost."""
    layers = Named(Headed(Guarded(Bounded(Released(application, around)), around), around), around)
    return Entrance(application, layers)


class Entrance:
    """Leads requests through the layers, and what is none, as the start of the application, past them."""

    def __init__(self, inner: ASGIApp, layers: ASGIApp) -> None:
        self._inner = inner
        self._layers = layers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or hand on what is none."""
        await (self._layers if scope["type"] == "http" else self._inner)(scope, receive, send)


class Named:
    """Gives each request its reference and origin, and writes one line about it in the log."""

    def __init__(self, inner: ASGIApp, around: Surroundings) -> None:
        self._inner = inner
        self._around = around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        origin = self._believe(scope)
        scope["zorgid.origin"] = origin
        begun = time.perf_counter()
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = (b"x-request-id", origin.request_id.encode("latin-1"))
                message["headers"] = [*message["headers"], named]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=origin.request_id):
            try:
                await self._inner(scope, receive, send_named)
            finally:
                spent_ms = round((time.perf_counter() - begun) * 1000, 1)
                route = route_of(scope)
                log.info("request", method=scope["method"], route=route, status=status, spent_ms=spent_ms)

    def _believe(self, scope: Scope) -> Origin:
        """Return the origin of the request; a trusted proxy in front tells address and scheme."""
        client = scope.get("client")
        address = client[0] if client else None
        if address in self._around.trusted_proxies:
            headers = Headers(scope=scope)
            address = headers.get("x-forwarded-for", address or "").rpartition(",")[2].strip() or None
            scope["scheme"] = headers.get("x-forwarded-proto", scope["scheme"])
        return Origin(new_code(REFERENCE_LENGTH, self._around.random), address, self._around.node)


class Headed:
    """Adds the protecting headers that the handler did not set itself."""

    def __init__(self, inner: ASGIApp, around: Surroundings) -> None:
        self._inner = inner
        told = HEADERS | ({"strict-transport-security": YEAR_OF_TLS} if around.is_secure else {})
        self._headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message["headers"])
                names = {name for name, _ in given}
                message["headers"] = given + [one for one in self._headers if one[0] not in names]
            await send(message)

        await self._inner(scope, receive, send_headed)


class Guarded:
    """Refuses requests for another host or no address, and answers faults with a reference, not a trace."""

    def __init__(self, inner: ASGIApp, around: Surroundings) -> None:
        self._inner = inner
        self._around = around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not self._is_for_us(scope):
            await PlainTextResponse("This address does not belong to ZORG-ID.\n", 421)(scope, receive, send)
            return
        if "\0" in scope["path"]:  # no text of the database can hold it, so it names nothing
            await PlainTextResponse("There is nothing at this address.\n", 404)(scope, receive, send)
            return
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._inner(scope, receive, send_noting)
        except Exception:
            log.exception("fault", route=route_of(scope))
            if has_begun:
                raise
            await (await self._around.fault_page(Request(scope)))(scope, receive, send)

    def _is_for_us(self, scope: Scope) -> bool:
        """Tell whether the request names a host of ours (RFC 9110, section 7.2)."""
        if scope["path"] in FOR_MACHINES_IN_FRONT:
            return True
        return Headers(scope=scope).get("host", "").lower() in self._around.hosts


class Bounded:
    """Stops reading a body that is larger than any of our addresses takes."""

    def __init__(self, inner: ASGIApp, largest_bytes: int = LARGEST_BODY_BYTES) -> None:
        self._inner = inner
        self._largest = largest_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; reading too much raises `BodyTooLarge` in the handler."""
        read = 0

        async def receive_bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._largest:
                raise BodyTooLarge(limit_bytes=self._largest)
            return message

        await self._inner(scope, receive_bounded, send)


class Released:
    """Ends event streams when the platform stops, so that they do not hold it up; browsers come back."""

    def __init__(self, inner: ASGIApp, around: Surroundings) -> None:
        self._inner = inner
        self._stopping = around.stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if "text/event-stream" not in Headers(scope=scope).get("accept", ""):
            await self._inner(scope, receive, send)
            return
        stream = asyncio.ensure_future(self._inner(scope, receive, send))
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((stream, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not stream.done():
                stream.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stream


def host_of(origin: str) -> str:
    """Return host and port of an origin as the `Host` header names them."""
    return urlsplit(origin).netloc.lower()
