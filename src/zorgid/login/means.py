"""Recognises the means behind a certificate that made a valid proof: one of our Smartcards, or a UZI card."""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from zorgid.ca import actions as ca
from zorgid.ca.errors import CertificateUnknown
from zorgid.ca.model import CertificateStatus, IssuedCertificate
from zorgid.cards import actions as cards
from zorgid.login.errors import NotAnAuthenticationCertificate, SmartcardExpired, SmartcardNotGood
from zorgid.login.model import Means, MeansUsed, ProvedCard
from zorgid.login.setup import LoginSetup
from zorgid.people import actions as people
from zorgid.pki.identity import read_identity
from zorgid.pki.profiles import Profile
from zorgid.pki.recognise import Level, RecognisedUziCard
from zorgid.storage.database import Database, Origin, Work

EIDAS_LEVEL = "http://eidas.europa.eu/LoA/"
"""Prefix of the eIDAS levels of assurance as URI (OpenID NLGov, section on acr)."""


def level_uri(level: Level) -> str:
    """Return a level of assurance as eIDAS URI."""
    return f"{EIDAS_LEVEL}{level}"


async def recognise_means(
    database: Database, setup: LoginSetup, origin: Origin, unverified_certificate: bytes
) -> ProvedCard:
    """Return whose card a certificate belongs to. Its signature must have been checked by the caller.

    Our own register is asked first; anything that we did not issue must be a UZI card. No transaction is open
    while foreign services are asked.

    Raises:
        NotAnAuthenticationCertificate, SmartcardNotGood, SmartcardExpired: one of ours, but not fit to log
        in. Refusals of `cards`, `pki` and `trust`: the card is held, or is no good UZI card.
    """
    try:
        async with database.work(origin) as work:
            return await _smartcard(work, unverified_certificate)
    except CertificateUnknown:
        return _uzi_card(await setup.recognise_uzi_card(unverified_certificate))


async def _smartcard(work: Work, certificate_der: bytes) -> ProvedCard:
    fingerprint = hashlib.sha256(certificate_der).digest()
    issued = await ca.issued_certificate(work, fingerprint_sha256=fingerprint)
    card = await cards.require_active(work, issued.card_id)
    _require_good(issued, work)
    await cards.note_use(work, card.id)
    certificate = issued.certificate
    identity = read_identity(certificate)
    names = (await people.person(work, card.holder_id)).names
    means = Means(
        kind=MeansUsed.smartcard,
        reference=str(card.id),
        uzi_number=identity.uzi_number,
        ura=identity.ura,
        full_name=names.full_name,
        level=level_uri(card.level),
    )
    return ProvedCard(
        means=means,
        certificate_der=certificate_der,
        card_id=card.id,
        card_type=None,
        role=None,
        surname=names.surname,
        given_names=names.given_names,
        organisation_name=_organisation_of(certificate),
    )


def _require_good(issued: IssuedCertificate, work: Work) -> None:
    if issued.profile is not Profile.authentication:
        raise NotAnAuthenticationCertificate
    if issued.status is not CertificateStatus.good:
        raise SmartcardNotGood(status=issued.status)
    if not issued.valid_from <= work.now <= issued.valid_until:
        raise SmartcardExpired


def _organisation_of(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""


def _uzi_card(card: RecognisedUziCard) -> ProvedCard:
    means = Means(
        kind=MeansUsed.uzi_card,
        reference=card.fingerprint_sha256.hex(),
        uzi_number=card.identity.uzi_number,
        ura=card.identity.ura,
        full_name=card.names.full_name,
        level=level_uri(card.level),
    )
    return ProvedCard(
        means=means,
        certificate_der=card.certificate.public_bytes(Encoding.DER),
        card_id=None,
        card_type=card.identity.card_type,
        role=card.identity.role,
        surname=card.names.surname,
        given_names=card.names.given_names,
        organisation_name=card.organisation_name,
    )
