"""The portal as a client of the identity server: its registration, login request and token request (LOGIN-1).

Nothing is stored for a login that is under way: state, nonce and verifier follow from one cookie.
The code is redeemed by an ordinary token request in this process (docs/decisions/0230-portal-session.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self
from urllib.parse import urlencode

import httpx
from starlette.types import ASGIApp

from zorgid.audit.model import SYSTEM
from zorgid.ca.keys import KeyName, KeyProvider
from zorgid.clients import actions as clients
from zorgid.clients.errors import ClientUnknown
from zorgid.clients.model import (
    PORTAL_ID,
    PORTAL_NAME,
    Client,
    Profile,
    RedirectPolicy,
    SigningAlgorithm,
    TokenEndpointAuth,
)
from zorgid.kernel.clock import CLOCK_SKEW, Clock
from zorgid.kernel.errors import Fault
from zorgid.kernel.randomness import RandomSource, base64url, from_base64url
from zorgid.kernel.secrets import Secret
from zorgid.oidc.assertion import ASSERTION_TYPE
from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken, sign_compact, verified
from zorgid.oidc.keys import public_jwk
from zorgid.oidc.pkce import challenge_of
from zorgid.settings import Settings
from zorgid.storage.database import Work
from zorgid.web.portal.errors import PortalLoginFailed

CLIENT_ID: Final = PORTAL_ID
CLIENT_KEY: Final = KeyName("portal-client")
COOKIE_KEY: Final = KeyName("web-cookies")
"""Key of the MACs in cookies and forms."""

ASSERTION_LIVES_FOR: Final = timedelta(seconds=60)
CALLBACK: Final = "/portal/signin-oidc"
FRONT: Final = "/portal"


def portal_client(settings: Settings, keys: KeyProvider) -> Client:
    """Return the portal's own registration."""
    return Client(
        id=CLIENT_ID,
        name=PORTAL_NAME,
        profile=Profile.nlgov,
        redirect_uris=(f"{settings.origin}{CALLBACK}",),
        post_logout_redirect_uris=(f"{settings.origin}{FRONT}",),
        jwks={"keys": [public_jwk(keys.public_key(CLIENT_KEY), "ES256")]},
        token_endpoint_auth=TokenEndpointAuth.private_key_jwt,
        scopes=frozenset({"openid", "profile", "api"}),
        sector="portal",
        default_acr=None,
        signing_algorithm=SigningAlgorithm.ES256,
        is_portal=True,
    )


async def register_portal(work: Work, settings: Settings, keys: KeyProvider) -> None:
    """Register the portal, or change its registration when it differs; run at start."""
    wanted = portal_client(settings, keys)
    redirects = RedirectPolicy.loopback_allowed if settings.is_demo else RedirectPolicy.https_only
    try:
        known = await clients.client(work, CLIENT_ID)
    except ClientUnknown:
        await clients.register_client(work, wanted, by=SYSTEM, redirects=redirects)
        return
    if known != wanted:
        await clients.change_client(work, wanted, by=SYSTEM, redirects=redirects)


@dataclass(frozen=True)
class Attempt:
    """One login of one browser, wholly made from what its cookie holds and a key of ours."""

    mark: str
    return_to: str
    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls, keys: KeyProvider, *, return_to: str, random: RandomSource) -> Self:
        """Return a fresh attempt that ends at the local path `return_to`."""
        return cls._of(keys, Secret.new(32, random).text_for_wire(), return_to)

    @classmethod
    def from_cookie(cls, keys: KeyProvider, text: str) -> Self:
        """Return the attempt that the browser's cookie tells of. Raises `PortalLoginFailed`."""
        mark, separator, path = text.partition(".")
        try:
            return_to = from_base64url(path).decode()
        except ValueError:
            raise PortalLoginFailed(cause="cookie") from None
        if not separator:
            raise PortalLoginFailed(cause="cookie")
        return cls._of(keys, mark, return_to)

    @classmethod
    def _of(cls, keys: KeyProvider, mark: str, return_to: str) -> Self:
        def made(purpose: str) -> str:
            return base64url(keys.mac(COOKIE_KEY, f"portal-login|{purpose}|{mark}|{return_to}".encode()))

        return cls(mark, return_to, made("state"), made("nonce"), made("verifier"))

    def cookie(self) -> str:
        """Return what the browser keeps."""
        return f"{self.mark}.{base64url(self.return_to.encode())}"


