"""Builds what tests of the identity server need: clients with keys, sessions, the server, requests."""

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

from tests.web_builders import services_for_pages
from zorgid.audit.model import SYSTEM
from zorgid.ca.keys import KeyName, KeyProvider
from zorgid.clients.actions import ClientCache, register_client
from zorgid.clients.model import Client, ClientId, Profile, SigningAlgorithm, TokenEndpointAuth
from zorgid.kernel.ids import PersonId, SessionId
from zorgid.kernel.randomness import base64url
from zorgid.kernel.secrets import Secret
from zorgid.login import session_store
from zorgid.login.model import Means, Session
from zorgid.login.setup import LoginSetup
from zorgid.oidc.assertion import ASSERTION_TYPE
from zorgid.oidc.exchange import redeem_codes
from zorgid.oidc.granting import authorise_at_once
from zorgid.oidc.rotation import SigningKeys
from zorgid.oidc.setup import IdentityServer
from zorgid.oidc.tokens import userinfo
from zorgid.protocol.context import MeansUsed
from zorgid.settings import Settings
from zorgid.storage.database import Database, Work
from zorgid.storage.together import Together
from zorgid.web.application import web_application
from zorgid.web.login import routes as login_pages
from zorgid.web.oidc import routes as identity_pages
from zorgid.web.shell import static_files

