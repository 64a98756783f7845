"""What every driver does with a signature: choose the hash, hash the message, and check the outcome.

A card that answers with something else than a signature of its key is found out here, before anybody relies
on it.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from cardkit.errors import CardAnswerMalformed
from cardkit.keys import CardKey, KeyAlgorithm, PublicKey

# A signature key is asked for SHA-384 only where the curve is as strong as that.
HASHES: Final[dict[KeyAlgorithm, hashes.HashAlgorithm]] = {KeyAlgorithm.p384: hashes.SHA384()}


def digest_for(
    key: CardKey, message: bytes, hash_algorithm: hashes.HashAlgorithm | None
) -> tuple[bytes, hashes.HashAlgorithm]:
    """Return the digest of `message` that `key` signs, and its hash: SHA-384 for P-384, else SHA-256."""
    chosen = hash_algorithm or HASHES.get(key.algorithm, hashes.SHA256())
    digest = hashes.Hash(chosen)
    digest.update(message)
    return digest.finalize(), chosen


def check_signature(
    public_key: PublicKey, signature: bytes, digest: bytes, hash_algorithm: hashes.HashAlgorithm
) -> None:
    """Check that `signature` (PKCS#1 v1.5, or DER-encoded ECDSA) over `digest` is of that key.

    Raises:
        CardAnswerMalformed: it is not.
    """
    hashed = utils.Prehashed(hash_algorithm)
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, digest, padding.PKCS1v15(), hashed)
        else:
            public_key.verify(signature, digest, ec.ECDSA(hashed))
    except InvalidSignature:
        raise CardAnswerMalformed("the signature does not belong to the key") from None
