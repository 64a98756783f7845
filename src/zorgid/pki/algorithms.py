"""The few keys and signatures that ZORG-ID makes and takes.

RSA from 2048 bits with PKCS #1 v1.5 and SHA-256 is what today's care applications and UZI cards speak; P-256
and P-384 are the settings for tomorrow. Everything else is refused.
"""

import hashlib
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from zorgid.kernel.errors import Fault
from zorgid.pki import der
from zorgid.pki.errors import KeyUnfit, SignatureWrong

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
"""A public key of a kind that is taken here."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""A software key: of the demo, of tests, of the encrypted-file key provider."""

Signer = Callable[[bytes], bytes]
"""Signs the given bytes (hashing included) with one key and one algorithm that its maker chose."""

RSA_EXPONENT: Final = 65537


class KeyKind(StrEnum):
    """The kinds of keys, as stored and as set."""

    rsa2048 = "rsa2048"
    rsa3072 = "rsa3072"
    rsa4096 = "rsa4096"
    p256 = "p256"
    p384 = "p384"


class SignatureAlgorithm(StrEnum):
    """The ways to sign; ECDSA signatures are DER, as certificates carry them."""

    rsa_sha256 = "rsa_sha256"
    ecdsa_sha256 = "ecdsa_sha256"
    ecdsa_sha384 = "ecdsa_sha384"

    @property
    def identifier(self) -> bytes:
        """The AlgorithmIdentifier as DER. Source: RFC 4055, section 5; RFC 5758, section 3.2."""
        return _IDENTIFIERS[self]

    @property
    def hash_algorithm(self) -> hashes.SHA256 | hashes.SHA384:
        """The hash that is signed."""
        return hashes.SHA384() if self is SignatureAlgorithm.ecdsa_sha384 else hashes.SHA256()


_IDENTIFIERS: Final = {
    SignatureAlgorithm.rsa_sha256: der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL),
    SignatureAlgorithm.ecdsa_sha256: der.sequence(der.oid("1.2.840.10045.4.3.2")),
    SignatureAlgorithm.ecdsa_sha384: der.sequence(der.oid("1.2.840.10045.4.3.3")),
}

_RSA_KINDS: Final = {2048: KeyKind.rsa2048, 3072: KeyKind.rsa3072, 4096: KeyKind.rsa4096}
_EC_KINDS: Final = {"secp256r1": KeyKind.p256, "secp384r1": KeyKind.p384}


def key_kind_of(public_key: object) -> KeyKind:
    """Return the kind of a public key.

    Raises:
        KeyUnfit: another kind, size or curve, or an RSA exponent other than 65537.
    """
    match public_key:
        case rsa.RSAPublicKey():
            kind = _RSA_KINDS.get(public_key.key_size)
            if kind is None or public_key.public_numbers().e != RSA_EXPONENT:
                raise KeyUnfit(found=f"rsa{public_key.key_size}")
            return kind
        case ec.EllipticCurvePublicKey():
            kind = _EC_KINDS.get(public_key.curve.name)
            if kind is None:
                raise KeyUnfit(found=public_key.curve.name)
            return kind
        case _:
            raise KeyUnfit(found=type(public_key).__name__)


def admitted_key(public_key: object) -> PublicKey:
    """Return the key itself when its kind is taken here. Raises `KeyUnfit` as `key_kind_of` does."""
    key_kind_of(public_key)
    assert isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return public_key


def algorithm_for(public_key: object) -> SignatureAlgorithm:
    """Return the algorithm that a key of this kind signs with. Raises `KeyUnfit` for other kinds."""
    match key_kind_of(public_key):
        case KeyKind.p256:
            return SignatureAlgorithm.ecdsa_sha256
        case KeyKind.p384:
            return SignatureAlgorithm.ecdsa_sha384
        case _:
            return SignatureAlgorithm.rsa_sha256


def new_private_key(kind: KeyKind) -> PrivateKey:
    """Return a fresh software key; the library draws from the system's random source itself."""
    match kind:
        case KeyKind.p256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.p384:
            return ec.generate_private_key(ec.SECP384R1())
        case _:
            return rsa.generate_private_key(RSA_EXPONENT, int(kind.removeprefix("rsa")))


def spki_der(public_key: PublicKey) -> bytes:
    """Return the key's SubjectPublicKeyInfo as DER."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_bits(public_key: PublicKey) -> bytes:
    """Return the bits of the key without their header, of which key identifiers and OCSP take hashes."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return public_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def key_fingerprint(public_key: PublicKey) -> bytes:
    """Return the SHA-256 of the SubjectPublicKeyInfo (32 bytes), the name of a key in the house."""
    return hashlib.sha256(spki_der(public_key)).digest()


def verify_signature(
    public_key: PublicKey, signature: bytes, data: bytes, algorithm: SignatureAlgorithm
) -> None:
    """Check a signature over `data`.

    Raises:
        SignatureWrong: it is not by this key over this data.
        KeyUnfit: the key is of another kind than the algorithm.
    """
    if algorithm_for(public_key) is not algorithm:
        raise KeyUnfit(found=key_kind_of(public_key))
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, padding.PKCS1v15(), algorithm.hash_algorithm)
        else:
            public_key.verify(signature, data, ec.ECDSA(algorithm.hash_algorithm))
    except InvalidSignature:
        raise SignatureWrong from None


def sign_with(private_key: PrivateKey) -> Signer:
    """Return the signer of a software key."""
    algorithm = algorithm_for(private_key.public_key())
    if isinstance(private_key, rsa.RSAPrivateKey):
        rsa_key = private_key
        return lambda data: rsa_key.sign(data, padding.PKCS1v15(), algorithm.hash_algorithm)
    ec_key = private_key
    return lambda data: ec_key.sign(data, ec.ECDSA(algorithm.hash_algorithm))


def signed(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """Return the three-part shell that certificates and CRLs share. Source: RFC 5280, 4.1.1 and 5.1.1.

    Raises:
        Fault: the bytes to be signed name another algorithm than the one they were signed with.
    """
    if algorithm.identifier not in tbs:
        msg = "the prepared bytes name another signature algorithm"
        raise Fault(msg)
    return der.sequence(tbs, algorithm.identifier, der.bit_string(signature))
