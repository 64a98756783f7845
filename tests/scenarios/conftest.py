"""One running platform for all tests of a module: its walks leave each other alone by persons and cards."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import structlog
from psycopg import sql
from tests.scenarios.checks import nobody_has_a_good_certificate_without_an_active_card
from tests.scenarios.leaks import leaked
from tests.scenarios.world import Scenario, scenario

from zorgid.logs import configure_logs
from zorgid.storage.embedded import OWNER, SUPERUSER

TEMPLATE = "zorgid_template"


@pytest.fixture(scope="module")
def module_database_url(servers: Any) -> Iterator[str]:
    """The address of a migrated, empty database that only this module uses."""
    server = servers.migrated(None)
    name = f"scenario_{uuid4().hex[:12]}"
    _as_superuser(server, "create database {} owner {} template {} strategy file_copy", name, OWNER, TEMPLATE)
    yield server.url(name)
    _as_superuser(server, "drop database {} with (force)", name)


def _as_superuser(server: Any, statement: str, *names: str) -> None:
    with psycopg.connect(server.url(SUPERUSER, SUPERUSER), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture(scope="module")
def module_folder(quick_place: Path) -> Iterator[Path]:
    """A folder in memory, where virtual cards are written quickly."""
    folder = Path(tempfile.mkdtemp(prefix="zorgid-scenario-", dir=quick_place))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def log() -> Iterator[StringIO]:
    """Every line that platform and libraries log while the module runs."""
    lines, root = StringIO(), logging.getLogger()
    before = (root.handlers, root.level, structlog.get_config())
    configure_logs(level="debug", stream=lines)
    yield lines
    root.handlers, root.level = before[:2]
    structlog.configure(**before[2])


@pytest.fixture(scope="module")
def world(module_folder: Path, module_database_url: str, log: StringIO) -> Iterator[Scenario]:
    """A whole platform with its demo world. Afterwards nothing secret of all its walks is in the log (ALL-4)."""
    with scenario(module_folder, module_database_url) as running:
        yield running
        nobody_has_a_good_certificate_without_an_active_card(running)
    assert not leaked(log.getvalue(), running.secrets)
