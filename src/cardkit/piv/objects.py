"""The data objects and templates of a PIV card as values.

What a card answers is input from outside: every decoder checks what it uses and raises `CardAnswerMalformed`
or `TlvMalformed`.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping
from datetime import date
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.utils import CryptographyDeprecationWarning

from cardkit import tlv
from cardkit.card import Chuid, KeyAlgorithm, PublicKey
from cardkit.errors import CardAnswerMalformed, KeyUnsupported
from cardkit.piv import codes

# SP 800-73-4 part 1, appendix A, table 10: a certificate object.
CERTIFICATE: Final = 0x70
CERTIFICATE_INFO: Final = 0x71
ERROR_DETECTION: Final = 0xFE
COMPRESSED: Final = b"\x01"
# A certificate that unpacks to more than this is no certificate but an attack on memory.
LARGEST_CERTIFICATE_BYTES: Final = 65536
GZIP: Final = 16 + zlib.MAX_WBITS

# SP 800-73-4 part 1, appendix A, table 9: the CHUID.
FASC_N: Final = 0x30
GUID: Final = 0x34
EXPIRY: Final = 0x35
ISSUER_SIGNATURE: Final = 0x3E
# SP 800-73-4 part 1, 3.1.2: the FASC-N of cards that no federal agency issues (agency 9999), in its 25-byte
# coding.
NON_FEDERAL_FASC_N: Final = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")

CURVES: Final[Mapping[KeyAlgorithm, ec.EllipticCurve]] = {
    KeyAlgorithm.p256: ec.SECP256R1(),
    KeyAlgorithm.p384: ec.SECP384R1(),
}


def encode_certificate(certificate: x509.Certificate) -> bytes:
    """Return the content of a certificate object."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return tlv.encode(CERTIFICATE, der) + tlv.encode(CERTIFICATE_INFO, b"\x00") + tlv.encode(ERROR_DETECTION)


def decode_certificate(content: bytes) -> x509.Certificate:
    """Return the certificate in the content of a certificate object, unpacked where it is compressed."""
    values = tlv.by_tag(content)
    der = tlv.required(values, CERTIFICATE)
    if values.get(CERTIFICATE_INFO, b"\x00")[:1] == COMPRESSED:
        der = _unpack(der)
    return load_certificate(der)


def load_certificate(der: bytes) -> x509.Certificate:
    """Return the certificate that `der` is, of which everybody may read names and dates.

    Raises `CardAnswerMalformed`.
    """
    try:
        with warnings.catch_warnings():
            # ykcs11 puts a certificate with the number nought beside every new key, until its own comes.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            certificate = x509.load_der_x509_certificate(der)
        # The library reads these when they are first asked for, which would be far from here.
        _ = certificate.subject, certificate.issuer, certificate.not_valid_after_utc
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise CardAnswerMalformed("not a certificate") from error
    return certificate


def encode_chuid(chuid: Chuid) -> bytes:
    """Return the content of the CHUID object, unsigned."""
    return b"".join(
        (
            tlv.encode(FASC_N, NON_FEDERAL_FASC_N),
            tlv.encode(GUID, chuid.guid),
            tlv.encode(EXPIRY, chuid.expires_on.isoformat().replace("-", "").encode("ascii")),
            tlv.encode(ISSUER_SIGNATURE),
            tlv.encode(ERROR_DETECTION),
        )
    )


def decode_chuid(content: bytes) -> Chuid:
    """Return the CHUID in the content of its object."""
    values = tlv.by_tag(content)
    try:
        return Chuid(guid=tlv.required(values, GUID), expires_on=_date(tlv.required(values, EXPIRY)))
    except ValueError as error:
        raise CardAnswerMalformed("not a CHUID") from error


def decode_public_key(template: bytes, algorithm: KeyAlgorithm) -> PublicKey:
    """Return the public key in the content of a 7F49 template, which must be of `algorithm`."""
    values = tlv.by_tag(template)
    try:
        key = _public_key(values, algorithm)
        found = KeyAlgorithm.of_public_key(key)
    except (ValueError, KeyUnsupported) as error:
        raise CardAnswerMalformed("not a public key") from error
    if found is not algorithm:
        raise CardAnswerMalformed("the key is of another kind than was asked for")
    return key


def uncompressed_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the point of `key` as 04 ‖ x ‖ y (SEC 1, 2.3.3)."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _public_key(values: dict[int, bytes], algorithm: KeyAlgorithm) -> PublicKey:
    curve = CURVES.get(algorithm)
    if curve is not None:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, tlv.required(values, codes.POINT))
    modulus = int.from_bytes(tlv.required(values, codes.MODULUS), "big")
    exponent = int.from_bytes(tlv.required(values, codes.EXPONENT), "big")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _unpack(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj(GZIP).decompress(packed, LARGEST_CERTIFICATE_BYTES)
    except zlib.error as error:
        raise CardAnswerMalformed("the certificate cannot be unpacked") from error


def _date(digits: bytes) -> date:
    if not digits.isdigit():
        raise ValueError("a day is written in digits")
    return date.fromisoformat(digits.decode("ascii"))
