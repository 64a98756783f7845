"""The code flow over HTTP, from the authorisation request to userinfo (LOGIN-1, LOGIN-3)."""

import json
from datetime import timedelta

from joserfc import jws
from tests.clock import FakeClock
from tests.oidc_builders import (
    HIGH,
    ISSUER,
    TOKEN_URL,
    Visit,
    a_token_request,
    answered,
    seconds_of,
)

from zorgid.storage.database import Origin


async def claims_of(visit: Visit, token: str) -> dict:
    keys = {
        key["kid"]: key
        for key in (await visit.browser.get("/oauth/.well-known/openid-configuration/jwks")).json()["keys"]
    }
    from joserfc.jwk import JWKRegistry

    obj = jws.extract_compact(token.encode())
    header = obj.headers()
    verified = jws.deserialize_compact(token, JWKRegistry.import_key(keys[header["kid"]]), [header["alg"]])
    return json.loads(verified.payload)


async def test_a_code_is_exchanged_for_tokens_that_say_who_it_is(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """Modules oidcc-server and oidcc-userinfo-get of the OpenID Foundation suite."""
    session = await visit.log_in(origin)
    back = answered(await visit.authorize(state="s t&t%e+"))
    assert back["state"] == "s t&t%e+"
    assert back["iss"] == ISSUER
    response = await visit.browser.post(TOKEN_URL, data=a_token_request(back["code"], now=clock.at))
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    identity = await claims_of(visit, tokens["id_token"])
    subject = identity.pop("sub")
    jti = identity.pop("jti")
    assert len(subject) == 43
    assert len(jti) == 22
    assert identity == {
        "iss": ISSUER,
        "aud": "xis",
        "exp": seconds_of(clock.at + timedelta(minutes=5)),
        "iat": seconds_of(clock.at),
        "nbf": seconds_of(clock.at),
        "auth_time": seconds_of(session.authenticated_at),
        "acr": HIGH,
        "sid": session.sid,
        "nonce": "a nonce",
    }
    told = await visit.browser.get(
        "/oauth/connect/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert told.json() == {
        "sub": subject,
        "name": "A.B. de Vries-Öztürk",
        "acr": HIGH,
        "urn:zorgid:uzi_number": "900012345",
        "urn:zorgid:ura_on_card": "90001234",
        "urn:zorgid:organisation": {"ura": "90001234", "guest": False},
        "urn:zorgid:means": "uzi-card",
    }
