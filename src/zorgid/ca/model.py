"""The values of the certificate authority: authorities, intents, certificates and their status."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509

from zorgid.ca.keys import KeyKind, KeyName
from zorgid.kernel.ids import CardId
from zorgid.pki.crl import RevocationReason
from zorgid.pki.prepare import Addresses, Issuer, Prepared
from zorgid.pki.profiles import Profile


class AuthorityName(StrEnum):
    """The authorities of the hierarchy, as they are called in addresses and in the database."""

    root = "root"
    smartcard = "smartcard"
    mobiel = "mobiel"


ISSUING: Final = (AuthorityName.smartcard, AuthorityName.mobiel)
"""The authorities under the root; their keys are on line."""


@dataclass(frozen=True)
class Places:
    """Where CRLs, OCSP answers and authority certificates are served, over plain HTTP.

    Source: RFC 5280, section 4.2.1.13.

    Args:
        base_url: scheme, host and port, without a slash at the end.
    """

    base_url: str

    def of(self, name: AuthorityName) -> Addresses:
        """Return the addresses that stand in the certificates which this authority signs."""
        return Addresses(
            crl=f"{self.base_url}/crl/{name}.crl",
            ocsp=None if name is AuthorityName.root else f"{self.base_url}/ocsp",
            ca_issuers=f"{self.base_url}/ca/{name}.cer",
        )


@dataclass(frozen=True)
class Authority:
    """One authority: its certificate, the name of its key, and where what it publishes is found."""

    name: AuthorityName
    key_name: KeyName
    issuer: Issuer

    @property
    def certificate(self) -> x509.Certificate:
        """Return its own certificate."""
        return self.issuer.certificate


@dataclass(frozen=True)
class Hierarchy:
    """The root and the authorities under it."""

    root: Authority
    smartcard: Authority
    mobiel: Authority

    @property
    def all(self) -> tuple[Authority, ...]:
        """Return every authority, the root first."""
        return (self.root, self.smartcard, self.mobiel)

    @property
    def issuing(self) -> tuple[Authority, ...]:
        """Return those whose keys are on line."""
        return (self.smartcard, self.mobiel)

    def named(self, name: AuthorityName) -> Authority:
        """Return the authority of that name."""
        return {authority.name: authority for authority in self.all}[name]


@dataclass(frozen=True)
class HierarchyPlan:
    """What a new hierarchy is made of. RSA, because today's care applications expect it."""

    is_stand_in: bool
    """True outside production: every name then says loudly that it is not to be trusted."""

    key_kind: KeyKind = KeyKind.rsa3072
    root_years: int = 20
    issuing_years: int = 10


class CertificateStatus(StrEnum):
    """What relying parties are told of a certificate; only `good` is good."""

    on_hold = "on_hold"
    good = "good"
    revoked = "revoked"


@dataclass(frozen=True)
class Intent:
    """What will be signed, once, when the transaction that wrote it is committed."""

    card_id: CardId
    authority: AuthorityName
    prepared: Prepared

    @property
    def serial(self) -> int:
        """Return the serial of the certificate to be."""
        return self.prepared.serial


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate of a card as it was signed, and its status when it was read."""

    serial: int
    authority: AuthorityName
    card_id: CardId
    profile: Profile
    der: bytes
    fingerprint_sha256: bytes
    public_key_sha256: bytes
    valid_from: datetime
    valid_until: datetime
    issued_at: datetime
    status: CertificateStatus
    reason: RevocationReason | None
    status_at: datetime

    @property
    def certificate(self) -> x509.Certificate:
        """Return it parsed."""
        return x509.load_der_x509_certificate(self.der)


@dataclass(frozen=True)
class StatusChange:
    """A status and since when it holds."""

    status: CertificateStatus
    reason: RevocationReason | None
    at: datetime


@dataclass(frozen=True)
class PublishedCrl:
    """The latest CRL of an authority."""

    authority: AuthorityName
    number: int
    this_update: datetime
    next_update: datetime
    der: bytes


@dataclass(frozen=True)
class ResponderCertificate:
    """A certificate with which OCSP answers of one authority are signed, and the name of its key."""

    authority: AuthorityName
    key_name: KeyName
    certificate: x509.Certificate
    valid_from: datetime
    valid_until: datetime
