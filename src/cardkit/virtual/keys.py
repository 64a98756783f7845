"""Private keys of the virtual card: where new ones come from, and the bare operations a card does with them.

The card does no padding: it gets a whole block for RSA, and at most as many bytes as the curve has for ECDSA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

from cardkit import tlv
from cardkit.card import KeyAlgorithm, PrivateKey, PublicKey
from cardkit.piv import codes

KeySource = Callable[[KeyAlgorithm], PrivateKey]
"""Gives a new private key of the asked kind.

Tests hand in one that does not take a second for each RSA key.
"""

PUBLIC_EXPONENT: Final = 65537
CURVES: Final[dict[KeyAlgorithm, ec.EllipticCurve]] = {
    KeyAlgorithm.p256: ec.SECP256R1(),
    KeyAlgorithm.p384: ec.SECP384R1(),
}
# A digest as long as the curve: then ECDSA takes the number as it is, whatever hash it came from.
HASH_OF_LENGTH: Final[dict[int, hashes.HashAlgorithm]] = {32: hashes.SHA256(), 48: hashes.SHA384()}


class Unusable(Exception):
    """The data of a command is nothing that this key can work on."""


def generate_private_key(algorithm: KeyAlgorithm) -> PrivateKey:
    """Return a freshly generated key."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm])
    return rsa.generate_private_key(PUBLIC_EXPONENT, int(algorithm.value.removeprefix("rsa")))


def pooled_keys(pool: Iterable[PrivateKey], *, otherwise: KeySource = generate_private_key) -> KeySource:
    """Return a source that gives each key of `pool` once, and then what `otherwise` gives."""
    remaining = list(pool)

    def next_key(algorithm: KeyAlgorithm) -> PrivateKey:
        for at, key in enumerate(remaining):
            if KeyAlgorithm.of_public_key(key.public_key()) is algorithm:
                return remaining.pop(at)
        return otherwise(algorithm)

    return next_key


def raw_rsa(key: rsa.RSAPrivateKey, block: bytes) -> bytes:
    """Return the bare RSA operation on a block as long as the modulus. Raises `Unusable`."""
    numbers = key.private_numbers()
    key_bytes = key.key_size // 8
    message = int.from_bytes(block, "big")
    if len(block) != key_bytes or message >= numbers.public_numbers.n:
        raise Unusable
    # RFC 8017, 5.1.2, second form: four times faster than one power over the whole modulus.
    first = pow(message, numbers.dmp1, numbers.p)
    second = pow(message, numbers.dmq1, numbers.q)
    factor = (first - second) * numbers.iqmp % numbers.p
    return (second + factor * numbers.q).to_bytes(key_bytes, "big")


def sign_number(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """Return a DER-encoded ECDSA signature over `digest`, at most as long as the curve. Raises `Unusable`."""
    length = key.curve.key_size // 8
    if not 0 < len(digest) <= length:
        raise Unusable
    prehashed = utils.Prehashed(HASH_OF_LENGTH[length])
    return key.sign(digest.rjust(length, b"\x00"), ec.ECDSA(prehashed))


def shared_secret(key: ec.EllipticCurvePrivateKey, point: bytes) -> bytes:
    """Return the x coordinate of key times `point`.

    Raises `Unusable` for a point that is not on the curve.
    """
    try:
        peer = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, point)
    except ValueError as error:
        raise Unusable from error
    return key.exchange(ec.ECDH(), peer)


def public_key_template(key: PublicKey) -> bytes:
    """Return the content of the 7F49 template for `key` (SP 800-73-4 part 2, table 18)."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        modulus = numbers.n.to_bytes(key.key_size // 8, "big")
        return tlv.encode(codes.MODULUS, modulus) + tlv.encode(codes.EXPONENT, numbers.e.to_bytes(3, "big"))
    point = key.public_numbers()
    length = key.curve.key_size // 8
    return tlv.encode(
        codes.POINT, b"\x04" + point.x.to_bytes(length, "big") + point.y.to_bytes(length, "big")
    )
