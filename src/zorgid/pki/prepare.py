"""Builds the certificates of ZORG-ID up to the signature: prepare, check, and hand over the bytes.

Whoever signs commits the hash of these bytes first, signs exactly them, once, and puts the certificate
together with `assemble`. Every `prepare_…` has checked its work against the profile before it returns.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from zorgid.kernel.clock import CERTIFICATE_BACKDATE, add_months, dutch_day, end_of_dutch_day
from zorgid.kernel.errors import Fault
from zorgid.kernel.randomness import RandomSource
from zorgid.pki.algorithms import (
    PublicKey,
    SignatureAlgorithm,
    admitted_key,
    algorithm_for,
    key_fingerprint,
    signed,
    verify_signature,
)
from zorgid.pki.building import (
    authority_builder,
    base_builder,
    common_name_of,
    holder_name,
    plain_name,
    policies,
    with_addresses,
    with_authority_key,
    with_usages,
)
from zorgid.pki.errors import SignatureWrong
from zorgid.pki.identity import NO_ROLE, CardType, UziIdentity, identity_other_name, upn_other_name
from zorgid.pki.lint import check_prepared
from zorgid.pki.names import HolderNames, cut
from zorgid.pki.profiles import (
    AUTHORITY_PROFILES,
    CARD_PROFILES,
    OID_SMARTCARD_CA,
    RESPONDER_VALIDITY,
    RULES,
    STAND_IN_MARK,
    Profile,
    policy_oid,
)
from zorgid.pki.tbs import tbs_of

SERIAL_BYTES: Final = 16
"""Twice the 64 random bits that are the least. Source: CA/Browser Forum Baseline Requirements, 7.1."""

CARD_MONTHS: Final = 36
"""Three years valid (CARD-6)."""


@dataclass(frozen=True)
class Addresses:
    """Where relying parties find an issuer's CRL, its own certificate and its OCSP responder (plain HTTP)."""

    crl: str
    ca_issuers: str
    ocsp: str | None
    """None for the root, whose key is offline: there is a CRL only."""


@dataclass(frozen=True)
class Issuer:
    """An authority of ours, as the certificates below it name it."""

    certificate: x509.Certificate
    addresses: Addresses

    @property
    def public_key(self) -> PublicKey:
        """The key that its signatures verify under."""
        return admitted_key(self.certificate.public_key())

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """The algorithm it signs with."""
        return algorithm_for(self.public_key)


@dataclass(frozen=True)
class CardHolder:
    """Whom a card certificate stands for: names and numbers as on the UZI card."""

    uzi_number: str
    ura: str
    agb: str
    organisation_name: str
    names: HolderNames

    @property
    def identity(self) -> UziIdentity:
        """The identity string's parts; a Smartcard is an employee's card (type N)."""
        return UziIdentity(OID_SMARTCARD_CA, self.uzi_number, CardType.N, self.ura, NO_ROLE, self.agb)


@dataclass(frozen=True)
class Validity:
    """From when until when, both ends included, whole seconds in UTC."""

    not_before: datetime
    not_after: datetime

    @property
    def both(self) -> tuple[datetime, datetime]:
        """The two ends."""
        return self.not_before, self.not_after


def _begin(now: datetime) -> datetime:
    return now.replace(microsecond=0) - CERTIFICATE_BACKDATE


def card_validity(now: datetime) -> Validity:
    """Return three years from `now`, through the last Dutch day before the third anniversary."""
    last_day = add_months(dutch_day(now), CARD_MONTHS) - timedelta(days=1)
    return Validity(_begin(now), end_of_dutch_day(last_day))


def responder_validity(now: datetime) -> Validity:
    """Return the thirty days of an OCSP responder's certificate."""
    begin = _begin(now)
    return Validity(begin, begin + RESPONDER_VALIDITY - timedelta(seconds=1))


def authority_validity(now: datetime, *, years: int) -> Validity:
    """Return the time of an authority made at `now`: through the last Dutch day before the anniversary."""
    last_day = add_months(dutch_day(now), 12 * years) - timedelta(days=1)
    return Validity(_begin(now), end_of_dutch_day(last_day))


def new_serial(random: RandomSource) -> int:
    """Return a serial number of 16 bytes with 126 random bits: positive, and always of the same length."""
    drawn = int.from_bytes(random(SERIAL_BYTES))
    return drawn & ~(0b11 << 126) | 0b01 << 126


@dataclass(frozen=True)
class Prepared:
    """A certificate that was checked and lacks only its signature."""

    profile: Profile
    serial: int
    tbs: bytes
    """The TBSCertificate as DER: exactly what is to be signed."""
    algorithm: SignatureAlgorithm
    public_key_sha256: bytes

    @property
    def tbs_sha256(self) -> bytes:
        """What the intent is committed under (32 bytes)."""
        return hashlib.sha256(self.tbs).digest()


