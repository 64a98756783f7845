"""What every test may ask for: a clock that stands still, and the real database engine.

PostgreSQL runs for the whole session. Its template database is migrated once; each test that asks for a database
gets a copy of its own, which is thrown away afterwards.
"""

import fcntl
import hmac
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from tests.clock import FakeClock
from tests.workers import workers_here
from zorgid.kernel.randomness import RandomSource, system_random
from zorgid.storage.binaries import Binaries
from zorgid.storage.database import Database, Mac, Origin, Work
from zorgid.storage.embedded import OWNER, SUPERUSER, EmbeddedPostgres
from zorgid.storage.migrate import migrate
from zorgid.storage.processes import workers_in

TEMPLATE = "zorgid_template"
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # its transactions would hold up the sealing of the audit log at random moments
    "max_connections": "200",
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "dynamic_shared_memory_type": "mmap",  # in the data folder, so that it goes with it
}
DEBIANS = Path("/usr/lib/postgresql/15/bin")
"""The oldest PostgreSQL that is served (ALL-3)."""

ALL_ON = os.environ.get("ZORGID_TEST_POSTGRESQL")
"""A folder of programs on which all tests run, in place of those that come along."""

PREFIX = "zorgid-test-"
MEMORY = Path("/dev/shm")
ROOM_BYTES = 2_000_000_000

numbers = itertools.count(1)

# Where it is set, Python writes at once what a program forgot to flush; on most computers it is not set.
os.environ.pop("PYTHONUNBUFFERED", None)
# Whoever asks this very computer needs no proxy; the package registries may.
for variable in ("no_proxy", "NO_PROXY"):
    os.environ[variable] = ",".join(filter(None, (os.environ.get(variable), "localhost,127.0.0.1,::1")))

# How long an example takes says how busy the machine is; what is too slow is measured in bench.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Say what `-n auto` means, unless the variable of pytest-xdist says it."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else workers_here()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `oldest_postgresql` on both PostgreSQLs."""
    if metafunc.definition.get_closest_marker("oldest_postgresql") and not ALL_ON:
        metafunc.fixturenames.append("programs")
        missing = pytest.mark.skipif(not DEBIANS.exists(), reason="make test installs Debian's postgresql-15")
        both = [pytest.param(None, id="embedded"), pytest.param(DEBIANS, id="postgresql-15", marks=missing)]
        metafunc.parametrize("programs", both)


@pytest.fixture
def programs() -> Path | None:
    """The folder of the PostgreSQL that serves this test; None for the one that comes along."""
    return Path(ALL_ON) if ALL_ON else None


def quickest_place() -> Path:
    """The folder in memory where there is one with room; a database is copied there 20 times as quickly."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        return MEMORY
    return Path(tempfile.gettempdir())


def sweep_away_what_killed_sessions_left(place: Path) -> None:
    """Servers of tests hold nothing worth keeping; one whose lock is free has no session any more."""
    for lock in place.glob(f"{PREFIX}*/users.lock"):
        with suppress(OSError), lock.with_name("turn.lock").open("a") as turn, lock.open("a") as users:
            for file in (turn, users):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for process in workers_in(lock.parent / "data"):
                os.kill(process, signal.SIGKILL)
            shutil.rmtree(lock.parent)


class Servers:
    """One server of each kind for the session, each with a migrated template database."""

    def __init__(self) -> None:
        self._running: dict[Path | None, EmbeddedPostgres] = {}
        self._migrated: set[Path | None] = set()
        sweep_away_what_killed_sessions_left(quickest_place())

    def server(self, programs: Path | None) -> EmbeddedPostgres:
        if programs not in self._running:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=quickest_place()))
            folder.chmod(0o755)
            binaries = Binaries.in_folder(programs) if programs else None
            server = EmbeddedPostgres(folder, binaries=binaries, settings=HASTY)
            server.start()
            self._running[programs] = server
        return self._running[programs]

    def migrated(self, programs: Path | None) -> EmbeddedPostgres:
        server = self.server(programs)
        if programs not in self._migrated:
            as_superuser(server, "drop database if exists {}", TEMPLATE)
            as_superuser(server, "create database {} owner {}", TEMPLATE, OWNER)
            migrate(server.url(TEMPLATE))
            self._migrated.add(programs)
        return server

    def discard(self) -> None:
        for server in self._running.values():
            server.discard()


@pytest.fixture(scope="session")
def quick_place() -> Path:
    """A folder where files cost little, for tests that bring a server up of their own."""
    return quickest_place()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The session's servers, which forget everything at the end."""
    servers = Servers()
    yield servers
    servers.discard()


@pytest.fixture
def server(servers: Servers, programs: Path | None) -> EmbeddedPostgres:
    """The server of this test."""
    return servers.server(programs)


def as_superuser(server: EmbeddedPostgres, statement: str, *names: str) -> None:
    """Run a statement about databases; `names` fill its places."""
    with psycopg.connect(server.url(SUPERUSER, SUPERUSER), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture
def empty_url(server: EmbeddedPostgres) -> Iterator[str]:
    """The address of a database without any table that only this test uses."""
    name = f"empty_{next(numbers)}"
    as_superuser(server, "create database {} owner {} template template0", name, OWNER)
    yield server.url(name)
    as_superuser(server, "drop database {} with (force)", name)


@pytest.fixture
def database_url(servers: Servers, programs: Path | None) -> Iterator[str]:
    """The address of a migrated, empty database that only this test uses."""
    server = servers.migrated(programs)
    name = f"test_{next(numbers)}"
    as_superuser(server, "create database {} owner {} template {} strategy file_copy", name, OWNER, TEMPLATE)
    yield server.url(name)
    as_superuser(server, "drop database {} with (force)", name)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still at tests.clock.START until the test moves it."""
    return FakeClock()


@pytest.fixture
def random_source() -> RandomSource:
    """The system's random source."""
    return system_random


@pytest.fixture
def origin() -> Origin:
    """Where the works of a test come from."""
    return Origin(request_id="test-request", address="192.0.2.1", node="test-node")


@pytest.fixture
def audit_mac() -> Mac:
    """The key of the audit log, behind the function that uses it."""
    return lambda data: hmac.digest(b"audit key of the tests, not in the database", data, "sha256")


@pytest.fixture
async def database(
    database_url: str, clock: FakeClock, random_source: RandomSource, audit_mac: Mac
) -> AsyncIterator[Database]:
    """An open, migrated, empty database that only this test uses."""
    database = await Database.open(database_url, clock=clock, random=random_source, audit_mac=audit_mac)
    yield database
    await database.close()


@pytest.fixture
async def work(database: Database, origin: Origin) -> AsyncIterator[Work]:
    """One open transaction on `database`; committed when the test ends well."""
    async with database.work(origin) as work:
        yield work
