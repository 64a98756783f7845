"""The objects of a token as values: certificates, public keys, and the private keys that belong to them.

Everything is read while the session lives: an attribute cannot be asked for afterwards. Labels decide
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, CertificateType, ObjectClass

from cardkit import der, tlv
from cardkit.certificates import CardCertificate, usage_of
from cardkit.errors import CardAnswerMalformed, CardError
from cardkit.keys import CardKey, KeyAlgorithm, KeySlot, PublicKey, supported
from cardkit.piv.objects import CURVES, load_certificate

OCTET_STRING: Final = 0x04
# RFC 5480, 2.1.1.1: the curves by name.
CURVE_PARAMETERS: Final = {
    KeyAlgorithm.p256: der.object_identifier("1.2.840.10045.3.1.7"),
    KeyAlgorithm.p384: der.object_identifier("1.3.132.0.34"),
}
SLOT_OF_USAGE: Final = {slot.value: slot for slot in KeySlot}


@dataclass(frozen=True)
class Found:
    """A holder's certificate on a token, and the CKA_ID that it shares with its key."""

    key_id: bytes
    slot: KeySlot
    certificate: x509.Certificate
    key: CardKey


def certificates(session: Any) -> list[Found]:
    """Return the holder's certificates, in the order of `KeySlot`.

    Those of authorities, those that cannot be read, and those whose key usage says none of the three uses are
    left out: tokens carry whole chains, and modules put in some of their own.
    """
    read = (_found(each) for each in list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE})))
    found = [each for each in read if each is not None]
    return sorted(found, key=lambda each: list(KeySlot).index(each.slot))


def _found(thing: Any) -> Found | None:
    try:
        certificate = load_certificate(thing[Attribute.VALUE])
        slot = SLOT_OF_USAGE.get(usage_of(certificate).value)
        if slot is None:
            return None
        return Found(thing[Attribute.ID], slot, certificate, CardCertificate(slot, certificate).key)
    except CardError:
        return None


def find_all(session: Any, kind: ObjectClass, key_id: bytes) -> list[Any]:
    """Return the objects of a class with that CKA_ID; private ones are seen after a login only."""
    return list(session.get_objects({Attribute.CLASS: kind, Attribute.ID: key_id}))


def find_by_modulus(session: Any, key: PublicKey) -> list[Any]:
    """Return the private RSA key that belongs to `key`, for tokens that tie nothing together by CKA_ID."""
    if not isinstance(key, rsa.RSAPublicKey):
        return []
    modulus = key.public_numbers().n.to_bytes(key.key_size // 8, "big")
    return list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.MODULUS: modulus}))


def public_key(session: Any, key_id: bytes) -> PublicKey | None:
    """Return the public key with that CKA_ID, or None. Raises `CardAnswerMalformed`."""
    for thing in find_all(session, ObjectClass.PUBLIC_KEY, key_id):
        return decode_public_key(thing)
    return None


def decode_public_key(thing: Any) -> PublicKey:
    """Return a public key object as a key. Raises `CardAnswerMalformed`."""
    try:
        if hasattr(thing, "key_type") and thing.key_type.name == "RSA":
            modulus, exponent = thing[Attribute.MODULUS], thing[Attribute.PUBLIC_EXPONENT]
            numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
            return supported(numbers.public_key())
        return _on_curve(thing[Attribute.EC_PARAMS], thing[Attribute.EC_POINT])
    except ValueError as error:
        raise CardAnswerMalformed("not a public key") from error


def _on_curve(parameters: bytes, point: bytes) -> ec.EllipticCurvePublicKey:
    for algorithm, known in CURVE_PARAMETERS.items():
        if parameters == known:
            curve = CURVES[algorithm]
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, _bare(point, curve))
    raise CardAnswerMalformed("a curve that nobody here knows")


def _bare(point: bytes, curve: ec.EllipticCurve) -> bytes:
    """Return the point without its OCTET STRING; some modules leave that out (PKCS #11 2.40, 2.3.3)."""
    bare_bytes = 1 + 2 * ((curve.key_size + 7) // 8)
    return point if len(point) == bare_bytes else tlv.unwrap(point, OCTET_STRING)


def certificate_template(key_id: bytes, label: str, certificate: x509.Certificate) -> dict[Any, Any]:
    """Return what makes a certificate object (PKCS #11 2.40, 4.6.3)."""
    serial = certificate.serial_number
    return {
        Attribute.CLASS: ObjectClass.CERTIFICATE,
        Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
        Attribute.TOKEN: True,
        Attribute.PRIVATE: False,
        Attribute.ID: key_id,
        Attribute.LABEL: label,
        Attribute.SUBJECT: certificate.subject.public_bytes(),
        Attribute.ISSUER: certificate.issuer.public_bytes(),
        Attribute.SERIAL_NUMBER: der.integer(serial),
        Attribute.VALUE: certificate.public_bytes(Encoding.DER),
    }
