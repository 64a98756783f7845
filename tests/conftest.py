"""What every test may ask for: a clock that stands still, and the real database engine.

One PostgreSQL server runs for the whole session. Its template database is migrated once; each test that asks for a
database gets a copy of its own, which is thrown away afterwards.
"""

import hmac
import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.clock import FakeClock

from zorgid.kernel.randomness import RandomSource, system_random
from zorgid.storage.binaries import Binaries
from zorgid.storage.database import Database, Mac, Origin, Work
from zorgid.storage.embedded import OWNER, SUPERUSER, EmbeddedPostgres
from zorgid.storage.migrate import migrate

TEMPLATE = "zorgid_template"
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # its transactions would hold up the sealing of the audit log at random moments
    "max_connections": "200",
}
OTHER_POSTGRESQL = os.environ.get("ZORGID_TEST_POSTGRESQL")  # such as /usr/lib/postgresql/15/bin

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """The session's server, which forgets everything at the end."""
    folder = Path(tempfile.mkdtemp(prefix="zorgid-test-"))
    folder.chmod(0o755)
    binaries = Binaries.in_folder(Path(OTHER_POSTGRESQL)) if OTHER_POSTGRESQL else None
    server = EmbeddedPostgres(folder, binaries=binaries, settings=HASTY)
    server.start()
    yield server
    server.discard()


@pytest.fixture(scope="session")
def server_url(server: EmbeddedPostgres) -> Callable[[str], str]:
    """The address of a database on the session's server, by name."""
    return server.url


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


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres) -> str:
    """The name of the migrated template database."""
    as_superuser(server, "create database {} owner {}", TEMPLATE, OWNER)
    migrate(server.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The address of a migrated, empty database that only this test uses."""
    name = f"test_{next(numbers)}"
    as_superuser(server, "create database {} owner {} template {} strategy file_copy", name, OWNER, template)
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
