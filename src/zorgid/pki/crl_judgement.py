"""Judges a foreign CRL: its issuer's, complete, fresh, and no older than one seen before.

Source: RFC 5280, chapter 5; CPS UZI-register, sections 4.9.5 and 7.2.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from zorgid.pki.algorithms import admitted_key
from zorgid.pki.errors import KeyUnfit, StatusUnfit
from zorgid.pki.reading import UNREADABLE
from zorgid.pki.status import HASHES, Flaw, GoodStatus, StatusSource, refuse_revoked, require_fresh

CRL_AGE_LIMIT: Final = timedelta(hours=4)
"""Longer than the hourly publication, and as long as a revocation may take to reach the list (CPS 4.9.5)."""

LARGEST_CRL_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class JudgedCrl:
    """A list that its issuer has signed and that is fresh."""

    number: int
    this_update: datetime
    next_update: datetime
    crl: x509.CertificateRevocationList

    def require_good(self, certificate: x509.Certificate) -> GoodStatus:
        """Return that `certificate`, of the same issuer, is not on the list.

        Raises:
            StatusRevoked: it is.
            StatusUnfit: it is of another issuer.
        """
        if certificate.issuer != self.crl.issuer:
            raise StatusUnfit(flaw=Flaw.issuer)
        entry = self.crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None:
            refuse_revoked(entry.revocation_date_utc, _reason_of(entry))
        return GoodStatus(StatusSource.crl, self.this_update, self.next_update, self.this_update)


def judge_crl(
    unverified: bytes,
    *,
    issuer: x509.Certificate,
    now: datetime,
    lowest_number: int | None,
    age_limit: timedelta = CRL_AGE_LIMIT,
) -> JudgedCrl:
    """Return the list in `unverified` (DER) once it is proved to be the issuer's latest.

    `lowest_number` is the highest number seen before from this issuer; a list with a lower one is a replay.
    `age_limit` is longer only for authorities whose key is offline, whose list comes out a few times a year.

    Raises:
        StatusTooOld: it is older than `age_limit`, past its next update, or from the future.
        StatusUnfit: it is malformed, another's, wrongly signed, incomplete, or numbered lower than one seen
        before.
    """
    crl = _read_crl(unverified)
    if crl.issuer != issuer.subject:
        raise StatusUnfit(flaw=Flaw.issuer)
    if not isinstance(crl.signature_hash_algorithm, HASHES) or not _is_signed(crl, issuer):
        raise StatusUnfit(flaw=Flaw.signature)
    number = _number(crl)
    if lowest_number is not None and number < lowest_number:
        raise StatusUnfit(flaw=Flaw.number)
    this_update, next_update = crl.last_update_utc, crl.next_update_utc
    if next_update is None:
        raise StatusUnfit(flaw=Flaw.malformed)
    require_fresh(this_update, next_update, now=now, limit=age_limit)
    return JudgedCrl(number, this_update, next_update, crl)


KNOWN_CRL_EXTENSIONS: Final = frozenset({ExtensionOID.CRL_NUMBER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER})
"""May be critical. Others, such as those of a delta or a part, make a list say less than all."""


def _read_crl(unverified: bytes) -> x509.CertificateRevocationList:
    if len(unverified) > LARGEST_CRL_BYTES:
        raise StatusUnfit(flaw=Flaw.malformed)
    try:
        crl = x509.load_der_x509_crl(unverified)
        extensions = list(crl.extensions)
        # The library reads a part when it is first looked at; this is the look.
        _ = crl.issuer, crl.last_update_utc, crl.next_update_utc, crl.signature_hash_algorithm
    except UNREADABLE:
        raise StatusUnfit(flaw=Flaw.malformed) from None
    if any(extension.critical and extension.oid not in KNOWN_CRL_EXTENSIONS for extension in extensions):
        raise StatusUnfit(flaw=Flaw.scope)
    return crl


def _is_signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        return usage.crl_sign and crl.is_signature_valid(admitted_key(issuer.public_key()))
    except (*UNREADABLE, x509.ExtensionNotFound, KeyUnfit):
        return False


def _number(crl: x509.CertificateRevocationList) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        raise StatusUnfit(flaw=Flaw.number) from None


def _reason_of(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (*UNREADABLE, x509.ExtensionNotFound):
        return None
