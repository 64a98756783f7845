"""Serves ASGI applications inside this process, each on its own address, and stops without cutting any off.

Granian's embedded server does the work (docs/decisions/0210-granian-embedded.md). It shares its port with any
other process that asks for it, so whether the port is free is looked at beforehand.
"""

import asyncio
import contextlib
import errno
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from zorgid.kernel.errors import Fault

HEADERS_WITHIN_MS: Final = 10_000
"""How long a client may take to send its headers."""

PAUSE_SECONDS: Final = 0.01

MOST_CONNECTIONS: Final = 10_000
"""Connections at once on one address; every browser on a login page holds one.

Granian takes 128 unless it is told otherwise, and then leaves the rest unanswered.
"""

WAITING_CONNECTIONS: Final = 1024
"""Connections that the system keeps for us until they are taken."""

FILES_BESIDE: Final = 1024
"""Open files that the process needs for other things than connections."""


class AddressTaken(Fault):
    """Another process listens on the address; the operator ends it or names another port."""


class ServerEnded(Fault):
    """A server stopped by itself; the operator looks at what the log says before it."""


@runtime_checkable
class OpensItself(Protocol):
    """An application with a door of its own."""

    def open(self, address: str, port: int, stop_within_seconds: float) -> AbstractAsyncContextManager[None]:
        """Answer on an address while the block runs."""
        ...


@dataclass(frozen=True)
class Door:
    """One address on which an application answers; with certificate and key it speaks TLS 1.2 or newer.

    An application that has a door of its own (`open`) is served by that, over plain HTTP.
    """

    application: ASGIApp
    address: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    is_shared: bool = False
    """Whether other processes of this machine may answer there too; the system divides connections."""


@asynccontextmanager
async def serving(*doors: Door, stop_within_seconds: float) -> AsyncIterator[None]:
    """Answer at all doors while the block runs.

    At the end no new request is taken and those that run may finish, for at most `stop_within_seconds`.

    Raises:
        AddressTaken: somebody else listens there.
        ServerEnded: a server stopped before the block did.
    """
    allow_open_files(len(doors) * MOST_CONNECTIONS + FILES_BESIDE)
    async with contextlib.AsyncExitStack() as stack:
        for door in doors:
            await stack.enter_async_context(_open(door, stop_within_seconds))
        yield


@asynccontextmanager
async def _open(door: Door, stop_within_seconds: float) -> AsyncIterator[None]:
    """Answer at one door while the block runs."""
    require_free(door.address, door.port, is_shared=door.is_shared)
    if isinstance(door.application, OpensItself):
        async with door.application.open(door.address, door.port, stop_within_seconds):
            yield
        return
    server = Server(
        door.application,
        address=door.address,
        port=door.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN_MS),
        websockets=False,
        log_enabled=False,
        backlog=WAITING_CONNECTIONS,
        backpressure=MOST_CONNECTIONS,
        ssl_protocol_min=SSLProtocols.tls12,
        ssl_cert=door.certificate,
        ssl_key=door.key,
    )
    running = asyncio.create_task(server.serve(), name=f"server {door.port}")
    await _until_answering(door, running)
    try:
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]  # it has no annotations
        await _end(running, stop_within_seconds)


async def _end(running: asyncio.Task[None], stop_within_seconds: float) -> None:
    """Wait until the server has finished its requests, and break them off when that takes too long."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(running, stop_within_seconds)


async def _until_answering(door: Door, running: asyncio.Task[None]) -> None:
    """Wait until the door takes connections. Raises `ServerEnded`."""
    while not running.done():
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(door.address, door.port)
            writer.close()
            return
        await asyncio.sleep(PAUSE_SECONDS)
    raise ServerEnded(f"the server on port {door.port} did not start") from running.exception()


def allow_open_files(wanted: int) -> None:
    """Let this process have so many files open, as far as the system allows it; never fewer than before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def require_free(address: str, port: int, *, is_shared: bool = False) -> None:
    """Check that nobody listens on the address, or nobody who does not share it. Raises `AddressTaken`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT if is_shared else socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            if not is_shared:  # or the probe would be given connections of others
                probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise AddressTaken(f"another process listens on {address}:{port}") from error
