"""A platform for the bench: settings of acceptance, so every check, durable commits and no TLS of its own.

It runs as `zorgid serve` does, in one process, behind what stands for a proxy that speaks TLS: the generators
name the addresses that requests come from, so that the limits for each address count as in life.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from tests.app_builders import register_in, write_trust_folder

from bench.processes import Server, free_port, serving
from zorgid.ca.keys import KeyProvider
from zorgid.demo.uzi_trust import trust_in
from zorgid.opening import open_database, open_keys
from zorgid.settings import Settings
from zorgid.storage.database import Database, Origin, Work
from zorgid.storage.embedded import OWNER, SUPERUSER, EmbeddedPostgres
from zorgid.storage.migrate import migrate

ROOT = Path(__file__).parent.parent
VAR = ROOT / "var" / "bench"
HOST = "zorgid.bench.example"
ORIGIN = Origin(request_id="bench", address=None, node="bench")
PKI = 4
BESIDE = (2, PKI, 5)
"""Ports beside that of the platform, as in the demo: care application, OCSP and CRL, test UZI register."""

PEER = "peer"
"""The database of a peer, on the same server."""


@dataclass(frozen=True)
class House:
    """A platform that was made, but does not run yet; its database does."""

    folder: Path
    settings: Settings
    postgres: EmbeddedPostgres
    environment: dict[str, str]

    @contextmanager
    def running(self, node: str = "bench") -> Iterator[Server]:
        """Run `zorgid serve` while the block does; a node of another name has ports of its own."""
        main = self.settings.listen_port if node == "bench" else free_port(beside=BESIDE)
        environment = {**self.environment, **_own(node, main)}
        command = [sys.executable, "-m", "zorgid.cli", "serve"]
        # the door of OCSP opens last
        log = self.folder / f"{node}.log"
        with serving(command, main + PKI, log=log, env=environment) as server:
            yield Server(server.process_id, main)

    def zorgid(self, *arguments: str | Path) -> str:
        """Run a command of the platform and return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "zorgid.cli", *map(str, arguments)],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"zorgid {arguments}: {done.stderr}")
        return done.stdout

    @asynccontextmanager
    async def database(self) -> AsyncIterator[tuple[Database, KeyProvider]]:
        """Open the database and the keys in this process, to prepare and to check."""
        keys = open_keys(self.settings)
        async with open_database(self.settings, self.postgres.url(), keys) as database:
            yield database, keys

    def in_work(self, action: Callable[[Work], Awaitable[None]]) -> None:
        """Run one action on the database."""

        async def run() -> None:
            async with self.database() as (database, _), database.work(ORIGIN) as work:
                await action(work)

        asyncio.run(run())

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Return the rows of a query on the platform's database."""
        with psycopg.connect(self.postgres.url()) as connection:
            return connection.execute(query.encode(), values).fetchall()

    @property
    def postgres_id(self) -> int:
        """The process at the root of the database server."""
        found = self.postgres.process_id
        assert found is not None
        return found


@contextmanager
def house(name: str, *, is_demo: bool = False) -> Iterator[House]:
    """Make a platform with an empty database of its own; throw it away at the end.

    `is_demo` leaves out what only a proxy in front could give, for clients that are no generators of ours;
    who asks for it makes the trust folder.
    """
    VAR.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=VAR))
    folder.chmod(0o755)
    postgres = EmbeddedPostgres(folder / "postgres")
    url = postgres.start()
    try:
        migrate(url)
        (folder / "trust").mkdir()
        environment = (_demo if is_demo else _acceptance)(folder, url)
        made = House(folder, Settings.from_environment(environment), postgres, environment)
        made.zorgid("ca", "init", *([] if is_demo else _root_keys(folder)))
        yield made
    finally:
        postgres.discard()
        shutil.rmtree(folder)


def peer_database(house: House) -> str:
    """Make an empty database for a peer on the same server and return its address."""
    with psycopg.connect(house.postgres.url(SUPERUSER, SUPERUSER), autocommit=True) as connection:
        names = (sql.Identifier(PEER), sql.Identifier(OWNER))
        connection.execute(sql.SQL("drop database if exists {}").format(names[0]))
        connection.execute(sql.SQL("create database {} owner {}").format(*names))
    return house.postgres.url(PEER)


def _acceptance(folder: Path, url: str) -> dict[str, str]:
    passphrase = folder / "passphrase"
    passphrase.write_text("a passphrase of the bench, nowhere else")
    write_trust_folder(folder / "trust", trust_in(register_in(folder)))
    return {
        **_everywhere(folder, url),
        "ZORGID_ENVIRONMENT": "acceptance",
        "ZORGID_KEY_PASSPHRASE_FILE": str(passphrase),
        "ZORGID_SEALS_FOLDER": str(folder / "seals"),
        "ZORGID_ORIGIN": f"https://{HOST}",
        "ZORGID_TRUSTED_PROXIES": "127.0.0.1",
    }


def _demo(folder: Path, url: str) -> dict[str, str]:
    given = _everywhere(folder, url)
    return {**given, "ZORGID_ORIGIN": f"http://localhost:{given['ZORGID_LISTEN_PORT']}"}


def _everywhere(folder: Path, url: str) -> dict[str, str]:
    main = free_port(beside=BESIDE)
    return {
        **_own("bench", main),
        "ZORGID_DATABASE_URL": url,
        "ZORGID_DATA_FOLDER": str(folder),
        "ZORGID_TRUST_FOLDER": str(folder / "trust"),
        "ZORGID_PKI_ORIGIN": f"http://127.0.0.1:{main + PKI}",
    }


def _own(node: str, main: int) -> dict[str, str]:
    """Return what differs from node to node."""
    return {
        "ZORGID_NODE": node,
        "ZORGID_LISTEN_PORT": str(main),
        "ZORGID_PKI_LISTEN_PORT": str(main + PKI),
    }


def _root_keys(folder: Path) -> list[str | Path]:
    """Give the root keys a home of their own, as outside the demo."""
    passphrase = folder / "root-passphrase"
    passphrase.write_text("another passphrase of the bench")
    return ["--root-keys", folder / "root-keys", "--root-passphrase-file", passphrase]