def prepare_root(
    *, public_key: PublicKey, serial: int, validity: Validity, stand_in: bool, name: str | None = None
) -> Prepared:
    """Return a self-signed root; `stand_in` marks it, and all below it, as not to be trusted."""
    subject = authority_name(Profile.root, stand_in=stand_in, name=name)
    builder = authority_builder(
        Profile.root, subject, subject, public_key=public_key, serial=serial, validity=validity.both
    )
    return _checked(Profile.root, builder, algorithm_for(public_key), None)


def prepare_authority(
    profile: Profile,
    *,
    issuer: Issuer,
    public_key: PublicKey,
    serial: int,
    validity: Validity,
    stand_in: bool,
    name: str | None = None,
) -> Prepared:
    """Return an issuing authority (`smartcard_ca`, `mobiel_ca`) below the root."""
    _demand(profile in AUTHORITY_PROFILES, "not the profile of an authority")
    subject = authority_name(profile, stand_in=stand_in, name=name)
    builder = authority_builder(
        profile,
        subject,
        issuer.certificate.subject,
        public_key=public_key,
        serial=serial,
        validity=validity.both,
    )
    builder = _linked(builder, issuer)
    builder = builder.add_extension(policies(policy_oid(profile, attested=True)), critical=False)
    return _checked(profile, builder, issuer.algorithm, issuer)


def prepare_responder(*, issuer: Issuer, public_key: PublicKey, serial: int, validity: Validity) -> Prepared:
    """Return the certificate of an OCSP responder that speaks for `issuer`. Source: RFC 6960, 4.2.2.2."""
    profile = Profile.ocsp_responder
    common_name = cut(f"{common_name_of(issuer.certificate)} OCSP")
    builder = base_builder(
        plain_name(common_name),
        issuer.certificate.subject,
        public_key=public_key,
        serial=serial,
        validity=validity.both,
    )
    builder = with_usages(with_authority_key(builder, issuer.certificate), profile, public_key)
    builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return _checked(profile, builder, issuer.algorithm, issuer)


def prepare_card_certificate(
    profile: Profile,
    *,
    issuer: Issuer,
    holder: CardHolder,
    public_key: PublicKey,
    serial: int,
    validity: Validity,
    attested: bool,
) -> Prepared:
    """Return one of the three certificates of a Smartcard.

    `attested` says that the chip has proved that the key was made on it; if not, a lower policy stands in it.

    Raises:
        IdentityMalformed: the holder's numbers do not have the form they must have.
    """
    _demand(profile in CARD_PROFILES, "not the profile of a card certificate")
    subject = holder_name(holder.organisation_name, holder.uzi_number, holder.names)
    builder = base_builder(
        subject, issuer.certificate.subject, public_key=public_key, serial=serial, validity=validity.both
    )
    builder = _linked(builder, issuer)
    builder = with_usages(builder, profile, public_key)
    other_names = [identity_other_name(holder.identity)]
    if profile is Profile.authentication:
        other_names.insert(0, upn_other_name(holder.identity))
    builder = builder.add_extension(x509.SubjectAlternativeName(other_names), critical=False)
    builder = builder.add_extension(policies(policy_oid(profile, attested=attested)), critical=False)
    return _checked(profile, builder, issuer.algorithm, issuer)


def assemble(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """Return the certificate as DER. Raises `Fault` when `tbs` was prepared for another algorithm."""
    return signed(tbs, algorithm, signature)


def check_issued(
    certificate_der: bytes, prepared: Prepared, issuer_public_key: PublicKey
) -> x509.Certificate:
    """Return the certificate, having seen that it is exactly what was prepared and that the signature fits.

    Raises:
        Fault: it is not; it must not leave the house.
    """
    certificate = x509.load_der_x509_certificate(certificate_der)
    _demand(certificate.tbs_certificate_bytes == prepared.tbs, "another certificate than the one prepared")
    try:
        verify_signature(issuer_public_key, certificate.signature, prepared.tbs, prepared.algorithm)
    except SignatureWrong as wrong:
        msg = "the signature does not fit the issuer's key"
        raise Fault(msg) from wrong
    return certificate


def authority_name(profile: Profile, *, stand_in: bool, name: str | None = None) -> x509.Name:
    """Return the subject of an authority; `name` replaces the common name of the profile."""
    common_name = name or RULES[profile].common_name or ""
    return plain_name(STAND_IN_MARK + common_name if stand_in else common_name)


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Fault(otherwise)


def _checked(
    profile: Profile,
    builder: x509.CertificateBuilder,
    algorithm: SignatureAlgorithm,
    issuer: Issuer | None,
) -> Prepared:
    tbs = tbs_of(builder, algorithm)
    certificate = check_prepared(profile, tbs, algorithm, issuer.certificate if issuer else None)
    key = admitted_key(certificate.public_key())
    return Prepared(profile, certificate.serial_number, tbs, algorithm, key_fingerprint(key))


def _linked(builder: x509.CertificateBuilder, issuer: Issuer) -> x509.CertificateBuilder:
    addresses = issuer.addresses
    return with_addresses(
        with_authority_key(builder, issuer.certificate),
        crl=addresses.crl,
        ca_issuers=addresses.ca_issuers,
        ocsp=addresses.ocsp,
    )
