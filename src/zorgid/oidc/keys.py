"""The keys that sign tokens: their states, when they change, and the ring that a node keeps in memory.

A key is published as next long enough that every client has it before it is used, and stays published after
it was retired until nothing that it signed is valid.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from zorgid.ca.keys import KeyKind, PublicKey
from zorgid.kernel.errors import Fault
from zorgid.kernel.randomness import base64url
from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken, verified
from zorgid.oidc.model import SigningKey, SigningKeyState

KEY_KINDS: Final[Mapping[str, KeyKind]] = {
    "ES256": KeyKind.p256,
    "PS256": KeyKind.rsa2048,
    "RS256": KeyKind.rsa2048,
}
"""One key per algorithm; no key serves two."""

JWKS_CACHE_FOR: Final = timedelta(days=7)
"""How long clients may keep the key set; OpenID NLGov recommends a week."""

KEY_SIGNS_FOR: Final = timedelta(days=90)

RETIRED_KEPT_FOR: Final = timedelta(days=1)
"""Longer than any token lives, and than a session, whose ID token may come back as a hint."""


class SigningKeyMissing(Fault):
    """No active key for an algorithm; the operator runs the rotation."""


class Step(StrEnum):
    """What a rotation does with the keys of one algorithm."""

    make_first = "make-first"
    make_next = "make-next"
    promote = "promote"
    remove = "remove"


def rotation_steps(
    keys: Sequence[SigningKey], *, now: datetime
) -> tuple[tuple[Step, SigningKey | None], ...]:
    """Return what is due for the keys of one algorithm, in order."""
    by_state = {state: [key for key in keys if key.state is state] for state in SigningKeyState}
    due: list[tuple[Step, SigningKey | None]] = [
        (Step.remove, key) for key in by_state[SigningKeyState.retired] if _is_forgotten(key, now)
    ]
    if not by_state[SigningKeyState.active]:
        # Nobody has a key set of ours yet, so nobody can have an old one.
        return (*due, (Step.make_first, None))
    active = by_state[SigningKeyState.active][0]
    upcoming = by_state[SigningKeyState.next]
    if not upcoming and _age(active, now) >= KEY_SIGNS_FOR - JWKS_CACHE_FOR:
        due.append((Step.make_next, None))
    if upcoming and _age(active, now) >= KEY_SIGNS_FOR and now - upcoming[0].published_at >= JWKS_CACHE_FOR:
        due.append((Step.promote, upcoming[0]))
    return tuple(due)


def public_jwk(key: PublicKey, algorithm: str) -> dict[str, str]:
    """Return the public key as a JWK with `kid` (its RFC 7638 thumbprint), `use` and `alg`."""
    members = _members(key)
    thumbprint = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()
    return {**members, "kid": base64url(thumbprint), "use": "sig", "alg": algorithm}


@dataclass(frozen=True)
class KeyRing:
    """All published keys, as a node keeps them in memory."""

    keys: tuple[SigningKey, ...]

    def active(self, algorithm: str) -> SigningKey:
        """Return the key that signs with `algorithm` now. Raises `SigningKeyMissing`."""
        for key in self.keys:
            if key.algorithm == algorithm and key.state is SigningKeyState.active:
                return key
        raise SigningKeyMissing(f"no active key for {algorithm}")

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the JWK Set (RFC 7517, section 5), the keys that sign now first."""
        order = (SigningKeyState.active, SigningKeyState.next, SigningKeyState.retired)
        return {"keys": [dict(key.public_jwk) for state in order for key in self.keys if key.state is state]}

    def verified(self, token: UnverifiedToken, *, typ: str) -> Mapping[str, Any]:
        """Return the claims of a token that one of these keys signed as `typ`. Raises `TokenUnreadable`."""
        given = token.header().get("typ")
        if given != typ:
            raise TokenUnreadable(f"typ {given!r} is not {typ}")
        return verified(token, self.jwks(), sorted({key.algorithm for key in self.keys}))


def _age(key: SigningKey, now: datetime) -> timedelta:
    return now - (key.active_at or now)


def _is_forgotten(key: SigningKey, now: datetime) -> bool:
    return key.retired_at is not None and now - key.retired_at >= RETIRED_KEPT_FOR


def _members(key: PublicKey) -> dict[str, str]:
    match key:
        case ec.EllipticCurvePublicKey():
            numbers = key.public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": _number(numbers.x, 32), "y": _number(numbers.y, 32)}
        case rsa.RSAPublicKey():
            parts = key.public_numbers()
            return {"kty": "RSA", "n": _number(parts.n), "e": _number(parts.e)}
        case _:
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_bytes_raw())}


def _number(value: int, size_bytes: int | None = None) -> str:
    return base64url(value.to_bytes(size_bytes or (value.bit_length() + 7) // 8, "big"))
