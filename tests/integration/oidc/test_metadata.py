"""What the server says about itself is the same everywhere and true (NL GOV; RFC 8414; module oidcc-discovery…)."""

import pytest
from tests.oidc_builders import ISSUER, Visit

ADDRESSES = (
    "/oauth/.well-known/openid-configuration",
    "/oauth/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/oauth",
)


async def test_the_three_addresses_say_the_same(visit: Visit) -> None:
    told = [(await visit.browser.get(address)).json() for address in ADDRESSES]
    assert told[0] == told[1] == told[2]
    assert told[0]["issuer"] == ISSUER
    assert told[0]["code_challenge_methods_supported"] == ["S256"]
    assert told[0]["authorization_response_iss_parameter_supported"] is True
    assert told[0]["response_types_supported"] == ["code"]
    assert set(told[0]["id_token_signing_alg_values_supported"]) == {"ES256", "PS256", "RS256"}


async def test_every_endpoint_that_is_named_is_there(visit: Visit) -> None:
    told = (await visit.browser.get(ADDRESSES[0])).json()
    named = [value for name, value in told.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(named) == 5
    for address in named:
        assert address.startswith(ISSUER)
        assert (await visit.browser.get(address)).status_code in {200, 400, 401, 405}


@pytest.mark.parametrize("address", [*ADDRESSES, "/oauth/.well-known/openid-configuration/jwks"])
async def test_anybody_may_keep_and_read_it(visit: Visit, address: str) -> None:
    response = await visit.browser.get(address, headers={"Origin": "https://spa.example"})
    assert response.headers["cache-control"].startswith("public, max-age=")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


async def test_the_published_keys_are_public_named_and_one_per_algorithm(visit: Visit) -> None:
    keys = (await visit.browser.get("/oauth/.well-known/openid-configuration/jwks")).json()["keys"]
    assert sorted(key["alg"] for key in keys) == ["ES256", "PS256", "RS256"]
    assert len({key["kid"] for key in keys}) == 3
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


@pytest.mark.parametrize("address", ["/oauth/connect/token", "/oauth/connect/userinfo"])
async def test_scripts_of_other_sites_may_ask_without_cookies(visit: Visit, address: str) -> None:
    """Fetch standard, CORS protocol and credentials: no wildcard with cookies."""
    asked = {"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}
    response = await visit.browser.options(address, headers=asked)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in response.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("address", ["/oauth/connect/authorize", "/oauth/connect/endsession"])
async def test_pages_are_not_for_scripts_of_other_sites(visit: Visit, address: str) -> None:
    response = await visit.browser.get(address, headers={"Origin": "https://spa.example"})
    assert "access-control-allow-origin" not in response.headers
