"""Recognises the authentication certificate of a UZI card, as far as goes without asking its issuer.

Issuing authorities are pinned by public key: two certificates with one key and one name exist for each (2017
and 2019), and either may stand in the chain. The library verifies chain and signatures; it looks at neither
policies nor key usages, so the list of checks here does. What the issuer says today about the card is the
business of `status`.

Source: CPS UZI-register, sections 7.1.1 to 7.1.5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from zorgid.pki.algorithms import admitted_key, key_fingerprint
from zorgid.pki.errors import (
    KeyUnfit,
    UziCertificateMalformed,
    UziChainInvalid,
    UziExpired,
    UziIdentityMismatch,
    UziIsAuthority,
    UziIssuerUnknown,
    UziNotYetValid,
    UziPolicyWrong,
    UziPurposeWrong,
    UziSubjectIncomplete,
    UziTestIssuer,
    UziUsageWrong,
)
from zorgid.pki.identity import CardType, UziIdentity, read_identity, read_upn
from zorgid.pki.lint import usages_of
from zorgid.pki.names import HolderNames
from zorgid.pki.profiles import CLIENT_AUTH, Usage
from zorgid.pki.reading import UNREADABLE, extension_of

LARGEST_CERTIFICATE_BYTES: Final = 16_384
TEST_ARC: Final = "2.16.528.1.1007.99."
"""Begins every object identifier of the UZI register's test environment."""


class Level(StrEnum):
    """How sure one may be of who holds a means. Source: eIDAS, Regulation (EU) 2015/1502."""

    low = "low"
    substantial = "substantial"
    high = "high"


@dataclass(frozen=True)
class UziIssuer:
    """An issuing authority of the UZI register, pinned by its key; one line of a trust store."""

    name: str
    key_sha256: bytes
    """SHA-256 of the SubjectPublicKeyInfo (32 bytes)."""
    card_type: CardType
    oid_ca: str
    authentication_policy: str
    level: Level
    is_test: bool


@dataclass(frozen=True)
class TrustStore:
    """What an environment trusts: roots, the authorities between, and the pinned issuers of cards.

    The issuers' own certificates stand among the intermediates. Test issuers may be listed where they do not
    count, so that a test card is refused by its name.
    """

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]
    issuers: tuple[UziIssuer, ...]
    accepts_test: bool

    def issuer_of(self, key_sha256: bytes) -> UziIssuer | None:
        """Return the pinned issuer with this key, or None when no issuer has it."""
        return next((issuer for issuer in self.issuers if issuer.key_sha256 == key_sha256), None)


@dataclass(frozen=True)
class RecognisedUziCard:
    """A UZI card as its authentication certificate shows it; its status has not been asked for."""

    identity: UziIdentity
    names: HolderNames
    organisation_name: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    """The card's own certificate first, the root last."""
    issuer: UziIssuer

    @property
    def level(self) -> Level:
        """The level that the issuer's cards give."""
        return self.issuer.level

    @property
    def fingerprint_sha256(self) -> bytes:
        """SHA-256 of the certificate (32 bytes)."""
        return self.certificate.fingerprint(hashes.SHA256())

    @property
    def valid_from(self) -> datetime:
        """The first moment of the card's time."""
        return self.certificate.not_valid_before_utc

    @property
    def valid_until(self) -> datetime:
        """The last moment of the card's time."""
        return self.certificate.not_valid_after_utc


@dataclass(frozen=True)
class Shown:
    """A certificate as shown, with the pinned issuer that signed it."""

    certificate: x509.Certificate
    issuer: UziIssuer
    now: datetime


# --- The checks
# -----------------------------------------------------------------------------------------------


def check_environment(shown: Shown, store: TrustStore) -> None:
    """Test cards count only where the trust store says so."""
    if shown.issuer.is_test and not store.accepts_test:
        raise UziTestIssuer


def check_time(shown: Shown, _store: TrustStore) -> None:
    """The card's time has begun and is not over."""
    if shown.now < shown.certificate.not_valid_before_utc:
        raise UziNotYetValid(valid_from=shown.certificate.not_valid_before_utc)
    if shown.now > shown.certificate.not_valid_after_utc:
        raise UziExpired(valid_until=shown.certificate.not_valid_after_utc)


