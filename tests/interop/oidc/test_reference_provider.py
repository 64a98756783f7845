"""The same checks against oidc-provider: each difference from the identity server is named and explained."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.interop.oidc.conftest import CLIENTS, NODE
from tests.oidc_builders import EC_KEY, LOGGED_OUT, REDIRECT
from tests.ports import free_port

DIFFERENCES: dict[str, dict[str, str]] = {
    "openid_client.mjs": {
        "the code flow by query ends at userinfo": "its ID tokens have sid only with back-channel logout",
        "userinfo comes signed for a client that takes nothing else": "it signs for a client registered so, not by Accept",
        "logging out returns to the client and ends its tokens": "it always asks, also with a verified ID token",
    },
    "oauth4webapi.mjs": {
        "the ID token passes every check of the library, its signature included": "its ID tokens live an hour, ours five minutes",
        "the access token is a JWT of RFC 9068 for userinfo": "its access tokens for userinfo are opaque",
        "an assertion that expired is refused": "it allows fifteen seconds",
        "an assertion with an array as audience is refused": "outside FAPI it takes an array that holds the issuer",
    },
}
"""What the reference does otherwise, and why that is no fault of either."""


@pytest.fixture
def reference_facts(node_clients: Callable) -> Iterator[dict[str, Any]]:
    assert node_clients
    port = free_port()
    facts = {
        "port": port,
        "issuer": f"http://localhost:{port}",
        "client_id": "xis",
        "private_jwk": EC_KEY.as_dict(private=True),
        "redirect_uri": REDIRECT,
        "post_logout_redirect_uri": LOGGED_OUT,
        "cookie": "",
        "uzi_number": "900012345",
        "name": "A.B. de Vries-Öztürk",
        "ura": "90001234",
    }
    provider = subprocess.Popen(
        [NODE / "bin" / "node", "reference_provider.mjs"],
        cwd=CLIENTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    provider.stdin.write(json.dumps(facts))
    provider.stdin.close()
    for line in provider.stdout:
        if line.strip() == "ready":
            break
    yield facts
    provider.terminate()
    provider.wait(60)
    provider.stdout.close()
    provider.stderr.close()


@pytest.mark.parametrize("script", DIFFERENCES)
async def test_the_reference_differs_only_where_it_is_explained(
    reference_facts: dict[str, Any], node_clients: Callable, script: str
) -> None:
    results = await asyncio.to_thread(node_clients, script, reference_facts)
    failed = {result["name"]: result["why"] for result in results if not result["passed"]}
    assert failed.keys() == DIFFERENCES[script].keys(), failed
