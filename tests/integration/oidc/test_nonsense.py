"""Nonsense in any parameter is refused with a sentence or an error code; nothing breaks (ALL-2)."""

import json
from typing import Any

import pytest
from tests.clock import FakeClock
from tests.oidc_builders import (
    AUTHORIZE_PATH,
    EC_KEY,
    TOKEN_URL,
    Visit,
    a_request,
    a_token_request,
    sign_anything,
)

from zorgid.storage.database import Origin

NONSENSE = (
    "\0",
    "a\0b",
    "é",
    "\U0001f4a9",
    "[]",
    "{}",
    '{"id_token":{"\\u0000":null,"name":null}}',
    '{"id_token":{"sub":{"value":"\\ud800"}}}',
    '{"userinfo":{"urn:zorgid:organisation":{"value":["1"]}}}',
    "'; drop table person --",
    "%00",
    "x" * 5000,
    "-1",
    "9" * 400,
    " ",
    "a b\tc\r\nd",
)
ASKED = (
    *a_request(),
    "response_mode", "prompt", "max_age", "claims", "acr_values", "id_token_hint", "login_hint", "ui_locales",
    "organisation", "request", "request_uri", "registration", "continue", "display",
)  # fmt: skip
JSON_NONSENSE: tuple[Any, ...] = (
    None, True, [], {}, [[]], 0, -1, 1e300, 10**400, "", "\0", "a\0b", "\ud800", "é", ["xis"], {"a": 1}, "x" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
async def test_nonsense_in_an_authorisation_request_breaks_nothing(
    visit: Visit, origin: Origin, name: str
) -> None:
    await visit.log_in(origin)
    for value in NONSENSE:
        asked = {**a_request(), name: value}
        by_get = await visit.browser.get(AUTHORIZE_PATH, params=asked)
        by_post = await visit.browser.post(AUTHORIZE_PATH, data=asked)
        assert by_get.status_code in {200, 303, 400}, (name, value)
        assert by_post.status_code in {200, 303, 400}, (name, value)
        if by_post.headers.get("location", "").startswith("/"):
            gone_on = await visit.browser.get(by_post.headers["location"])
            assert gone_on.status_code in {200, 303, 400}, (name, value)


async def test_nonsense_in_a_token_request_breaks_nothing(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.log_in(origin)
    for name in a_token_request("code", now=clock.at):
        for value in NONSENSE:
            asked = {**a_token_request(await visit.code(), now=clock.at), name: value}
            response = await visit.browser.post(TOKEN_URL, data=asked)
            assert response.status_code in {200, 400, 401}, (name, value)


@pytest.mark.parametrize("part", ["alg", "kid", "typ", "crit", "jwk", "x5c", "b64"])
async def test_nonsense_in_the_header_of_a_token_breaks_nothing(
    visit: Visit, clock: FakeClock, origin: Origin, part: str
) -> None:
    await visit.log_in(origin)
    claims = {"iss": "xis", "sub": "xis", "aud": visit.server.issuer, "jti": "1", "iat": 1, "exp": 2}
    for value in JSON_NONSENSE:
        token = sign_anything({"alg": "ES256", "kid": EC_KEY.kid, part: value}, claims)
        asked = a_token_request("code", now=clock.at, client_assertion=token)
        assert (await visit.browser.post(TOKEN_URL, data=asked)).status_code in {400, 401}, value
        assert (await visit.userinfo(token)).status_code == 401, value
        assert (await visit.authorize(id_token_hint=token)).status_code in {303, 400}, value


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "jti", "iat", "nbf", "exp"])
async def test_nonsense_in_a_signed_assertion_breaks_nothing(
    visit: Visit, clock: FakeClock, claim: str
) -> None:
    seconds = int(clock.at.timestamp())
    facts = {
        "iss": "xis",
        "sub": "xis",
        "aud": visit.server.issuer,
        "jti": "1",
        "iat": seconds,
        "exp": seconds + 60,
    }
    for value in JSON_NONSENSE:
        token = sign_anything({"alg": "ES256", "kid": EC_KEY.kid}, {**facts, claim: value})
        asked = a_token_request("code", now=clock.at, client_assertion=token, client_id=None)
        response = await visit.browser.post(TOKEN_URL, data=asked)
        assert response.status_code in {400, 401}, (claim, value)
        assert json.loads(response.text)["error"] in {"invalid_client", "invalid_grant", "invalid_request"}


async def test_nonsense_when_logging_out_breaks_nothing(visit: Visit, origin: Origin) -> None:
    await visit.log_in(origin)
    for name in ("id_token_hint", "post_logout_redirect_uri", "state", "client_id", "ui_locales"):
        for value in NONSENSE:
            assert (
                await visit.browser.get("/oauth/connect/endsession", params={name: value})
            ).status_code == 200
            assert (
                await visit.browser.post("/oauth/connect/endsession", data={name: value})
            ).status_code == 200


async def test_signed_userinfo_does_not_pass_for_an_id_token(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """RFC 8725, section 3.12: one kind of token never stands in for another."""
    await visit.log_in(origin)
    tokens = await visit.tokens(now=clock.at)
    told = (await visit.userinfo(tokens["access_token"], Accept="application/jwt")).text
    for wrong in (told, tokens["access_token"]):
        refused = await visit.authorize(id_token_hint=wrong)
        assert "error=invalid_request" in refused.headers["location"]
        asking = await visit.browser.get("/oauth/connect/endsession", params={"id_token_hint": wrong})
        assert "Uitloggen bij ZORG-ID?" in asking.text
