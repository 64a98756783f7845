"""Judges a foreign OCSP answer: about the right certificate, by who may say so, fresh, and *good*.

The library reads the answer but does not verify it. Source: RFC 6960, sections 3.2 and 4.2.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from zorgid.pki.algorithms import admitted_key, key_bits
from zorgid.pki.errors import KeyUnfit, StatusUnavailable, StatusUnfit, StatusUnknown
from zorgid.pki.ocsp import CertIdHash, cert_id, digest
from zorgid.pki.reading import UNREADABLE
from zorgid.pki.status import HASHES, Flaw, GoodStatus, StatusSource, refuse_revoked, require_fresh

OCSP_AGE_LIMIT: Final = timedelta(hours=1)
LARGEST_OCSP_ANSWER_BYTES: Final = 65_536


@dataclass(frozen=True)
class _Answer:
    """An answer with all that it is measured by."""

    response: ocsp.OCSPResponse
    single: ocsp.OCSPSingleResponse
    certificate: x509.Certificate
    issuer: x509.Certificate
    now: datetime
    nonce: bytes | None


def judge_ocsp(
    unverified: bytes,
    *,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    now: datetime,
    nonce: bytes | None = None,
) -> GoodStatus:
    """Return that `certificate` is good, proved by an OCSP answer (DER).

    Args:
        unverified: the answer as received.
        certificate: the one that was asked after.
        issuer: the certificate of its issuer.
        now: aware, UTC.
        nonce: the one that was sent. An answer without any is taken, as responders may leave it out; another
        one is not.

    Raises:
        StatusUnavailable: the responder said to try later, or had an internal error: the CRL may be asked
        instead. StatusRevoked: the certificate is revoked or held. StatusUnknown: the issuer does not know
        it. StatusTooOld: the answer is older than an hour, past its next update, or from the future.
        StatusUnfit: the answer proves nothing.
    """
    answer = _read_answer(unverified, certificate=certificate, issuer=issuer, now=now, nonce=nonce)
    for check in OCSP_CHECKS:
        check(answer)
    single = answer.single
    if single.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        assert single.revocation_time_utc is not None
        refuse_revoked(single.revocation_time_utc, single.revocation_reason)
    if single.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        raise StatusUnknown
    produced_at = answer.response.produced_at_utc
    return GoodStatus(StatusSource.ocsp, single.this_update_utc, _next_update(single), produced_at)


def _read_answer(
    unverified: bytes,
    *,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    now: datetime,
    nonce: bytes | None,
) -> _Answer:
    if len(unverified) > LARGEST_OCSP_ANSWER_BYTES:
        raise StatusUnfit(flaw=Flaw.malformed)
    try:
        response = ocsp.load_der_ocsp_response(unverified)
        _refuse_error(response.response_status)
        singles = list(response.responses)
        _ = list(response.extensions)
    except UNREADABLE:
        raise StatusUnfit(flaw=Flaw.malformed) from None
    wanted = [single for single in singles if _is_about(single, certificate, issuer)]
    if len(wanted) != 1:
        raise StatusUnfit(flaw=Flaw.other_certificate)
    return _Answer(response, wanted[0], certificate, issuer, now, nonce)


def _refuse_error(status: ocsp.OCSPResponseStatus) -> None:
    if status in {ocsp.OCSPResponseStatus.TRY_LATER, ocsp.OCSPResponseStatus.INTERNAL_ERROR}:
        raise StatusUnavailable
    if status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise StatusUnfit(flaw=Flaw.refused)


def _is_about(
    single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    try:
        algorithm = CertIdHash(single.hash_algorithm.name)
    except UNREADABLE:
        return False
    wanted = cert_id(issuer, certificate.serial_number, algorithm)
    return (wanted.issuer_name_hash, wanted.issuer_key_hash, wanted.serial) == (
        single.issuer_name_hash,
        single.issuer_key_hash,
        single.serial_number,
    )


def check_responder(answer: _Answer) -> None:
    """The issuer itself has signed, or a responder that the issuer has charged with it."""
    entitled = (answer.issuer, *_delegates(answer))
    signers = [certificate for certificate in entitled if _names(answer.response, certificate)]
    if not signers:
        raise StatusUnfit(flaw=Flaw.responder)
    for signer in signers:
        if _signed_by(signer, answer.response):
            return
    raise StatusUnfit(flaw=Flaw.signature)


def check_nonce(answer: _Answer) -> None:
    """A nonce in the answer is the one that was sent."""
    for extension in answer.response.extensions:
        if isinstance(extension.value, x509.OCSPNonce) and extension.value.nonce != answer.nonce:
            raise StatusUnfit(flaw=Flaw.nonce)


def check_ocsp_age(answer: _Answer) -> None:
    """The answer is fresh: from the last hour, not from the future, and its next update is to come."""
    single = answer.single
    require_fresh(single.this_update_utc, _next_update(single), now=answer.now, limit=OCSP_AGE_LIMIT)


def _next_update(single: ocsp.OCSPSingleResponse) -> datetime:
    """Return the next update; a responder that names none has newer word at any time (RFC 6960, 4.2.2.1)."""
    return single.next_update_utc or single.this_update_utc + OCSP_AGE_LIMIT


OCSP_CHECKS: Final[tuple[Callable[[_Answer], None], ...]] = (check_responder, check_nonce, check_ocsp_age)
"""What an answer about the right certificate must pass before what it says counts."""


def _delegates(answer: _Answer) -> list[x509.Certificate]:
    return [sent for sent in answer.response.certificates if _is_charged(sent, answer.issuer, answer.now)]


def _is_charged(responder: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    """Tell whether the issuer itself charged this responder. Source: RFC 6960, 4.2.2.2 and 4.2.2.2.1."""
    try:
        responder.verify_directly_issued_by(issuer)
        purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    except (*UNREADABLE, InvalidSignature, x509.ExtensionNotFound):
        return False
    in_time = responder.not_valid_before_utc <= now <= responder.not_valid_after_utc
    return in_time and ExtendedKeyUsageOID.OCSP_SIGNING in purposes


def _names(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == signer.subject
    try:
        bits = key_bits(admitted_key(signer.public_key()))
    except (*UNREADABLE, KeyUnfit):
        return False
    return response.responder_key_hash == digest(CertIdHash.sha1, bits)


def _signed_by(signer: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    """Tell whether the signature over the answer is by `signer`, with a hash that is still taken."""
    try:
        key = signer.public_key()
        algorithm = response.signature_hash_algorithm
        if not isinstance(algorithm, HASHES):
            return False
        match key:
            case rsa.RSAPublicKey():
                key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
            case ec.EllipticCurvePublicKey():
                key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
            case _:
                return False
    except (*UNREADABLE, InvalidSignature):
        return False
    return True
