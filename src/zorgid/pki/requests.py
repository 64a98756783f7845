"""Checks a certificate request (PKCS #10) made by a card: whose key it is, and for which try it was made.

Nothing else in a request counts: names and extensions come from the profile, never from the request.

Source: RFC 2986; RFC 2985, section 5.4.1, for the challenge password.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AttributeOID

from zorgid.pki.algorithms import KeyKind, PublicKey, admitted_key, key_fingerprint, key_kind_of
from zorgid.pki.errors import KeyUnfit, RequestChallengeWrong, RequestMalformed, RequestSignatureWrong
from zorgid.pki.reading import UNREADABLE

LARGEST_REQUEST_BYTES: Final = 8192


@dataclass(frozen=True)
class CheckedRequest:
    """The key of a request that its holder has signed for exactly this try."""

    public_key: PublicKey
    kind: KeyKind
    public_key_sha256: bytes


def check_request(unverified: bytes, *, challenge: str, admitted: frozenset[KeyKind]) -> CheckedRequest:
    """Return the key of a certificate request (DER).

    Args:
        unverified: the request as received.
        challenge: the text that the request must carry as its challenge password; it binds request and try.
        admitted: the kinds of keys that may be certified.

    Raises:
        RequestMalformed: it cannot be read, or is too large.
        KeyUnfit: its key is of another kind than those admitted.
        RequestSignatureWrong: it is not signed by its own key, or by a hash that is no longer taken.
        RequestChallengeWrong: it carries another text, or none.
    """
    request = _read(unverified)
    key = admitted_key(_public_key(request))
    kind = key_kind_of(key)
    if kind not in admitted:
        raise KeyUnfit(found=kind)
    if not request.is_signature_valid or not isinstance(_hash_of(request), hashes.SHA256 | hashes.SHA384):
        raise RequestSignatureWrong
    found = _challenge(request)
    if not found or not hmac.compare_digest(found, challenge.encode()):
        raise RequestChallengeWrong
    return CheckedRequest(key, kind, key_fingerprint(key))


def _read(unverified: bytes) -> x509.CertificateSigningRequest:
    if len(unverified) > LARGEST_REQUEST_BYTES:
        raise RequestMalformed
    try:
        request = x509.load_der_x509_csr(unverified)
        _ = list(request.attributes)
    except UNREADABLE:
        raise RequestMalformed from None
    return request


def _public_key(request: x509.CertificateSigningRequest) -> object:
    try:
        return request.public_key()
    except UNREADABLE:
        raise RequestMalformed from None


def _hash_of(request: x509.CertificateSigningRequest) -> object:
    try:
        return request.signature_hash_algorithm
    except UNREADABLE:
        return None


def _challenge(request: x509.CertificateSigningRequest) -> bytes:
    try:
        return request.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD).value
    except x509.AttributeNotFound:
        return b""