def check_is_no_authority(shown: Shown, _store: TrustStore) -> None:
    """The certificate may not sign others."""
    constraints = extension_of(shown.certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise UziIsAuthority


USAGE_NAMES: Final = {
    frozenset({Usage.content_commitment}): "signature",
    frozenset({Usage.key_encipherment, Usage.data_encipherment}): "confidentiality",
    frozenset({Usage.key_agreement}): "confidentiality",
}


def check_usage(shown: Shown, _store: TrustStore) -> None:
    """The key usage is digitalSignature and nothing else: the certificate for authentication."""
    found = usages_of(shown.certificate)
    if found != {Usage.digital_signature}:
        raise UziUsageWrong(usage=USAGE_NAMES.get(found, "other"))


def check_purpose(shown: Shown, _store: TrustStore) -> None:
    """The extended key usage names clientAuth."""
    purposes = extension_of(shown.certificate, x509.ExtendedKeyUsage)
    if purposes is None or CLIENT_AUTH not in {purpose.dotted_string for purpose in purposes}:
        raise UziPurposeWrong


def check_policy(shown: Shown, _store: TrustStore) -> None:
    """There is exactly one policy: the issuer's for authentication."""
    policies = extension_of(shown.certificate, x509.CertificatePolicies) or ()
    if [policy.policy_identifier.dotted_string for policy in policies] != [
        shown.issuer.authentication_policy
    ]:
        raise UziPolicyWrong


def check_identity(shown: Shown, _store: TrustStore) -> None:
    """The identity agrees with the issuer, with the subject and with the user principal name."""
    identity = read_identity(shown.certificate)
    if identity.oid_ca != shown.issuer.oid_ca:
        raise UziIdentityMismatch(what="oid")
    if identity.card_type is not shown.issuer.card_type:
        raise UziIdentityMismatch(what="card-type")
    if _subject_value(shown.certificate, NameOID.SERIAL_NUMBER) != identity.uzi_number:
        raise UziIdentityMismatch(what="serial-number")
    if read_upn(shown.certificate) != identity.upn:
        raise UziIdentityMismatch(what="upn")


CHECKS: Final[tuple[Callable[[Shown, TrustStore], None], ...]] = (
    check_environment,
    check_time,
    check_is_no_authority,
    check_usage,
    check_purpose,
    check_policy,
    check_identity,
)
"""What is looked at once the issuer is known, in this order; the chain follows."""


def recognise_uzi_certificate(unverified: bytes, *, store: TrustStore, now: datetime) -> RecognisedUziCard:
    """Return the UZI card whose authentication certificate `unverified` (DER) is, its status apart.

    1. Read the certificate.
    2. Find the pinned issuer that signed it.
    3. Run `CHECKS`.
    4. Verify the chain to a root.
    5. Read the names.

    Raises:
        UziCertificateMalformed: at 1.
        UziIssuerUnknown: at 2.
        UziTestIssuer: at 2 or 3.
        UziNotYetValid, UziExpired, UziIsAuthority, UziUsageWrong, UziPurposeWrong, UziPolicyWrong,
            UziIdentityMismatch, IdentityMalformed: at 3.
        UziChainInvalid: at 4.
        UziSubjectIncomplete: at 5, or at 3 for the serial number.
    """
    certificate = _read(unverified)
    shown = Shown(certificate, _issuer_of(certificate, store), now)
    for check in CHECKS:
        check(shown, store)
    chain = _chain(certificate, store, now)
    return RecognisedUziCard(
        identity=read_identity(certificate),
        names=_names(certificate, shown.issuer.card_type),
        organisation_name=_subject_value(certificate, NameOID.ORGANIZATION_NAME),
        certificate=certificate,
        chain=chain,
        issuer=shown.issuer,
    )


def _read(unverified: bytes) -> x509.Certificate:
    if len(unverified) > LARGEST_CERTIFICATE_BYTES:
        raise UziCertificateMalformed
    try:
        certificate = x509.load_der_x509_certificate(unverified)
        admitted_key(certificate.public_key())
        _ = list(certificate.extensions), list(certificate.subject)
    except (*UNREADABLE, KeyUnfit):
        raise UziCertificateMalformed from None
    if unverified[-len(certificate.signature) - 1]:  # so many last bits would not count (X.690, 8.6.2.2)
        raise UziCertificateMalformed
    return certificate


def _issuer_of(certificate: x509.Certificate, store: TrustStore) -> UziIssuer:
    """Return the pinned issuer whose key, found by key identifier, has signed `certificate`."""
    authority = extension_of(certificate, x509.AuthorityKeyIdentifier)
    wanted = None if authority is None else authority.key_identifier
    for candidate in store.intermediates:
        own = extension_of(candidate, x509.SubjectKeyIdentifier)
        if wanted is None or own is None or own.digest != wanted or not _has_signed(candidate, certificate):
            continue
        issuer = store.issuer_of(key_fingerprint(admitted_key(candidate.public_key())))
        if issuer is not None:
            return issuer
    raise UziTestIssuer if _looks_like_test(certificate) and not store.accepts_test else UziIssuerUnknown


def _has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _looks_like_test(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate of an unknown issuer calls itself a test; for the words only."""
    policies = extension_of(certificate, x509.CertificatePolicies) or ()
    return any(policy.policy_identifier.dotted_string.startswith(TEST_ARC) for policy in policies)


def _chain(certificate: x509.Certificate, store: TrustStore, now: datetime) -> tuple[x509.Certificate, ...]:
    """Return the chain from `certificate` to a root, verified by the library."""
    verifier = (
        PolicyBuilder()
        .store(Store(list(store.roots)))
        .time(now)
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
        )
        .build_client_verifier()
    )
    try:
        return tuple(verifier.verify(certificate, list(store.intermediates)).chain)
    except VerificationError:
        raise UziChainInvalid from None


def _names(certificate: x509.Certificate, card_type: CardType) -> HolderNames:
    has_person = card_type in {CardType.Z, CardType.N}
    titles = _subject_values(certificate, NameOID.TITLE)
    return HolderNames(
        full_name=_subject_value(certificate, NameOID.COMMON_NAME),
        surname=_subject_value(certificate, NameOID.SURNAME) if has_person else "",
        given_names=_subject_value(certificate, NameOID.GIVEN_NAME) if has_person else "",
        title=titles[0] if titles else None,
    )


ATTRIBUTES: Final = {
    NameOID.COMMON_NAME: "commonName",
    NameOID.GIVEN_NAME: "givenName",
    NameOID.ORGANIZATION_NAME: "organizationName",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.SURNAME: "surname",
}
"""How RFC 4519 names the attributes that are read."""


def _subject_values(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> Sequence[str]:
    return [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]


def _subject_value(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = _subject_values(certificate, oid)
    if len(values) != 1 or not values[0]:
        raise UziSubjectIncomplete(attribute=ATTRIBUTES[oid])
    return values[0]
