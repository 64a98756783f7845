"""What a client may register: addresses, keys and the rules of its profile. Pure."""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from zorgid.clients.errors import ClientKeysUnfit, ClientUnfit, RedirectUriUnfit
from zorgid.clients.model import Client, Profile, RedirectPolicy, SigningAlgorithm, TokenEndpointAuth

LONGEST_ID: Final = 100
LONGEST_NAME: Final = 200
LONGEST_URI: Final = 2000

LEAST_RSA_BITS: Final = 2048
"""FAPI 2.0 Security Profile, section 5.4.1."""

CURVES: Final = frozenset({"P-256", "P-384", "P-521", "Ed25519"})

PRIVATE_PARTS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK that are secret. Source: RFC 7518, sections 6.2.2, 6.3.2 and 6.4."""

SIGNING_ALGORITHMS: Final[Mapping[Profile, frozenset[SigningAlgorithm]]] = {
    Profile.nlgov: frozenset(SigningAlgorithm),
    Profile.fapi2: frozenset({SigningAlgorithm.ES256, SigningAlgorithm.PS256}),
}
"""Source: NL GOV Assurance profile for OAuth 2.0; FAPI 2.0 Security Profile, section 5.4.1 (no RS256)."""


def require_fit_client(client: Client, *, redirects: RedirectPolicy) -> Client:
    """Return the client, which may be registered.

    Raises:
        ClientUnfit: a field cannot be right, or breaks a rule of the profile.
        RedirectUriUnfit: an address may not be registered.
        ClientKeysUnfit: the keys do not fit the way the client proves itself.
    """
    fitness = {
        "id": 0 < len(client.id) <= LONGEST_ID and client.id.isascii() and client.id.isprintable(),
        "name": 0 < len(client.name.strip()) <= LONGEST_NAME and client.name.isprintable(),
        "redirect_uris": bool(client.redirect_uris),
        "scopes": "openid" in client.scopes,
        "sector": bool(client.sector) and client.sector.isascii(),
        "signing_algorithm": client.signing_algorithm in SIGNING_ALGORITHMS[client.profile],
        # FAPI 2.0 Security Profile, section 5.3.2.1: no public clients.
        "token_endpoint_auth": client.profile is not Profile.fapi2
        or client.token_endpoint_auth is not TokenEndpointAuth.none,
    }
    for part, is_fit in fitness.items():
        if not is_fit:
            raise ClientUnfit(part=part)
    for uri in (*client.redirect_uris, *client.post_logout_redirect_uris):
        require_fit_uri(uri, redirects)
    require_fit_keys(client.jwks, client.token_endpoint_auth)
    return client


def require_fit_uri(uri: str, redirects: RedirectPolicy) -> str:
    """Return `uri`, which may be registered as an address to send browsers to.

    Absolute https without name, password, fragment or wildcard; with `loopback_allowed` also http to this
    very machine.

    Raises:
        RedirectUriUnfit: it is not.

    Source: RFC 9700, section 4.1; RFC 8252, section 7.3 for loopback.
    """
    parts = _parts(uri)
    is_plain = uri.isascii() and uri.isprintable() and " " not in uri and "\\" not in uri and "*" not in uri
    is_bare = parts.username is None and parts.password is None and "#" not in uri
    is_admitted = parts.scheme == "https" or (
        redirects is RedirectPolicy.loopback_allowed
        and parts.scheme == "http"
        and is_loopback(parts.hostname or "")
    )
    if not (len(uri) <= LONGEST_URI and is_plain and is_bare and is_admitted and parts.hostname):
        raise RedirectUriUnfit(uri=uri)
    return uri


def _parts(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port  # is read only when asked for, and then may turn out to be no number
    except ValueError:
        raise RedirectUriUnfit(uri=uri) from None
    return parts


def is_loopback(host: str) -> bool:
    """Tell whether the host is this very machine: `localhost` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_fit_keys(jwks: Mapping[str, Any], auth: TokenEndpointAuth) -> None:
    """Check that the key set holds public, strong, named keys, and at least one where the client signs.

    Raises:
        ClientKeysUnfit: the first flaw found.

    Source: RFC 7517, sections 4 and 5.
    """
    listed = jwks.get("keys")
    if not isinstance(listed, list) or not all(isinstance(key, Mapping) for key in listed):
        raise ClientKeysUnfit(flaw="malformed")
    if auth is TokenEndpointAuth.private_key_jwt and not listed:
        raise ClientKeysUnfit(flaw="missing")
    for flaw, has_it in KEY_FLAWS.items():
        if any(has_it(key) for key in listed):
            raise ClientKeysUnfit(flaw=flaw)
    names = [key["kid"] for key in listed]
    if len(set(names)) != len(names):
        raise ClientKeysUnfit(flaw="name-twice")


def _is_private(key: Mapping[str, Any]) -> bool:
    return key.get("kty") == "oct" or bool(PRIVATE_PARTS & set(key))


def _is_nameless(key: Mapping[str, Any]) -> bool:
    return not isinstance(key.get("kid"), str) or not key["kid"]


def _is_for_other_use(key: Mapping[str, Any]) -> bool:
    return "use" in key and key["use"] != "sig"


def _is_weak(key: Mapping[str, Any]) -> bool:
    """Judge by the parameters: the library warns aloud when it parses a weak key."""
    match key:
        case {"kty": "RSA", "n": str(modulus)}:
            return len(modulus) * 6 < LEAST_RSA_BITS  # base64url: six bits a character
        case {"kty": "EC" | "OKP", "crv": str(curve)}:
            return curve not in CURVES
        case _:
            return False


def _is_malformed(key: Mapping[str, Any]) -> bool:
    try:
        KeySet.import_key_set({"keys": [dict(key)]})
    except (JoseError, ValueError, TypeError, KeyError):
        return True
    return False


KEY_FLAWS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "private": _is_private,
    "nameless": _is_nameless,
    "other-use": _is_for_other_use,
    "weak": _is_weak,
    "malformed": _is_malformed,
}
"""What may be wrong with a key, in the order in which it is looked for."""
