"""Care applications and their users as a load: their requests, made and checked."""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bench.wire import Answer, Line, request

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Application:
    """A client with its key."""

    id: str
    redirect_uri: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, number: int) -> "Application":
        """Return a client with a fresh key."""
        return cls(
            f"xis-{number}", f"https://xis-{number}.example/cb", ec.generate_private_key(ec.SECP256R1())
        )

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public key as a JWK."""
        numbers = self.key.public_key().public_numbers()
        x, y = (base64url(number.to_bytes(32)) for number in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "bench", "alg": "ES256", "use": "sig"}

    def told(self) -> dict[str, Any]:
        """Return what a generator in another process needs."""
        return {
            "id": self.id,
            "redirect_uri": self.redirect_uri,
            "key": self.key.private_numbers().private_value,
        }

    @classmethod
    def from_told(cls, told: dict[str, Any]) -> "Application":
        """Return the client that another process told of."""
        return cls(told["id"], told["redirect_uri"], ec.derive_private_key(told["key"], ec.SECP256R1()))


@dataclass(frozen=True)
class Place:
    """An identity server: where it answers, and what its addresses are."""

    port: int
    headers: dict[str, str]
    issuer: str
    authorize: str
    token: str
    userinfo: str
    names_sources: bool
    """Whether requests name the address that they come from, as a proxy in front would."""

    def headers_for(self, number: int) -> dict[str, str]:
        """Return the headers of one request; its source is one of some thousands."""
        if not self.names_sources:
            return self.headers
        source = f"10.{number % 199}.{number % 61}.{number % 251}"
        return {**self.headers, "X-Forwarded-For": source, "X-Forwarded-Proto": "https"}


@dataclass
class Login:
    """One login: its secrets, and what came of it."""

    number: int
    application: Application
    cookie: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    code: str = ""
    assertion: str = ""

    def authorize(self, place: Place) -> bytes:
        """Return the authorisation request."""
        query = {
            "client_id": self.application.id,
            "redirect_uri": self.application.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64url(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        headers = {**place.headers_for(self.number), "Cookie": self.cookie}
        return request("GET", f"{place.authorize}?{urlencode(query)}", headers)

    def take_code(self, answer: Answer) -> None:
        """Keep the code of an answer. Raises `AssertionError` when it has none for this request."""
        given = parse_qs(urlsplit(answer.header(b"location").decode()).query)
        assert answer.status in {302, 303}, (answer.status, answer.body[:300])
        assert given.get("state") == [self.state], (answer.head, answer.body[:300])
        (self.code,) = given["code"]

    def sign(self, place: Place) -> None:
        """Make the client's assertion for this login."""
        now = int(time.time())
        name = self.application.id
        claims = {
            "iss": name,
            "sub": name,
            "aud": place.issuer,
            "iat": now,
            "exp": now + 300,
            "jti": self.state,
        }
        self.assertion = signed(self.application.key, claims)

    def token(self, place: Place) -> bytes:
        """Return the token request."""
        form = {
            "grant_type": "authorization_code",
            "code": self.code,
            "redirect_uri": self.application.redirect_uri,
            "code_verifier": self.verifier,
            "client_id": self.application.id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion,
        }
        return request(
            "POST", place.token, {**place.headers_for(self.number), **FORM}, urlencode(form).encode()
        )

    def tokens(self, answer: Answer) -> dict[str, Any]:
        """Return the tokens of an answer. Raises `AssertionError` when they are not for this login."""
        assert answer.status == HTTPStatus.OK, (answer.status, answer.body[:300])
        given: dict[str, Any] = json.loads(answer.body)
        assert claims_of(given["id_token"])["nonce"] == self.nonce
        return given

    def userinfo(self, place: Place, access_token: str) -> bytes:
        """Return the userinfo request."""
        headers = {**place.headers_for(self.number), "Authorization": f"Bearer {access_token}"}
        return request("GET", place.userinfo, headers)


async def log_in(line: Line, place: Place, login: Login) -> dict[str, Any]:
    """Walk one whole login of somebody who has a session; return the tokens."""
    login.take_code(await line.ask(login.authorize(place)))
    given = login.tokens(await line.ask(login.token(place)))
    answer = await line.ask(login.userinfo(place, given["access_token"]))
    assert answer.status == HTTPStatus.OK, (answer.status, answer.body[:300])
    assert json.loads(answer.body)["sub"] == claims_of(given["id_token"])["sub"]
    return given


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token; its signature is checked elsewhere."""
    claims: dict[str, Any] = json.loads(from_base64url(token.split(".")[1]))
    return claims


def signed(key: ec.EllipticCurvePrivateKey, claims: dict[str, Any]) -> str:
    """Return claims as a JWS by ES256."""
    header = {"alg": "ES256", "kid": "bench"}
    signing_input = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    r, s = decode_dss_signature(key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signing_input}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"


def base64url(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return what base64url without padding stands for."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
