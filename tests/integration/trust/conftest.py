"""The test UZI register over an in-process transport, and the trust of the platform in it."""

import pytest
from tests.clock import START, FakeClock

from zorgid.demo.uzi_register.app import create_app
from zorgid.demo.uzi_register.register import Register
from zorgid.demo.uzi_trust import trust_in
from zorgid.kernel.randomness import system_random
from zorgid.pki.algorithms import KeyKind
from zorgid.storage.database import Origin
from zorgid.trust.actions import Trust

import httpx  # isort: skip

ORIGIN = Origin(request_id="test-request", address=None, node="test-node")


@pytest.fixture(scope="session")
def register_folder(tmp_path_factory):
    """The register's world, made once a session."""
    folder = tmp_path_factory.mktemp("uzi")
    Register.open(
        folder, base_url="http://uzi.test", clock=FakeClock(START), random=system_random, keys=KeyKind.p256
    )
    return folder


@pytest.fixture
def register(register_folder, clock, tmp_path):
    import shutil

    shutil.copytree(register_folder, tmp_path / "uzi")
    return Register.open(
        tmp_path / "uzi", base_url="http://uzi.test", clock=clock, random=system_random, keys=KeyKind.p256
    )


class Wire:
    """What the platform's requests go over; tests look at them and change what comes back."""

    def __init__(self, app):
        self.requests = []
        self.change = None
        self._transport = httpx.ASGITransport(app)

    async def __call__(self, request):
        self.requests.append((request.method, str(request.url)))
        response = await self._transport.handle_async_request(request)
        await response.aread()
        return self.change(request, response) if self.change else response


@pytest.fixture
def wire(register):
    return Wire(create_app(register))


@pytest.fixture
async def client(wire):
    async with httpx.AsyncClient(transport=httpx.MockTransport(wire)) as client:
        yield client


@pytest.fixture
def new_trust(database, register, client, clock, random_source):
    """Makes the platform's trust from a bundle."""

    def make(bundle=None):
        return Trust(
            database,
            bundle or trust_in(register),
            client=client,
            clock=clock,
            random=random_source,
            origin=ORIGIN,
        )

    return make


@pytest.fixture
def trust(new_trust):
    return new_trust()
