"""RSA padding around a card that does nothing but the bare RSA operation.

Source: RFC 8017, 9.2 (EMSA-PKCS1-v1_5) and 7.2.2 (RSAES-PKCS1-v1_5 decryption).
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives import hashes

from cardkit import der
from cardkit.errors import CardAnswerMalformed

# RFC 8017, appendix B.1: the hashes that are signed with.
HASH_OIDS: Final = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
# RFC 8017, 7.2.1: at least eight random bytes stand before the message.
SHORTEST_FILLING: Final = 8


def check_digest(digest: bytes, hash_algorithm: hashes.HashAlgorithm) -> None:
    """Check that `digest` can come from `hash_algorithm`.

    Raises `ValueError` for other lengths and hashes.
    """
    if hash_algorithm.name not in HASH_OIDS or len(digest) != hash_algorithm.digest_size:
        raise ValueError("signed are digests of SHA-256, SHA-384 or SHA-512, of their full length")


def pad_digest(digest: bytes, hash_algorithm: hashes.HashAlgorithm, *, key_bytes: int) -> bytes:
    """Return the block of `key_bytes` that a card turns into a PKCS#1 v1.5 signature over `digest`."""
    info = digest_info(digest, hash_algorithm)
    return b"\x00\x01" + b"\xff" * (key_bytes - len(info) - 3) + b"\x00" + info


def digest_info(digest: bytes, hash_algorithm: hashes.HashAlgorithm) -> bytes:
    """Return `digest` with the name of its hash, as a signature over it holds it (RFC 8017, 9.2, step 2)."""
    check_digest(digest, hash_algorithm)
    algorithm = der.sequence(der.object_identifier(HASH_OIDS[hash_algorithm.name]), der.null())
    return der.sequence(algorithm, der.octet_string(digest))


def unpad_message(block: bytes) -> bytes:
    """Return the message in a decrypted PKCS#1 v1.5 block.

    All ways of being wrong give one and the same error, so that nobody learns from it which one it was.

    Raises:
        CardAnswerMalformed: the block is not padded as it should be.
    """
    end = block.find(b"\x00", 2)
    if not block.startswith(b"\x00\x02") or end < 2 + SHORTEST_FILLING:
        raise CardAnswerMalformed("the message was not encrypted for this key")
    return block[end + 1 :]
