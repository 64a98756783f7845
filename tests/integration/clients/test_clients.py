"""Clients in the database and in memory."""

import asyncio
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey
from tests.register_builders import audited

from zorgid.audit.model import SYSTEM
from zorgid.clients import actions as clients
from zorgid.clients.actions import ClientCache
from zorgid.clients.errors import ClientIdTaken, ClientUnknown, RedirectUriUnfit
from zorgid.clients.model import (
    Client,
    ClientId,
    Profile,
    RedirectPolicy,
    SigningAlgorithm,
    TokenEndpointAuth,
)
from zorgid.storage.database import Database, Origin, Work
from zorgid.storage.listener import Listener

CLIENT = Client(
    id=ClientId("user-management"),
    name="ZORG-ID Portal",
    profile=Profile.nlgov,
    redirect_uris=("http://localhost:8600/portal/signin-oidc",),
    post_logout_redirect_uris=("http://localhost:8600/",),
    jwks={"keys": [ECKey.generate_key("P-256", {"kid": "portal-1"}).as_dict(private=False)]},
    token_endpoint_auth=TokenEndpointAuth.private_key_jwt,
    scopes=frozenset({"openid", "profile", "api"}),
    sector="localhost",
    default_acr="http://eidas.europa.eu/LoA/substantial",
    signing_algorithm=SigningAlgorithm.ES256,
    is_portal=True,
)


async def register(work: Work, new: Client = CLIENT) -> Client:
    return await clients.register_client(work, new, by=SYSTEM, redirects=RedirectPolicy.loopback_allowed)


async def change(work: Work, changed: Client) -> Client:
    return await clients.change_client(work, changed, by=SYSTEM, redirects=RedirectPolicy.loopback_allowed)


async def test_a_registered_client_comes_back_as_it_was(work: Work) -> None:
    """LOGIN-1, AUD-1."""
    await register(work)
    assert await clients.client(work, CLIENT.id) == CLIENT
    assert await clients.clients(work) == (CLIENT,)
    assert await audited(work, CLIENT.id) == [("client-registered", None, None)]


async def test_an_id_is_registered_once(work: Work) -> None:
    await register(work)
    with pytest.raises(ClientIdTaken):
        await register(work, replace(CLIENT, name="Another"))
    assert (await clients.client(work, CLIENT.id)).name == CLIENT.name


async def test_an_unknown_client_is_unknown(work: Work) -> None:
    with pytest.raises(ClientUnknown):
        await clients.client(work, ClientId("nobody"))
    with pytest.raises(ClientUnknown):
        await change(work, CLIENT)


async def test_outside_the_demo_no_plain_http_is_registered_or_changed_to(work: Work) -> None:
    with pytest.raises(RedirectUriUnfit):
        await clients.register_client(work, CLIENT, by=SYSTEM)
    await register(work)
    with pytest.raises(RedirectUriUnfit):
        await clients.change_client(work, CLIENT, by=SYSTEM)


async def test_a_changed_client_is_changed_and_told(work: Work) -> None:
    await register(work)
    changed = replace(CLIENT, redirect_uris=("https://portal.example/signin-oidc",))
    await change(work, changed)
    assert await clients.client(work, CLIENT.id) == changed
    assert ("client-changed", None, None) in await audited(work, CLIENT.id)


async def test_memory_is_used_while_changes_are_heard_and_only_then(work: Work) -> None:
    await register(work)
    cache = ClientCache()
    assert await cache.client(work, CLIENT.id) is not await cache.client(work, CLIENT.id)
    cache.start()
    kept = await cache.client(work, CLIENT.id)
    assert await cache.client(work, CLIENT.id) is kept
    cache.forget(CLIENT.id)
    assert await cache.client(work, CLIENT.id) is not kept
    cache.stop()
    assert await cache.client(work, CLIENT.id) is not await cache.client(work, CLIENT.id)


async def test_what_was_read_before_a_change_is_not_kept_after_it(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(work)
    cache = ClientCache()
    cache.start()
    read = clients.client

    async def change_meanwhile(work: Work, client_id: ClientId) -> Client:
        found = await read(work, client_id)
        cache.forget(client_id)
        return found

    monkeypatch.setattr(clients, "client", change_meanwhile)
    assert await cache.client(work, CLIENT.id) is not await cache.client(work, CLIENT.id)


async def test_a_change_on_one_node_is_known_on_another(
    database: Database, database_url: str, origin: Origin
) -> None:
    """LOGIN-1: two nodes."""
    cache, heard = ClientCache(), asyncio.Event()

    def forget(client_id: str) -> None:
        cache.forget(client_id)
        heard.set()

    async with database.work(origin) as work:
        await register(work)
    async with Listener(
        database_url, {clients.CHANNEL: forget}, on_connected=cache.start, on_lost=cache.stop
    ):
        async with database.work(origin) as work:
            assert (await cache.client(work, CLIENT.id)).name == CLIENT.name
        heard.clear()
        async with database.work(origin) as work:
            await change(work, replace(CLIENT, name="New name"))
        await asyncio.wait_for(heard.wait(), 60)
        async with database.work(origin) as work:
            assert (await cache.client(work, CLIENT.id)).name == "New name"
