"""The bytes a card signs to prove who is there, in the form of Web eID, and their check.

Signed is hash(origin) followed by hash(nonce), with the hash of the signature algorithm. The nonce is made by
the app itself from what it displayed: base64(SHA-256(R, SHA-256(canonical context, handle))). Neither origin
nor nonce is in the token, so the platform rebuilds both from its own row
(docs/desktop-protocol.md, chapters 4 and 5).

Source: Web eID authentication token, format web-eid:1.0.
"""

import base64
import binascii
import hashlib
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from zorgid.kernel.secrets import Secret
from zorgid.pki.reading import UNREADABLE
from zorgid.protocol.context import Context, Message
from zorgid.protocol.errors import ProofMalformed, ProofWrong

CHALLENGE_BYTES: Final = 32
"""Size of R, the platform's share of the nonce."""

HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}

CURVE_HASH: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
"""The one algorithm for each curve (RFC 7518, section 3.4)."""


class WebEidToken(Message):
    """A proof as received. Nothing in it may be used before `verify_token` returned."""

    format: Literal["web-eid:1.0"]
    unverifiedCertificate: str  # noqa: N815 - the field name of the Web eID format
    algorithm: Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512"]
    signature: str
    appVersion: str  # noqa: N815 - the field name of the Web eID format


def nonce_for(challenge: bytes, context: Context, handle: Secret) -> str:
    """Return the nonce (44 characters of base64) that binds platform, display and link together."""
    shown = hashlib.sha256(context.canonical() + handle.reveal()).digest()
    return base64.b64encode(hashlib.sha256(challenge + shown).digest()).decode("ascii")


def bytes_to_sign(origin: str, nonce: str, algorithm: str) -> bytes:
    """Return hash(origin) followed by hash(nonce), with the hash of `algorithm` (such as ES256)."""
    return _digest(origin.encode("utf-8"), algorithm) + _digest(nonce.encode("ascii"), algorithm)


def _digest(data: bytes, algorithm: str) -> bytes:
    digest = hashes.Hash(HASHES[algorithm[-3:]]())
    digest.update(data)
    return digest.finalize()


def algorithm_for(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    """Return the algorithm that a card key signs proofs with: the curve's own hash, or RS256."""
    return CURVE_HASH[key.curve.name] if isinstance(key, ec.EllipticCurvePublicKey) else "RS256"


def bytes_for_signature_key(origin: str, nonce: str, algorithm: str) -> bytes:
    """Return what the signature key (9C) signs, once, while its card is made.

    It is labelled, so that it is no login proof.
    """
    return b"zorg-id:prove-signature-key\0" + bytes_to_sign(origin, nonce, algorithm)


def answer_of_confidentiality_key(plain: bytes, nonce: str) -> bytes:
    """Return the app's answer to the ciphertext that only the confidentiality key (9D, RSA) opens."""
    return hashlib.sha256(b"zorg-id:prove-confidentiality-key\0" + plain + nonce.encode("ascii")).digest()


def token_for(certificate_der: bytes, algorithm: str, signature: bytes, app_version: str) -> WebEidToken:
    """Return the token for a card's `signature` (ECDSA as r followed by s, RFC 7518 section 3.4)."""
    return WebEidToken.model_validate(
        {
            "format": "web-eid:1.0",
            "unverifiedCertificate": base64.b64encode(certificate_der).decode("ascii"),
            "algorithm": algorithm,
            "signature": base64.b64encode(signature).decode("ascii"),
            "appVersion": app_version,
        }
    )


def verify_token(token: WebEidToken, *, origin: str, nonce: str) -> bytes:
    """Return the certificate (DER) whose key signed this `origin` and `nonce`.

    Says nothing about whose certificate it is or whether it is good: that is for the caller.

    Raises:
        ProofMalformed: certificate, algorithm or signature cannot be read, or do not fit each other.
        ProofWrong: the signature is not over this origin and nonce by this key.
    """
    certificate_der = _decoded(token.unverifiedCertificate)
    verify_signature(
        certificate_der,
        algorithm=token.algorithm,
        signature=_decoded(token.signature),
        data=bytes_to_sign(origin, nonce, token.algorithm),
    )
    return certificate_der


def verify_signature(certificate_der: bytes, *, algorithm: str, signature: bytes, data: bytes) -> None:
    """Check a signature by the key of a certificate over `data`. Raises `ProofMalformed` or `ProofWrong`."""
    try:
        key = x509.load_der_x509_certificate(certificate_der).public_key()
    except UNREADABLE:
        raise ProofMalformed from None
    hash_algorithm = HASHES[algorithm[-3:]]()
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm.startswith("RS"):
            key.verify(signature, data, padding.PKCS1v15(), hash_algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and CURVE_HASH.get(key.curve.name) == algorithm:
            key.verify(_der_of(signature, key), data, ec.ECDSA(hash_algorithm))
        else:
            raise ProofMalformed
    except InvalidSignature:
        raise ProofWrong from None


def _der_of(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise ProofMalformed
    return utils.encode_dss_signature(
        int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProofMalformed from None
