"""The identity server, judged by client libraries that nobody here wrote (decision 0280)."""

import asyncio
from collections.abc import Callable

import pytest
from tests.interop.oidc.conftest import Running, client_facts, register
from tests.oidc_builders import EC_KEY

from zorgid.clients.model import Profile
from zorgid.storage.database import Origin


@pytest.mark.parametrize(
    ("script", "checks"),
    [("openid_client.mjs", 12), ("oauth4webapi.mjs", 10)],
    ids=["openid-client", "oauth4webapi"],
)
@pytest.mark.parametrize("profile", Profile)
async def test_a_foreign_client_finds_nothing_wrong(
    running: Running, origin: Origin, node_clients: Callable, script: str, checks: int, profile: Profile
) -> None:
    """LOGIN-8: the code flow by query and form, signed userinfo, refused replays, logout, the assertion's rules."""
    client = await register(running, origin, profile=profile)
    results = await asyncio.to_thread(node_clients, script, client_facts(running, client, EC_KEY))
    assert [result for result in results if not result["passed"]] == []
    assert len(results) == checks
