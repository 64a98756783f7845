"""Authlib as a client: a smoke test of the library that the demo care application uses (LOGIN-3)."""

import asyncio
from urllib.parse import urlsplit

import httpx
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.interop.oidc.conftest import Running, register
from tests.oidc_builders import EC_KEY

from zorgid.storage.database import Origin


async def test_authlib_logs_somebody_in(running: Running, origin: Origin) -> None:
    """Its assertion names the token URL and lives an hour, which NL GOV clients may do."""
    client = await register(running, origin)
    async with httpx.AsyncClient(trust_env=False, timeout=60) as plain:
        metadata = (await plain.get(f"{running.issuer}/.well-known/openid-configuration")).json()
        keys = KeySet.import_key_set((await plain.get(metadata["jwks_uri"])).json())
    authentication = PrivateKeyJWT(metadata["token_endpoint"], alg="ES256", headers={"kid": EC_KEY.kid})
    async with AsyncOAuth2Client(
        client.id,
        EC_KEY,
        scope="openid",
        redirect_uri=client.redirect_uris[0],
        token_endpoint_auth_method=authentication,
        code_challenge_method="S256",
        trust_env=False,
        timeout=60,
    ) as authlib:
        verifier = "v" * 64
        address, state = authlib.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce="n"
        )
        async with httpx.AsyncClient(trust_env=False, timeout=60) as browser:
            back = await browser.get(address, headers={"cookie": running.cookie})
        location = back.headers["location"]
        assert urlsplit(location).hostname == "xis.example"
        token = await authlib.fetch_token(
            metadata["token_endpoint"], authorization_response=location, state=state, code_verifier=verifier
        )
        claims = await asyncio.to_thread(jwt.decode, token["id_token"], keys, ["ES256"])
        assert claims.claims["nonce"] == "n"
        told = (await authlib.get(metadata["userinfo_endpoint"])).json()
    assert told["sub"] == claims.claims["sub"]
    assert told["urn:zorgid:uzi_number"] == "900012345"
