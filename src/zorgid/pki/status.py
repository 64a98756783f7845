"""What a foreign issuer says about one of its certificates: how to ask, and what counts as an answer.

Any answer but *good* refuses. `ocsp_judgement` and `crl_judgement` read the answers; fetching, keeping and
choosing between the two is the business of the trust room.

Source: RFC 6960, section 3.2; RFC 5280, chapter 5; CPS UZI-register, sections 4.9 and 7.3.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ObjectIdentifier

from zorgid.kernel.clock import CLOCK_SKEW
from zorgid.pki.errors import StatusRevoked, StatusTooOld
from zorgid.pki.ocsp import CertIdHash

HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
"""The hashes under a foreign signature that are still taken."""


class StatusSource(StrEnum):
    """Where a status was learned."""

    ocsp = "ocsp"
    crl = "crl"


class Flaw(StrEnum):
    """Why an answer proves nothing."""

    malformed = "malformed"
    refused = "refused"
    other_certificate = "other-certificate"
    responder = "responder"
    signature = "signature"
    nonce = "nonce"
    issuer = "issuer"
    number = "number"
    scope = "scope"


@dataclass(frozen=True)
class GoodStatus:
    """The certificate is not revoked; `next_update` tells when to ask again at the latest."""

    source: StatusSource
    this_update: datetime
    next_update: datetime
    produced_at: datetime


def build_ocsp_request(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    nonce: bytes | None,
    hash_algorithm: CertIdHash = CertIdHash.sha1,
) -> bytes:
    """Return an OCSP request (DER); SHA-1 names the issuer by default, since every responder knows it."""
    algorithm = hashes.SHA256() if hash_algorithm is CertIdHash.sha256 else hashes.SHA1()  # noqa: S303
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def ocsp_addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return where the issuer's responder is, in the order of the certificate."""
    return _access(certificate, AuthorityInformationAccessOID.OCSP)


def crl_addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return where the issuer's list is, in the order of the certificate."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    names = [name for point in points for name in point.full_name or ()]
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _access(certificate: x509.Certificate, method: ObjectIdentifier) -> tuple[str, ...]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    places = [description.access_location for description in access if description.access_method == method]
    return tuple(place.value for place in places if isinstance(place, x509.UniformResourceIdentifier))


def require_fresh(this_update: datetime, next_update: datetime, *, now: datetime, limit: timedelta) -> None:
    """Check that an answer is neither old nor overdue nor from the future. Raises `StatusTooOld`."""
    too_early = this_update > now + CLOCK_SKEW
    if too_early or now - this_update > limit or now > next_update + CLOCK_SKEW:
        raise StatusTooOld(this_update=this_update)


def refuse_revoked(at: datetime, reason: x509.ReasonFlags | None) -> NoReturn:
    """Raise `StatusRevoked` with what the issuer says about when and why."""
    said = x509.ReasonFlags.unspecified if reason is None else reason
    raise StatusRevoked(revoked_at=at, reason=said.name)