ISSUER = "http://localhost:8600/oauth"
TOKEN_URL = f"{ISSUER}/connect/token"
AUTHORIZE_PATH = "/oauth/connect/authorize"
REDIRECT = "https://xis.example/callback"
LOGGED_OUT = "https://xis.example/logged-out"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-~._-0123456789"
HIGH = "http://eidas.europa.eu/LoA/high"
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
EC_KEY = ECKey.generate_key("P-256", parameters={"kid": "ec-1"})
RSA_KEY = RSAKey.generate_key(2048, parameters={"kid": "rsa-1"})


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def jwks(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def a_client(**changes: Any) -> Client:
    """Return a care application under the NL GOV profile, with an EC key."""
    facts: dict[str, Any] = {
        "id": ClientId("xis"),
        "name": "Huisartsysteem",
        "profile": Profile.nlgov,
        "redirect_uris": (REDIRECT,),
        "post_logout_redirect_uris": (LOGGED_OUT,),
        "jwks": jwks(EC_KEY),
        "token_endpoint_auth": TokenEndpointAuth.private_key_jwt,
        "scopes": frozenset({"openid", "profile"}),
        "sector": "xis.example",
        "default_acr": None,
        "signing_algorithm": SigningAlgorithm.ES256,
        "is_portal": False,
    }
    return Client(**(facts | changes))


def a_request(**changes: str | None) -> dict[str, str]:
    """Return the parameters of an authorisation request that passes every check; `None` leaves one out."""
    facts: dict[str, str | None] = {
        "client_id": "xis",
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "openid",
        "state": "a state",
        "nonce": "a nonce",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (facts | changes).items() if value is not None}


def an_assertion(
    *,
    now: datetime,
    key: Key = EC_KEY,
    alg: str = "ES256",
    header: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Return a client assertion that passes every check; `None` leaves a claim out."""
    seconds = int(now.timestamp())
    facts = {
        "iss": "xis",
        "sub": "xis",
        "aud": ISSUER,
        "jti": str(uuid4()),
        "iat": seconds,
        "exp": seconds + 60,
    }
    claims = {name: value for name, value in (facts | changes).items() if value is not None}
    protected = {"alg": alg, "kid": key.kid, **(header or {})}
    return jws.serialize_compact(protected, json.dumps(claims), key, [alg])


def sign_anything(header: Any, claims: Any) -> str:
    """Sign whatever header and claims say, with the client's EC key; a library would refuse to write some."""
    parts = (base64url(json.dumps(part).encode()) for part in (header, claims))
    signing_input = ".".join(parts)
    r, s = decode_dss_signature(EC_KEY.private_key.sign(signing_input.encode(), ECDSA(SHA256())))
    return f"{signing_input}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def a_token_request(code: str, *, now: datetime, **changes: str | None) -> dict[str, str]:
    """Return the form of a token request that passes every check."""
    facts: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        "client_id": "xis",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": an_assertion(now=now),
    }
    return {name: value for name, value in (facts | changes).items() if value is not None}


def a_session(*, now: datetime, level: str = HIGH, person: UUID | None = None, **changes: Any) -> Session:
    """Return a session that was just begun with a UZI card."""
    means = Means(
        kind=MeansUsed.uzi_card,
        reference="ab" * 32,
        uzi_number="900012345",
        ura="90001234",
        full_name="A.B. de Vries-Öztürk",
        level=level,
    )
    facts: dict[str, Any] = {
        "id": SessionId(uuid4()),
        "sid": f"sid-{uuid4()}",
        "person_id": PersonId(person or uuid4()),
        "means": means,
        "authenticated_at": now,
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + timedelta(hours=10),
    }
    return Session(**(facts | changes))


async def begin_session(work: Work, **changes: Any) -> tuple[Session, Secret]:
    """Store a session directly, as a completed login would, and return it with its cookie."""
    session = a_session(now=work.now, **changes)
    cookie = Secret.new(32, work.random)
    await session_store.insert_session(work, session, cookie.digest())
    return session, cookie


def an_identity_server(keys: KeyProvider, origin: str = "http://localhost:8600") -> IdentityServer:
    async def recognise(_certificate: bytes) -> Any:
        raise NotImplementedError

    login = LoginSetup(
        origin=origin,
        environment="demo",
        derive=lambda info, size: keys.derive(KeyName("login-secrets"), info, size),
        recognise_uzi_card=recognise,
    )
    return IdentityServer(
        issuer=f"{origin}/oauth",
        portal_api=f"{origin}/portal/api",
        login=login,
        keys=keys,
        signing_keys=SigningKeys(),
        clients=ClientCache(),
    )


class NoLimits:
    """Lets everything through; limits have tests of their own."""

    async def take(self, *_: object) -> None:
        return None


@dataclass(frozen=True)
class Visit:
    """A browser at the identity server, and the server's parts."""

    browser: httpx.AsyncClient
    server: IdentityServer
    database: Database

    async def log_in(self, database_origin: Any, **changes: Any) -> Session:
        """Give the browser a session, as a completed login would."""
        async with self.database.work(database_origin) as work:
            session, cookie = await begin_session(work, **changes)
        self.browser.cookies.set("zid-session", cookie.text_for_wire())
        return session

    async def code(self, **changes: str | None) -> str:
        """Return a code for the person who is logged in."""
        return answered(await self.authorize(**changes))["code"]

    async def redeem(self, code: str, *, now: datetime, **changes: str | None) -> httpx.Response:
        return await self.browser.post(TOKEN_URL, data=a_token_request(code, now=now, **changes))

    async def tokens(self, *, now: datetime, **changes: str | None) -> dict[str, Any]:
        """Return the tokens of the person who is logged in."""
        response = await self.redeem(await self.code(**changes), now=now)
        assert response.status_code == 200, response.text
        return response.json()

    async def userinfo(self, token: str, **headers: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", **headers}
        return await self.browser.get("/oauth/connect/userinfo", headers=headers)

    async def register(self, origin: Any, client: Client) -> None:
        async with self.database.work(origin) as work:
            await register_client(work, client, by=SYSTEM)

    async def claims_of(self, token: str) -> dict[str, Any]:
        """Return the claims of a token after checking its signature with the published keys."""
        published = (await self.browser.get("/oauth/.well-known/openid-configuration/jwks")).json()["keys"]
        header = jws.extract_compact(token.encode()).headers()
        (key,) = [one for one in published if one["kid"] == header["kid"]]
        checked = jws.deserialize_compact(token, JWKRegistry.import_key(key), [key["alg"]])
        return json.loads(checked.payload)

    async def authorize(self, **changes: str | None) -> httpx.Response:
        return await self.browser.get(AUTHORIZE_PATH, params=a_request(**changes))


def an_application(server: IdentityServer, database: Database, **others: Any) -> Any:
    given = {"settings": Settings(node="test-node"), "limits": NoLimits(), **others}
    services = services_for_pages(
        database=database,
        identity=server,
        authorising=Together(database, partial(authorise_at_once, server)),
        redeeming=Together(database, partial(redeem_codes, server)),
        asking_userinfo=Together(database, partial(userinfo, server)),
        login=server.login,
        clock=database.clock,
        **given,
    )
    return web_application(
        services, [static_files().route(), *identity_pages.routes(), *login_pages.routes()]
    )


def answered(response: httpx.Response) -> dict[str, str]:
    """Return the parameters of a response by query."""
    assert response.status_code == 303, response.text
    return {
        name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()
    }


def seconds_of(at: datetime) -> int:
    return int(at.timestamp())


def fields_of_page(page: str) -> dict[str, str]:
    """Return the hidden fields of a page, unescaped."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {html.unescape(name): html.unescape(value) for name, value in found}
