"""A certification request for a key on a card, signed by the card itself.

The challengePassword attribute carries the words that tie the request to one issuance. Source: RFC 2986; RFC
2985, 5.4.1.
"""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AttributeOID, NameOID

from cardkit import der
from cardkit.card import CardKey, CardUse, KeyAlgorithm

# RFC 2985, 5.4.1 and its upper bound pkcs-9-ub-challengePassword.
CHALLENGE_OID: Final = "1.2.840.113549.1.9.7"
LONGEST_CHALLENGE: Final = 255
# RFC 5758, 3.2 and RFC 8017, appendix A.2.4: signature algorithms, by what the key is.
ECDSA_ALGORITHMS: Final = {
    KeyAlgorithm.p256: "1.2.840.10045.4.3.2",
    KeyAlgorithm.p384: "1.2.840.10045.4.3.3",
}
RSA_WITH_SHA256: Final = "1.2.840.113549.1.1.11"


def build_request(card: CardUse, key: CardKey, common_name: str, challenge: str) -> bytes:
    """Return the request for `key` as DER, with subject CN=`common_name` and the given challenge.

    The PIN must have been verified, for the signature key directly before. Strict cards refuse to sign with a
    key on a curve in the confidentiality slot; there is no request for such a key, see `cardkit.possession`.

    Raises:
        PinNeeded: the PIN was not verified.
        ValueError: the challenge is empty or longer than 255 characters.
    """
    if not 0 < len(challenge) <= LONGEST_CHALLENGE:
        raise ValueError("the challenge has 1 to 255 characters")
    body = der.sequence(der.integer(0), _subject(common_name), public_key_info(key), _attributes(challenge))
    return der.sequence(body, _signature_algorithm(key), der.bit_string(card.sign(key, body)))


def read_challenge(request: x509.CertificateSigningRequest) -> str | None:
    """Return the challenge in a request, or None when it carries none or one that is no text."""
    try:
        value = request.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD).value
        return value.decode("utf-8")
    except (x509.AttributeNotFound, ValueError):
        return None


def public_key_info(key: CardKey) -> bytes:
    """Return the SubjectPublicKeyInfo of `key` as DER."""
    return key.public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _subject(common_name: str) -> bytes:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]).public_bytes()


def _attributes(challenge: str) -> bytes:
    value = der.set_of(der.utf8_string(challenge))
    return der.context(0, der.sequence(der.object_identifier(CHALLENGE_OID), value))


def _signature_algorithm(key: CardKey) -> bytes:
    # RFC 5758, 3.2: no parameters with ECDSA; RFC 8017, appendix A.2.4: NULL with RSA.
    if isinstance(key.public_key, rsa.RSAPublicKey):
        return der.sequence(der.object_identifier(RSA_WITH_SHA256), der.null())
    return der.sequence(der.object_identifier(ECDSA_ALGORITHMS[key.algorithm]))
