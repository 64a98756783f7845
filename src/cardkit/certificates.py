"""Certificates as found on a card, told apart by what they are for.

The key usage decides, never the slot or the label: issuers differ in where they put their certificates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from cardkit.errors import CertificateMissing, KeyUnsupported
from cardkit.keys import CardKey, KeySlot, supported


class CertificateUsage(StrEnum):
    """What a certificate is for, told by its key usage alone."""

    authentication = "authentication"
    signature = "signature"
    confidentiality = "confidentiality"
    other = "other"


def usage_of(certificate: x509.Certificate) -> CertificateUsage:
    """Return what `certificate` is for.

    Authentication is digitalSignature alone, signature is nonRepudiation alone, confidentiality is
    keyEncipherment with or without dataEncipherment, or keyAgreement alone. Any other mixture, or no key
    usage, is *other*.

    Source: the UZI certificate profile; RFC 8813, 3 for keys on curves.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return CertificateUsage.other
    return _USAGES.get(_asserted(usage), CertificateUsage.other)


def _asserted(usage: x509.KeyUsage) -> frozenset[str]:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
    )
    return frozenset(name for name in names if getattr(usage, name))


_USAGES = {
    frozenset({"digital_signature"}): CertificateUsage.authentication,
    frozenset({"content_commitment"}): CertificateUsage.signature,
    frozenset({"key_encipherment"}): CertificateUsage.confidentiality,
    frozenset({"key_encipherment", "data_encipherment"}): CertificateUsage.confidentiality,
    frozenset({"key_agreement"}): CertificateUsage.confidentiality,
}


@dataclass(frozen=True)
class CardCertificate:
    """A certificate as found on the card, with the slot of its key.

    It is a claim until its chain is checked.
    """

    slot: KeySlot
    certificate: x509.Certificate

    @property
    def usage(self) -> CertificateUsage:
        """What the certificate is for."""
        return usage_of(self.certificate)

    @property
    def key(self) -> CardKey:
        """The key that the certificate speaks of. Raises `KeyUnsupported`."""
        try:
            return CardKey(self.slot, supported(self.certificate.public_key()))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyUnsupported from error


def the_one(certificates: Iterable[CardCertificate], usage: CertificateUsage) -> CardCertificate:
    """Return the one certificate with that usage. Raises `CertificateMissing` for none and for several."""
    fitting = [each for each in certificates if each.usage is usage]
    if len(fitting) != 1:
        raise CertificateMissing(usage=usage.value)
    return fitting[0]
