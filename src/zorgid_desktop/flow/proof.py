"""Makes the proof that a platform asks for.

The bytes are built here from what was shown, never taken from outside.
"""

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding

from cardkit.card import Card, CardCertificate, CardKey
from zorgid.kernel.secrets import Secret
from zorgid.protocol.context import Context
from zorgid.protocol.proof import (
    HASHES,
    WebEidToken,
    algorithm_for,
    bytes_for_signature_key,
    bytes_to_sign,
    nonce_for,
    token_for,
)
from zorgid_desktop import APP_VERSION


def prove_context(
    card: Card, certificate: CardCertificate, *, challenge: bytes, context: Context, handle: Secret
) -> WebEidToken:
    """Return the card's proof for a context that was shown. The PIN must have been verified."""
    algorithm = algorithm_for(certificate.key.public_key)
    data = bytes_to_sign(context.origin, nonce_for(challenge, context, handle), algorithm)
    signature = _signature(card, certificate.key, data, algorithm)
    return token_for(certificate.certificate.public_bytes(Encoding.DER), algorithm, signature, APP_VERSION)


def prove_signature_key(card: Card, key: CardKey, *, origin: str, nonce: str) -> bytes:
    """Return the one signature that shows the use of the signature key (9C); the PIN directly before."""
    algorithm = algorithm_for(key.public_key)
    return _signature(card, key, bytes_for_signature_key(origin, nonce, algorithm), algorithm)


def _signature(card: Card, key: CardKey, data: bytes, algorithm: str) -> bytes:
    signature = card.sign(key, data, HASHES[algorithm[-3:]]())
    if not isinstance(key.public_key, ec.EllipticCurvePublicKey):
        return signature
    size = (key.public_key.curve.key_size + 7) // 8
    r, s = utils.decode_dss_signature(signature)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
