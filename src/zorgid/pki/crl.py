"""Writes certificate revocation lists from entries that were encoded once.

The library's builder takes time that grows with the square of the number of entries; splicing bytes does not.

Source: RFC 5280, chapter 5; ITU-T X.509 (2019), 9.5.2.8 (ExpiredCertsOnCRL).
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from zorgid.pki import der
from zorgid.pki.algorithms import SignatureAlgorithm, algorithm_for, signed

EXPIRED_CERTS_ON_CRL: Final = "2.5.29.60"
VERSION_2: Final = der.integer(1)


class RevocationReason(StrEnum):
    """Why a certificate is held or revoked."""

    unspecified = "unspecified"
    key_compromise = "key_compromise"
    affiliation_changed = "affiliation_changed"
    superseded = "superseded"
    cessation_of_operation = "cessation_of_operation"
    certificate_hold = "certificate_hold"
    privilege_withdrawn = "privilege_withdrawn"

    @property
    def number(self) -> int:
        """The CRLReason. Source: RFC 5280, 5.3.1."""
        return _NUMBERS[self]


_NUMBERS: Final = {
    RevocationReason.unspecified: 0,
    RevocationReason.key_compromise: 1,
    RevocationReason.affiliation_changed: 3,
    RevocationReason.superseded: 4,
    RevocationReason.cessation_of_operation: 5,
    RevocationReason.certificate_hold: 6,
    RevocationReason.privilege_withdrawn: 9,
}

_REASON_OID: Final = CRLEntryExtensionOID.CRL_REASON.dotted_string
_REASON_EXTENSIONS: Final = {
    reason: b""
    if reason is RevocationReason.unspecified  # RFC 5280, 5.3.1: left out rather than said to be unspecified
    else der.sequence(der.extension(_REASON_OID, der.enumerated(reason.number)))
    for reason in RevocationReason
}


def encode_entry(serial: int, at: datetime, reason: RevocationReason) -> bytes:
    """Return the entry of one certificate, as it stands in every list until its status changes."""
    return der.sequence(der.integer(serial), der.time(at), _REASON_EXTENSIONS[reason])


def build_tbs_crl(
    issuer: x509.Certificate,
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    entries: Iterable[bytes],
    expired_from: datetime | None,
) -> bytes:
    """Return the TBSCertList as DER, to be signed with the issuer's algorithm.

    Args:
        issuer: certificate of the authority whose certificates the entries are about.
        number: higher than that of any list published before by this issuer.
        this_update: from when the list holds; whole seconds.
        next_update: until when a newer list will be there, at the latest.
        entries: results of `encode_entry`, each serial number once.
        expired_from: certificates that expired after this moment stay on the list when they were revoked.
    """
    revoked = b"".join(entries)
    extensions = [
        der.extension(ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string, _authority_key_identifier(issuer)),
        der.extension(ExtensionOID.CRL_NUMBER.dotted_string, der.integer(number)),
    ]
    if expired_from is not None:
        extensions.append(der.extension(EXPIRED_CERTS_ON_CRL, der.generalized_time(expired_from)))
    return der.sequence(
        VERSION_2,
        algorithm_for(issuer.public_key()).identifier,
        issuer.subject.public_bytes(),
        der.time(this_update),
        der.time(next_update),
        *((der.head(0x30, len(revoked)), revoked) if revoked else ()),  # not copied once more
        der.explicit(0, der.sequence(*extensions)),
    )


def assemble_crl(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """Return the list as DER."""
    return signed(tbs, algorithm, signature)


def _authority_key_identifier(issuer: x509.Certificate) -> bytes:
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return der.sequence(der.implicit(0, own))
