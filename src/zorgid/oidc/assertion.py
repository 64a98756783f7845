"""Checks how a client proves itself: a JWT that it signed with a registered key (RFC 7523; private_key_jwt).

There are no client secrets. A client without keys is public: it names itself and proves nothing but its code
verifier.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from zorgid.clients.model import Client, ClientId, TokenEndpointAuth
from zorgid.kernel.clock import CLOCK_SKEW
from zorgid.oidc.errors import InvalidClient
from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken, verified
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.profiles import PROFILES, ProfileRules

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})
"""What `typ` may be, in lower case, when it is there.

No token of another kind passes for an assertion (RFC 8725, section 3.11).
"""

LONGEST_JTI: Final = 512


@dataclass(frozen=True)
class Addresses:
    """How the server is called in an `aud`."""

    issuer: str
    token_url: str


@dataclass(frozen=True)
class Authenticated:
    """A client that proved itself.

    The assertion's id must not have been seen before; `jti` is `None` without one.
    """

    client: Client
    jti: str | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Proof:
    """What a client sent to prove itself, with its registration and the present moment."""

    unverified: UnverifiedParameters
    client: Client
    addresses: Addresses
    now: datetime
    claims: Mapping[str, Any]
    """The claims of the assertion, its signature verified."""

    @property
    def rules(self) -> ProfileRules:
        """What the client's profile asks."""
        return PROFILES[self.client.profile]


def claimed_client(unverified: UnverifiedParameters) -> ClientId:
    """Return the client that the request says it comes from; nothing is proved yet.

    Raises `InvalidClient`.
    """
    named = {unverified.one("client_id"), _subject_of(unverified.one("client_assertion"))} - {None}
    if len(named) > 1:
        raise _refused("The client_id and the client assertion name two clients.")
    client_id = named.pop() if named else None
    if client_id is None or not (client_id.isascii() and client_id.isprintable()):
        raise _refused("The client is not named.")
    return ClientId(client_id)


def _subject_of(assertion: str | None) -> str | None:
    if assertion is None:
        return None
    try:
        subject = UnverifiedToken(assertion).claims().get("sub")
    except TokenUnreadable as error:
        raise _refused("The client assertion cannot be read.", str(error)) from None
    if not isinstance(subject, str):
        raise _refused("The client assertion names nobody.")
    return subject


def check_named(proof: Proof) -> None:
    """The claims that the profile asks are there."""
    missing = [name for name in proof.rules.assertion_claims if name not in proof.claims]
    if missing:
        raise _refused("The client assertion lacks a claim.", ", ".join(missing))


def check_issuer_and_subject(proof: Proof) -> None:
    """The client speaks for itself (RFC 7523, section 3)."""
    if proof.claims["iss"] != proof.client.id or proof.claims["sub"] != proof.client.id:
        raise _refused("The client assertion is not issued by and about the client.")


def check_audience(proof: Proof) -> None:
    """The audience is the issuer, or for NL GOV the token URL, as one string.

    Source: FAPI 2.0 Security Profile, 5.3.2.1; NL GOV Assurance profile for OAuth 2.0.
    """
    allowed = {proof.addresses.issuer}
    if proof.rules.token_url_is_audience:
        allowed.add(proof.addresses.token_url)
    audience = proof.claims["aud"]
    if not isinstance(audience, str) or audience not in allowed:
        raise _refused(
            "The audience of the client assertion is not this server as one string.", repr(audience)
        )


def check_expiry(proof: Proof) -> None:
    """It has not expired, and does not live too long."""
    expires_at = moment(proof.claims["exp"])
    if expires_at is None or expires_at <= proof.now:
        raise _refused("The client assertion has expired.")
    if expires_at > proof.now + proof.rules.assertion_lives_for + CLOCK_SKEW:
        raise _refused("The client assertion lives too long.")


def check_beginning(proof: Proof) -> None:
    """It was not made further in the future than clocks differ."""
    for name in ("iat", "nbf"):
        at = moment(proof.claims[name]) if name in proof.claims else proof.now
        if at is None or at > proof.now + CLOCK_SKEW:
            raise _refused(f"The {name} of the client assertion is in the future or malformed.")


def check_id(proof: Proof) -> None:
    """It has an id that can be remembered."""
    jti = proof.claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or not jti.isprintable():
        raise _refused("The jti of the client assertion is malformed.")


ASSERTION_CHECKS: Final[tuple[Callable[[Proof], None], ...]] = (
    check_named,
    check_issuer_and_subject,
    check_audience,
    check_expiry,
    check_beginning,
    check_id,
)


def authenticated_client(
    unverified: UnverifiedParameters, *, client: Client, addresses: Addresses, now: datetime
) -> Authenticated:
    """Return the client when it proved itself in the one way that it registered.

    Raises:
        InvalidClient: the proof is missing, of another kind, or fails a check.
    """
    assertion = unverified.one("client_assertion")
    if client.token_endpoint_auth is TokenEndpointAuth.none and assertion is None:
        return Authenticated(client, None, None)
    if client.token_endpoint_auth is not TokenEndpointAuth.private_key_jwt or assertion is None:
        raise _refused("The client must authenticate as it registered.")
    if unverified.one("client_assertion_type") != ASSERTION_TYPE:
        raise _refused("The client_assertion_type is not the one for JWTs.")
    proof = Proof(unverified, client, addresses, now, _claims(UnverifiedToken(assertion), client))
    for check in ASSERTION_CHECKS:
        check(proof)
    return Authenticated(client, proof.claims["jti"], moment(proof.claims["exp"]))


def assertion_algorithms(client: Client) -> frozenset[str]:
    """Return the algorithms of the client's registered keys that its profile allows."""
    registered = {algorithm for key in client.jwks["keys"] for algorithm in _algorithms_of(key)}
    return PROFILES[client.profile].assertion_algorithms & registered


def moment(value: object) -> datetime | None:
    """Return a NumericDate (RFC 7519, section 2) as a moment, or `None` when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


ALGORITHMS_OF_KEY: Final[Mapping[tuple[str, str | None], tuple[str, ...]]] = {
    ("RSA", None): ("RS256", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("Ed25519",),
}


def _algorithms_of(key: Mapping[str, Any]) -> tuple[str, ...]:
    if "alg" in key:
        return (key["alg"],)
    return ALGORITHMS_OF_KEY.get((key.get("kty", ""), key.get("crv")), ())


def _claims(token: UnverifiedToken, client: Client) -> Mapping[str, Any]:
    try:
        _require_assertion_type(token.header().get("typ"))
        return verified(token, client.jwks, sorted(assertion_algorithms(client)))
    except TokenUnreadable as error:
        raise _refused("The client assertion is not signed as registered.", str(error)) from None


def _require_assertion_type(typ: object) -> None:
    if typ is not None and not (isinstance(typ, str) and typ.lower() in TYPES):
        raise TokenUnreadable(f"typ {typ!r} is not that of an assertion")


def _refused(description: str, detail: str = "") -> InvalidClient:
    return InvalidClient(description=description, detail=detail)
