"""Signing keys are published before they sign, and stay published after (decision 0240)."""

import asyncio
from datetime import timedelta

from tests.clock import FakeClock
from tests.oidc_builders import Visit

from zorgid.ca.keys import EncryptedFileKeys
from zorgid.oidc.keys import JWKS_CACHE_FOR, KEY_SIGNS_FOR, RETIRED_KEPT_FOR
from zorgid.oidc.rotation import rotate_signing_keys
from zorgid.storage.database import Origin


async def rotate(visit: Visit, home: EncryptedFileKeys, origin: Origin) -> dict[str, str]:
    """Rotate, and return the states of the ES256 keys by kid."""
    async with visit.database.work(origin) as work:
        ring = await rotate_signing_keys(work, home)
    return {key.kid: str(key.state) for key in ring.keys if key.algorithm == "ES256"}


async def published(visit: Visit) -> set[str]:
    keys = (await visit.browser.get("/oauth/.well-known/openid-configuration/jwks")).json()["keys"]
    return {key["kid"] for key in keys if key["alg"] == "ES256"}


async def test_a_key_goes_from_next_to_active_to_retired_to_gone(
    visit: Visit, clock: FakeClock, origin: Origin, key_home: EncryptedFileKeys
) -> None:
    (first,) = await rotate(visit, key_home, origin)
    assert await rotate(visit, key_home, origin) == {first: "active"}
    clock.advance(KEY_SIGNS_FOR - JWKS_CACHE_FOR)
    states = await rotate(visit, key_home, origin)
    (second,) = states.keys() - {first}
    assert states == {first: "active", second: "next"}
    assert await published(visit) == {first, second}
    await visit.log_in(origin)
    early = await visit.tokens(now=clock.at)
    clock.advance(JWKS_CACHE_FOR)
    assert await rotate(visit, key_home, origin) == {first: "retired", second: "active"}
    await visit.log_in(origin)
    late = await visit.tokens(now=clock.at)
    for tokens in (early, late):
        await visit.claims_of(tokens["id_token"])
    clock.advance(RETIRED_KEPT_FOR)
    assert await rotate(visit, key_home, origin) == {second: "active"}
    assert await published(visit) == {second}


async def test_nodes_that_start_at_once_make_one_key_each_kind(
    visit: Visit, clock: FakeClock, origin: Origin, key_home: EncryptedFileKeys
) -> None:
    clock.advance(KEY_SIGNS_FOR)
    await asyncio.gather(*(rotate(visit, key_home, origin) for _ in range(3)))
    assert len(await published(visit)) == 2


async def test_the_ring_of_a_node_is_kept_while_it_hears_of_changes(
    visit: Visit, clock: FakeClock, origin: Origin, key_home: EncryptedFileKeys
) -> None:
    kept = visit.server.signing_keys
    kept.start()
    before = await published(visit)
    clock.advance(KEY_SIGNS_FOR - timedelta(days=1))
    await rotate(visit, key_home, origin)
    assert await published(visit) == before
    kept.forget("")
    assert len(await published(visit)) == 2
    kept.stop()
    async with visit.database.work(origin) as work:
        await work.connection.execute("delete from oidc_signing_key where state = 'next'")
    assert await published(visit) == before
