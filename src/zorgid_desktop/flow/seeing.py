"""Looks at a card without its PIN: whose it is and what it can do. Nothing is written, no try is spent."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cardkit.card import Card, CardCertificate, CertificateUsage
from cardkit.errors import CardAnswerMalformed, CertificateMissing
from zorgid.kernel.errors import Refusal
from zorgid.pki.identity import UziIdentity, read_identity
from zorgid.pki.profiles import OID_SMARTCARD_CA
from zorgid_desktop.flow.asking import CardKind, Said, SeenCard
from zorgid_desktop.plain import plain


@dataclass(frozen=True)
class OpenCard:
    """A card that is held, with what it showed."""

    card: Card
    seen: SeenCard
    certificates: Sequence[CardCertificate]

    @property
    def authentication(self) -> CardCertificate:
        """The certificate to log in with, found by its key usage.

        Raises:
            CertificateMissing: there is none, or more than one.
        """
        found = for_authentication(self.certificates)
        if len(found) != 1:
            raise CertificateMissing(usage=CertificateUsage.authentication)
        return found[0]


def for_authentication(certificates: Sequence[CardCertificate]) -> list[CardCertificate]:
    """Return the certificates that log in."""
    return [one for one in certificates if one.usage is CertificateUsage.authentication]


def see(reader: str, card: Card) -> OpenCard:
    """Return the card with what it shows of itself. Raises `CardError` as the card does."""
    serial = card.read_serial()
    certificates = card.read_certificates()
    if not certificates:
        blank = SeenCard(reader, CardKind.blank, serial, fingerprint=serial)
        return OpenCard(card, blank, certificates)
    login = for_authentication(certificates)
    shown = (login or certificates)[0].certificate
    try:
        return OpenCard(card, _seen(reader, serial, shown, can_log_in=bool(login)), certificates)
    except ValueError as error:  # a name or an extension that is not what the standard demands
        raise CardAnswerMalformed("a certificate that cannot be read") from error


def _seen(reader: str, serial: str | None, shown: x509.Certificate, *, can_log_in: bool) -> SeenCard:
    identity = _identity_in(shown)
    return SeenCard(
        reader,
        _kind_of(identity),
        serial,
        holder_of(shown),
        identity.uzi_number if identity else None,
        shown.not_valid_after_utc.date(),
        hashlib.sha256(shown.public_bytes(Encoding.DER)).hexdigest(),
        can_log_in,
        issuer_of(shown),
    )


def _identity_in(certificate: x509.Certificate) -> UziIdentity | None:
    try:
        return read_identity(certificate)
    except Refusal:
        return None


def _kind_of(identity: UziIdentity | None) -> CardKind:
    if identity is None:
        return CardKind.other
    return CardKind.smartcard if identity.oid_ca == OID_SMARTCARD_CA else CardKind.uzi_card


def holder_of(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate, for showing only."""
    return _first_in(certificate.subject, x509.NameOID.COMMON_NAME)


def issuer_of(certificate: x509.Certificate) -> str:
    """Return the organisation that issued a certificate, or else its authority; for showing only."""
    return _first_in(certificate.issuer, x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME)


def _first_in(name: x509.Name, *kinds: x509.ObjectIdentifier) -> str:
    found = (attribute for kind in kinds for attribute in name.get_attributes_for_oid(kind))
    return next((plain(str(attribute.value)) for attribute in found), "?")


def said_of_card(seen: SeenCard) -> Said:
    """Return which card it is in words: kind, holder and number, as far as it tells them."""
    if seen.kind is CardKind.blank:
        if seen.serial is None:
            return Said("blank-card-unnumbered")
        return Said("blank-card", {"serial": seen.serial})
    if seen.kind is CardKind.other:
        return Said("card-of", {"holder": seen.holder})
    facts = {"holder": seen.holder, "number": seen.number, "serial": seen.serial}
    if seen.kind is CardKind.uzi_card:
        return Said("uzi-card-of", facts)
    return Said("smartcard-of" if seen.serial is None else "smartcard-of-chip", facts)


def said_in_reader(seen: SeenCard) -> Said:
    """Return which card is in which reader, in words."""
    return Said("card-in-reader", {"reader": seen.reader, "found": said_of_card(seen)})


def said_by_name(seen: SeenCard) -> Said:
    """Return what a card is and whose; a blank one is nobody's yet."""
    return Said(f"named-{seen.kind}", {"holder": seen.holder or "?"})


def said_in_tray(seen: SeenCard) -> Said:
    """Return what a card is and whose; a Smartcard by its chip, since a holder may have made several."""
    card = said_by_name(seen)
    if seen.kind is not CardKind.smartcard or seen.serial is None:
        return card
    return Said("card-of-chip", {"card": card, "serial": seen.serial})


def are_alike(cards: Iterable[SeenCard]) -> bool:
    """Tell whether several Smartcards are of one holder.

    A card whose making was broken off may have its certificates; only the platform knows that it is none.
    """
    numbers = [seen.number for seen in cards if seen.kind is CardKind.smartcard]
    return len(set(numbers)) < len(numbers)


def said_in_list(seen: SeenCard) -> Said:
    """Return what a card is and whose, with its number and who issued it."""
    card = said_by_name(seen)
    if seen.kind is CardKind.blank:
        if seen.serial is None:
            return Said("listed-blank-unnumbered", {"card": card})
        return Said("listed-blank", {"card": card, "serial": seen.serial})
    facts = {"card": card, "number": seen.number, "serial": seen.serial, "issuer": seen.issuer or "?"}
    if seen.kind is CardKind.smartcard and seen.serial is not None:
        return Said("listed-smartcard", facts)
    return Said("listed-card" if seen.number is not None else "listed-other", facts)
