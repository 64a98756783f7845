"""Nodes of the platform as processes of their own on one database, and what stands in front of them.

The platform in the test's process prepares keys, hierarchy and world, and looks into the database; the nodes answer.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.serialization import Encoding
from tests.app_builders import write_trust_folder
from tests.ports import free_port
from tests.scenarios.attack_world import AttackWorld
from tests.scenarios.world import UP_WITHIN_SECONDS

OF_PROGRAMS = ("/ready", "/oauth/.well-known", "/oauth/connect/token")
"""Requests of the test itself, and of the portal to the identity server in the same process."""


@dataclass
class Node:
    """One process that serves."""

    name: str
    variables: dict[str, str]
    port: int
    process: asyncio.subprocess.Process | None = None
    errors: list[str] = field(default_factory=list)
    _reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and wait until it is ready."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "zorgid.cli", "serve", env=self.variables, stderr=asyncio.subprocess.PIPE
        )
        self._reader = asyncio.create_task(self._read())
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(UP_WITHIN_SECONDS):
            while True:
                assert self.process.returncode is None, self.errors
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"http://127.0.0.1:{self.port}/ready")).status_code == 200:
                        return
                await asyncio.sleep(0.05)

    async def _read(self) -> None:
        assert self.process
        assert self.process.stderr
        async for line in self.process.stderr:
            self.errors.append(line.decode())

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        assert self.process
        self.process.send_signal(number)
        code = await asyncio.wait_for(self.process.wait(), 60)
        assert self._reader
        await self._reader
        return code

    def kill(self) -> None:
        """Kill it at once, from any thread."""
        assert self.process
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)

    @property
    def begun(self) -> int:
        """How many requests of people and apps the node began, as its log tells."""
        lines = [json.loads(line) for line in self.errors]
        requests = [line["route"] for line in lines if line["event"] == "request"]
        return len([route for route in requests if not route.startswith(OF_PROGRAMS)])

    @property
    def faults(self) -> list[str]:
        """What the node's log says of errors."""
        return [line for line in self.errors if json.loads(line)["level"] == "error"]

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None


def node_of(world: AttackWorld, name: str) -> Node:
    """A node with the settings of the world's platform, on ports of its own."""
    settings, port, pki = world.running.settings, free_port(), free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ZORGID_")}
    variables = {
        **kept,
        "PYTHONPATH": "src",
        "ZORGID_NODE": name,
        "ZORGID_DATA_FOLDER": str(settings.data_folder),
        "ZORGID_DATABASE_URL": settings.database_url or "",
        "ZORGID_ORIGIN": settings.origin,
        "ZORGID_LISTEN_PORT": str(port),
        "ZORGID_PKI_ORIGIN": settings.pki_origin,
        "ZORGID_PKI_LISTEN_PORT": str(pki),
        "ZORGID_TRUST_FOLDER": str(settings.data_folder / "trust"),
        "ZORGID_CARD_KEY_KIND": "p256",
        "ZORGID_STOP_WITHIN_SECONDS": "600",  # `end` waits less long: who stops has finished, and broke nothing off
        "ZORGID_LOG_LEVEL": "info",
    }
    return Node(name, variables, port)


def write_trust(world: AttackWorld) -> None:
    """Write down what the processes trust: the test register and the test root of the virtual cards."""
    folder = world.running.settings.data_folder / "trust"
    if folder.exists():
        return
    write_trust_folder(folder, world.world.trust)
    (folder / "attestation" / "test").mkdir(parents=True)
    root = world.world.attestation_root.certificate.public_bytes(Encoding.PEM)
    (folder / "attestation" / "test" / "root.pem").write_bytes(root)


@dataclass
class Balancer:
    """Hands each request to a node that takes connections, and notes the requests that got no answer."""

    nodes: list[Node]
    choose: Callable[[list[Node]], Node] = random.choice
    lost: list[tuple[float, str, str]] = field(default_factory=list)
    """When the request was sent, to which node, and its path."""
    answered: Counter[str] = field(default_factory=Counter)
    """How many requests each node answered."""

    def order(self) -> list[Node]:
        """The nodes in the order in which a request is offered to them."""
        first = self.choose(self.nodes)
        return [first, *(node for node in self.nodes if node is not first)]

    @staticmethod
    def at(request: httpx.Request, node: Node) -> httpx.Request:
        """The same request for the port of a node; the host that it names stays."""
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"connection"]
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=node.port)
        return httpx.Request(
            request.method, url, headers=[*headers, (b"Connection", b"close")], content=request.content
        )


class Front(httpx.AsyncBaseTransport):
    """The balancer as a browser or a hostile app reaches it."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._inner = httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        for node in self._balancer.order():
            sent_at = time.monotonic()
            try:
                answer = await self._inner.handle_async_request(self._balancer.at(request, node))
                content = await answer.aread()
                await answer.aclose()
            except httpx.ConnectError:
                continue
            except httpx.TransportError:
                self._balancer.lost.append((sent_at, node.name, request.url.path))
                raise
            self._balancer.answered[node.name] += 1
            headers = [item for item in answer.headers.raw if item[0].lower() != b"content-encoding"]
            return httpx.Response(answer.status_code, headers=headers, content=content, request=request)
        raise httpx.ConnectError("no node takes connections")

    async def aclose(self) -> None:
        await self._inner.aclose()


class FrontInThread(httpx.BaseTransport):
    """The balancer as the Desktop App's own flow reaches it; `before` is told of every request that is sent."""

    def __init__(self, balancer: Balancer, before: Callable[[str, Node], None] = lambda _, __: None) -> None:
        self._balancer = balancer
        self._before = before
        self._inner = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        for node in self._balancer.order():
            self._before(request.url.path, node)
            try:
                answer = self._inner.handle_request(self._balancer.at(request, node))
                content = answer.read()
                answer.close()
            except httpx.ConnectError:
                continue
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=content, request=request
            )
        raise httpx.ConnectError("no node takes connections")


def kill_after(node: Node, seconds: float) -> None:
    """Kill a node a little later, whatever the test does meanwhile."""
    threading.Timer(seconds, node.kill).start()


@asynccontextmanager
async def nodes_of(world: AttackWorld, *names: str) -> AsyncIterator[list[Node]]:
    """Run nodes while the block does; those that still run at the end must stop cleanly."""
    write_trust(world)
    nodes = [node_of(world, name) for name in names]
    try:
        await asyncio.gather(*(node.start() for node in nodes))
        yield nodes
        for node in nodes:
            if node.is_running:
                assert await node.end(signal.SIGTERM) == 0, node.errors
    finally:
        for node in nodes:
            if node.is_running:
                node.kill()


async def audit_verify(world: AttackWorld) -> tuple[int, str]:
    """Run `zorgid audit verify` as an operator does; return its exit code and what it says."""
    command = [sys.executable, "-m", "zorgid.cli", "audit", "verify"]
    process = await asyncio.create_subprocess_exec(
        *command, env=node_of(world, "operator").variables, stdout=-1, stderr=-1
    )
    said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, (said + complained).decode()


def with_front(client: httpx.AsyncClient, balancer: Balancer) -> Any:
    """Let a client of the world go through the balancer."""
    client._transport = Front(balancer)
    client._mounts = {}
    return client
