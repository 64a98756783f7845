"""Signed tokens: written by a key behind the key provider, read with an explicit list of algorithms.

Each kind of token has its own `typ`; claims are checked by those who know what the token is for, here only
their form.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from zorgid.ca.keys import KeyName, KeyProvider, SigningAlgorithm
from zorgid.kernel.randomness import base64url, from_base64url
from zorgid.oidc.model import SigningKey

SIGNS_AS: Final[Mapping[str, SigningAlgorithm]] = {
    "ES256": SigningAlgorithm.ecdsa_sha256,
    "RS256": SigningAlgorithm.rsa_sha256,
    "PS256": SigningAlgorithm.rsa_pss_sha256,
}
"""The algorithms of our own tokens, by JOSE name."""

LONGEST_TOKEN: Final = 16_384
"""Characters; assertions with a certificate chain in the header stay far below."""


class TokenUnreadable(Exception):
    """The text is not a token signed by one of the keys with one of the algorithms; the message says why."""


@lru_cache(maxsize=8)
def _registry(algorithm: str) -> jws.JWSRegistry:
    return jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)


@dataclass(frozen=True)
class UnverifiedToken:
    """A compact JWS as received; nothing in it may be used before `verified` but to find its key."""

    text: str

    def header(self) -> Mapping[str, Any]:
        """Return the unverified header. Raises `TokenUnreadable`."""
        return self._header

    def claims(self) -> Mapping[str, Any]:
        """Return the unverified claims. Raises `TokenUnreadable`."""
        return self._claims

    @cached_property
    def _header(self) -> Mapping[str, Any]:
        return _json_object(self._part(0))

    @cached_property
    def _claims(self) -> Mapping[str, Any]:
        return _json_object(self._part(1))

    def _part(self, index: int) -> bytes:
        parts = self.text.split(".")
        if len(parts) != 3 or len(self.text) > LONGEST_TOKEN:  # noqa: PLR2004 - a compact JWS has three parts
            raise TokenUnreadable("not a compact JWS of a length that is taken")
        try:
            return from_base64url(parts[index])
        except ValueError as error:
            raise TokenUnreadable(str(error)) from None


def verified(token: UnverifiedToken, keys: Mapping[str, Any], algorithms: Sequence[str]) -> Mapping[str, Any]:
    """Return the claims of a token whose signature fits one of `keys` (a JWK Set) and one of `algorithms`.

    The key is found by `kid`; without one only when the set holds a single key that fits. Nothing in the
    header but `alg`, `kid` and `typ` is looked at, and no key that comes with the token.

    Raises:
        TokenUnreadable: it cannot be read, or the signature does not fit.
    """
    header = token.header()
    algorithm = header.get("alg")
    if algorithm not in algorithms:
        raise TokenUnreadable(f"algorithm {algorithm!r} is not one of {sorted(algorithms)}")
    jwk = _key_for(header, keys)
    if jwk.get("alg", algorithm) != algorithm or jwk.get("use", "sig") != "sig":
        raise TokenUnreadable("the key is registered for another algorithm or use")
    if "crit" in header:
        raise TokenUnreadable("no critical header is understood")  # RFC 7515, section 4.1.11
    try:
        is_signed = _is_signed(token, header, _parsed(_compact_json(public_half(jwk))))
    except (JoseError, ValueError, TypeError) as error:
        raise TokenUnreadable(f"{type(error).__name__}: {error}") from None
    if not is_signed:
        raise TokenUnreadable("the signature does not fit")
    return token.claims()


def _is_signed(token: UnverifiedToken, header: Mapping[str, Any], key: Key) -> bool:
    registry = _registry(header["alg"])
    registry.check_header(dict(header))
    algorithm = registry.get_alg(header["alg"])
    algorithm.check_key(key)
    signing_input, _, signature = token.text.rpartition(".")
    return algorithm.verify(signing_input.encode("ascii"), from_base64url(signature), key)


def signed(keys: KeyProvider, by: SigningKey, claims: Mapping[str, Any], *, typ: str) -> str:
    """Return `claims` as a compact JWS with header `alg`, `kid` and `typ` (RFC 7515, section 7.1)."""
    header = {"alg": by.algorithm, "kid": by.kid, "typ": typ}
    return sign_compact(keys, KeyName(by.name), header, claims)


def sign_compact(
    keys: KeyProvider, name: KeyName, header: Mapping[str, str], claims: Mapping[str, Any]
) -> str:
    """Return a compact JWS with exactly this header, whose `alg` is one of `SIGNS_AS`."""
    signing_input = f"{base64url(_compact_json(header))}.{base64url(_compact_json(claims))}"
    algorithm = header["alg"]
    signature = keys.sign(name, signing_input.encode("ascii"), SIGNS_AS[algorithm])
    if algorithm == "ES256":
        signature = _fixed_length(signature)
    return f"{signing_input}.{base64url(signature)}"


def public_half(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JWK without its private and secret members (RFC 7518, section 6; RFC 8037, section 2)."""
    return {name: value for name, value in jwk.items() if name not in PRIVATE_MEMBERS}


PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@lru_cache(maxsize=1024)
def _parsed(jwk: bytes) -> Key:
    """Return the key of a JWK, which is parsed once: that takes longer than a check of its signature."""
    return JWKRegistry.import_key(json.loads(jwk))


def _key_for(header: Mapping[str, Any], keys: Mapping[str, Any]) -> Mapping[str, Any]:
    kid = header.get("kid")
    known = [key for key in keys["keys"] if kid is None or key.get("kid") == kid]
    if len(known) != 1:
        raise TokenUnreadable(f"{len(known)} registered keys fit kid {kid!r}")
    found: Mapping[str, Any] = known[0]
    return found


def _json_object(encoded: bytes) -> Mapping[str, Any]:
    try:
        value = _DECODER.decode(encoded.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise TokenUnreadable(f"not JSON: {type(error).__name__}") from None
    if not isinstance(value, dict):
        raise TokenUnreadable("not a JSON object")
    return value


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TokenUnreadable("a member is given twice")  # RFC 7515, section 4
    return found


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_without_repetition)
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
"""Made once: the module's functions make one for each call."""


def _compact_json(value: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(value).encode("utf-8")


def _fixed_length(der: bytes) -> bytes:
    """Return an ECDSA signature as two numbers of 32 bytes (RFC 7518, section 3.4)."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
