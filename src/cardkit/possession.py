"""Possession of a key that may not sign, shown by agreeing on a secret.

A key on a curve for confidentiality agrees on secrets and nothing else. The verifier sends a fresh public
key; only the holder of the private key gets the same secret, and shows a MAC under it over what the proof is
for. Source: RFC 6955, in its idea; RFC 5869.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cardkit.card import CardKey, CardUse
from cardkit.errors import PossessionUnproven
from cardkit.piv.objects import uncompressed_point

LABEL: Final = b"zorg-id possession by key agreement v1"
MAC_KEY_BYTES: Final = 32


def prove_agreement(
    card: CardUse, key: CardKey, verifier_public_key: ec.EllipticCurvePublicKey, context: bytes
) -> bytes:
    """Return the proof (32 bytes) that `card` holds `key`, good for this verifier key and `context` only.

    The PIN must have been verified. `context` names the issuance and its nonce.

    Raises:
        PinNeeded: the PIN was not verified.
        ValueError: `key` is not on the verifier's curve.
    """
    if isinstance(key.public_key, ec.EllipticCurvePublicKey):
        secret = card.agree(key, verifier_public_key)
        return _proof(secret, key.public_key, verifier_public_key, context)
    raise ValueError("only keys on a curve agree on secrets")


def check_agreement(
    proof: bytes,
    holder_public_key: ec.EllipticCurvePublicKey,
    verifier_private_key: ec.EllipticCurvePrivateKey,
    context: bytes,
) -> None:
    """Check that the maker of `proof` holds the private half of `holder_public_key`.

    The verifier's key has to be fresh: used for this one proof.

    Raises:
        PossessionUnproven: the proof is for another key, another verifier or another context.
    """
    if holder_public_key.curve.name != verifier_private_key.curve.name:
        raise PossessionUnproven
    secret = verifier_private_key.exchange(ec.ECDH(), holder_public_key)
    expected = _proof(secret, holder_public_key, verifier_private_key.public_key(), context)
    if not hmac.compare_digest(expected, proof):
        raise PossessionUnproven


def _proof(
    secret: bytes, holder: ec.EllipticCurvePublicKey, verifier: ec.EllipticCurvePublicKey, context: bytes
) -> bytes:
    keys = uncompressed_point(holder) + uncompressed_point(verifier)
    mac_key = HKDF(hashes.SHA256(), MAC_KEY_BYTES, salt=None, info=LABEL + keys).derive(secret)
    return hmac.digest(mac_key, context, "sha256")
