"""A running identity server on ASGI, with one care application registered."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.clock import FakeClock
from tests.oidc_builders import Visit, a_client, an_application, an_identity_server
from tests.web_builders import browser

from zorgid.audit.model import SYSTEM
from zorgid.ca.keys import EncryptedFileKeys, KeyKind, KeyName
from zorgid.clients.actions import register_client
from zorgid.kernel.randomness import RandomSource
from zorgid.kernel.secrets import Secret
from zorgid.login import sessions
from zorgid.oidc import actions
from zorgid.oidc.rotation import rotate_signing_keys
from zorgid.oidc.setup import IdentityServer
from zorgid.storage.database import Database, Mac, Origin


@pytest.fixture(scope="session")
def key_home(tmp_path_factory: pytest.TempPathFactory) -> EncryptedFileKeys:
    folder: Path = tmp_path_factory.mktemp("keys") / "home"
    home = EncryptedFileKeys(folder, Secret(b"passphrase of the tests"))
    home.create_key(KeyName("login-secrets"), KeyKind.secret)
    return home


@pytest.fixture
async def database(
    database_url: str, clock: FakeClock, random_source: RandomSource, audit_mac: Mac
) -> AsyncIterator[Database]:
    companions = {**sessions.COMPANIONS, **actions.COMPANIONS}
    opened = await Database.open(
        database_url, clock=clock, random=random_source, companions=companions, audit_mac=audit_mac
    )
    yield opened
    await opened.close()


@pytest.fixture
async def identity_server(database: Database, key_home: EncryptedFileKeys, origin: Origin) -> IdentityServer:
    async with database.work(origin) as work:
        await rotate_signing_keys(work, key_home)
        await register_client(work, a_client(), by=SYSTEM)
    return an_identity_server(key_home)


@pytest.fixture
async def visit(identity_server: IdentityServer, database: Database) -> AsyncIterator[Visit]:
    async with browser(an_application(identity_server, database)) as visitor:
        yield Visit(visitor, identity_server, database)
