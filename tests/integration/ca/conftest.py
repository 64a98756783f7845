"""A certificate authority on a real database, with keys that are made once a session."""

import pytest
from tests.ca_builders import ORIGIN, House
from tests.ports import free_port

from zorgid.ca.hierarchy import initialise_hierarchy
from zorgid.ca.keys import EncryptedFileKeys, KeyKind
from zorgid.ca.model import HierarchyPlan, Places
from zorgid.kernel.secrets import Secret

PLAN = HierarchyPlan(is_stand_in=True, key_kind=KeyKind.rsa2048)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return EncryptedFileKeys(tmp_path_factory.mktemp("ca") / "keys", Secret(b"passphrase"))


@pytest.fixture
async def house(database, database_url, keys, clock):
    port = free_port()
    places = Places(f"http://127.0.0.1:{port}")
    hierarchy = await initialise_hierarchy(
        database, keys, root_keys=keys, plan=PLAN, places=places, origin=ORIGIN
    )
    return House(database, keys, hierarchy, clock, port, database_url)