@dataclass(frozen=True)
class RelyingParty:
    """Speaks to the identity server as the client `user-management`, inside this process."""

    application: ASGIApp
    settings: Settings
    keys: KeyProvider
    clock: Clock
    random: RandomSource

    def login_address(self, attempt: Attempt) -> str:
        """Return the address that begins the login. Source: OpenID Connect Core 1.0, section 3.1.2.1."""
        asked = {
            "client_id": CLIENT_ID,
            "redirect_uri": f"{self.settings.origin}{CALLBACK}",
            "response_type": "code",
            "scope": "openid profile api",
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
            "response_mode": "form_post",
            "nonce": attempt.nonce,
            "state": attempt.state,
        }
        return f"{self.settings.issuer}/connect/authorize?{urlencode(asked)}"

    async def redeem(self, attempt: Attempt, answer: Mapping[str, str]) -> str:
        """Return the `sid` of the session that the login made, from the answer posted by the browser.

        Raises:
            PortalLoginFailed: the answer is an error, belongs to another login, or the code is not taken.
        """
        if answer.get("state") != attempt.state:
            raise PortalLoginFailed(cause="state")
        if answer.get("iss") != self.settings.issuer:  # RFC 9207, section 2.4
            raise PortalLoginFailed(cause="issuer")
        if "error" in answer or "code" not in answer:
            raise PortalLoginFailed(cause=_known_error(answer.get("error")))
        transport = httpx.ASGITransport(self.application)
        async with httpx.AsyncClient(transport=transport, base_url=self.settings.origin) as client:
            places = await _json(client, f"{self.settings.issuer}/.well-known/openid-configuration")
            token = await self._id_token(client, places["token_endpoint"], attempt, answer["code"])
            key_set = await _json(client, places["jwks_uri"])
        return self._sid(UnverifiedToken(token), key_set, attempt)

    async def _id_token(self, client: httpx.AsyncClient, address: str, attempt: Attempt, code: str) -> str:
        """Redeem the code. Source: OpenID Connect Core 1.0, section 3.1.3."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{self.settings.origin}{CALLBACK}",
            "code_verifier": attempt.verifier,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }
        answer = await client.post(address, data=form)
        if answer.is_server_error:
            raise Fault(f"the token endpoint answered {answer.status_code}")
        if not answer.is_success:
            raise PortalLoginFailed(cause=_known_error(answer.json().get("error")))
        token: str = answer.json()["id_token"]
        return token

    def _assertion(self) -> str:
        """Return the proof that the portal itself asks (RFC 7523, section 3)."""
        now = self.clock()
        claims = {
            "iss": CLIENT_ID,
            "sub": CLIENT_ID,
            "aud": self.settings.issuer,
            "jti": base64url(self.random(16)),
            "iat": int(now.timestamp()),
            "exp": int((now + ASSERTION_LIVES_FOR).timestamp()),
        }
        kid = public_jwk(self.keys.public_key(CLIENT_KEY), "ES256")["kid"]
        header = {"alg": "ES256", "kid": kid, "typ": "client-authentication+jwt"}
        return sign_compact(self.keys, CLIENT_KEY, header, claims)

    def _sid(self, token: UnverifiedToken, key_set: Mapping[str, Any], attempt: Attempt) -> str:
        """Check the ID token and return its `sid`. Source: OpenID Connect Core 1.0, section 3.1.3.7."""
        try:
            claims = verified(token, key_set, ["ES256"])
        except TokenUnreadable as error:
            raise Fault(f"our own ID token cannot be read: {error}") from error
        now = self.clock().timestamp()
        expected = {"iss": self.settings.issuer, "aud": CLIENT_ID, "nonce": attempt.nonce}
        differing = [name for name, value in expected.items() if claims.get(name) != value]
        if differing or claims["exp"] <= now or claims["iat"] > now + CLOCK_SKEW.total_seconds():
            raise PortalLoginFailed(cause="token")
        sid: str = claims["sid"]
        return sid


def _known_error(error: object) -> str:
    """Return an OAuth error code as a cause, without trusting its text."""
    known = {"access_denied", "login_required", "invalid_grant", "invalid_client", "server_error"}
    return str(error) if error in known else "answer"


async def _json(client: httpx.AsyncClient, address: str) -> Any:
    """Fetch a document of our own identity server."""
    answer = await client.get(address)
    if not answer.is_success:
        raise Fault(f"{address} answered {answer.status_code}")
    return answer.json()
