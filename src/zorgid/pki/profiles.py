"""What the certificates of ZORG-ID look like, as tables.

Object identifiers stand under an arc of our own that nobody had to hand out: a GUID in seven small parts
below an arc that Microsoft set aside for this. The shorter 2.25.<UUID> has an arc of 128 bits, at which much
software stumbles (docs/decisions/0310-object-identifiers.md). The profiles of the three card certificates
follow those of the UZI register, so that what reads a UZI card reads a Smartcard: subject order, identity
string, user principal name, key usages.

Source: CPS UZI-register, sections 7.1.1 to 7.1.5; RFC 5280, section 4.2; RFC 6960, section 4.2.2.2; RFC 8813,
section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from zorgid.pki.algorithms import KeyKind, PublicKey

ARC: Final = "1.2.840.113556.1.8000.2554.63873.63082.44140.18131.39882.2879568.711540"
"""The arc of ZORG-ID: the GUID f981f66a-ac6c-46d3-9bca-2bf0500adb74, drawn once."""

OID_SMARTCARD_CA: Final = f"{ARC}.1.1"
OID_MOBIEL_CA: Final = f"{ARC}.1.2"

POLICY_AUTHENTICATION: Final = f"{ARC}.2.1"
POLICY_SIGNATURE: Final = f"{ARC}.2.2"
POLICY_CONFIDENTIALITY: Final = f"{ARC}.2.3"
POLICY_AUTHENTICATION_UNATTESTED: Final = f"{ARC}.3.1"
POLICY_SIGNATURE_UNATTESTED: Final = f"{ARC}.3.2"
POLICY_CONFIDENTIALITY_UNATTESTED: Final = f"{ARC}.3.3"
ANY_POLICY: Final = "2.5.29.32.0"

DOCUMENT_SIGNING: Final = "1.3.6.1.4.1.311.10.3.12"
ENCRYPTING_FILE_SYSTEM: Final = "1.3.6.1.4.1.311.10.3.4"
CLIENT_AUTH: Final = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
EMAIL_PROTECTION: Final = ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string
OCSP_SIGNING: Final = ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string

COUNTRY: Final = "NL"
ORGANISATION: Final = "ZORG-ID"
STAND_IN_MARK: Final = "TEST "
"""Begins the name of every authority that is not to be trusted, and so stands in every certificate."""


class Profile(StrEnum):
    """The kinds of certificates that ZORG-ID makes."""

    root = "root"
    smartcard_ca = "smartcard_ca"
    mobiel_ca = "mobiel_ca"
    ocsp_responder = "ocsp_responder"
    authentication = "authentication"
    signature = "signature"
    confidentiality = "confidentiality"


class Usage(StrEnum):
    """Bits of keyUsage, by the names that the library's `KeyUsage` has for them."""

    digital_signature = "digital_signature"
    content_commitment = "content_commitment"
    key_encipherment = "key_encipherment"
    data_encipherment = "data_encipherment"
    key_agreement = "key_agreement"
    key_cert_sign = "key_cert_sign"
    crl_sign = "crl_sign"
    encipher_only = "encipher_only"
    decipher_only = "decipher_only"


@dataclass(frozen=True)
class Rules:
    """What one profile demands."""

    rsa_usages: frozenset[Usage]
    ec_usages: frozenset[Usage]
    longest_validity: timedelta
    purposes: tuple[str, ...] = ()
    """Extended key usages, in their order in the certificate."""
    policy: str | None = None
    policy_unattested: str | None = None
    """The policy when no chip has proved that the key was made on it."""
    path_length: int | None = None
    """For authorities: how many authorities may stand below."""
    common_name: str | None = None
    key_kinds: frozenset[KeyKind] = frozenset(KeyKind)

    def usages_for(self, public_key: PublicKey) -> frozenset[Usage]:
        """Return the key usages for this kind of key. Source: RFC 8813, section 3, for EC keys."""
        return self.rsa_usages if isinstance(public_key, rsa.RSAPublicKey) else self.ec_usages


CARD_KEYS: Final = frozenset({KeyKind.rsa2048, KeyKind.rsa3072, KeyKind.rsa4096, KeyKind.p256})
AUTHORITY_USAGES: Final = frozenset({Usage.key_cert_sign, Usage.crl_sign})
SIGNING: Final = frozenset({Usage.digital_signature})
COMMITTING: Final = frozenset({Usage.content_commitment})
THREE_YEARS: Final = timedelta(days=3 * 365 + 2)
"""Three calendar years, with a leap day and the little in the past at which a certificate starts."""
RESPONDER_VALIDITY: Final = timedelta(days=30)


def _authority(common_name: str, *, path_length: int, policy: str | None, years: int) -> Rules:
    return Rules(
        rsa_usages=AUTHORITY_USAGES,
        ec_usages=AUTHORITY_USAGES,
        longest_validity=timedelta(days=366 * years),
        policy=policy,
        path_length=path_length,
        common_name=common_name,
    )


RULES: Final[Mapping[Profile, Rules]] = {
    Profile.root: _authority("ZORG-ID Root CA G1", path_length=1, policy=None, years=20),
    Profile.smartcard_ca: _authority("ZORG-ID Smartcard CA G1", path_length=0, policy=ANY_POLICY, years=12),
    Profile.mobiel_ca: _authority("ZORG-ID Mobiel CA G1", path_length=0, policy=ANY_POLICY, years=12),
    Profile.ocsp_responder: Rules(
        rsa_usages=SIGNING,
        ec_usages=SIGNING,
        purposes=(OCSP_SIGNING,),
        longest_validity=RESPONDER_VALIDITY,
    ),
    Profile.authentication: Rules(
        rsa_usages=SIGNING,
        ec_usages=SIGNING,
        purposes=(CLIENT_AUTH, EMAIL_PROTECTION, DOCUMENT_SIGNING),
        policy=POLICY_AUTHENTICATION,
        policy_unattested=POLICY_AUTHENTICATION_UNATTESTED,
        longest_validity=THREE_YEARS,
        key_kinds=CARD_KEYS,
    ),
    Profile.signature: Rules(
        rsa_usages=COMMITTING,
        ec_usages=COMMITTING,
        purposes=(EMAIL_PROTECTION, DOCUMENT_SIGNING),
        policy=POLICY_SIGNATURE,
        policy_unattested=POLICY_SIGNATURE_UNATTESTED,
        longest_validity=THREE_YEARS,
        key_kinds=CARD_KEYS,
    ),
    Profile.confidentiality: Rules(
        rsa_usages=frozenset({Usage.key_encipherment, Usage.data_encipherment}),
        ec_usages=frozenset({Usage.key_agreement}),
        purposes=(EMAIL_PROTECTION, ENCRYPTING_FILE_SYSTEM),
        policy=POLICY_CONFIDENTIALITY,
        policy_unattested=POLICY_CONFIDENTIALITY_UNATTESTED,
        longest_validity=THREE_YEARS,
        key_kinds=CARD_KEYS,
    ),
}
"""Every profile and its rules."""

AUTHORITY_PROFILES: Final = (Profile.smartcard_ca, Profile.mobiel_ca)
CARD_PROFILES: Final = (Profile.authentication, Profile.signature, Profile.confidentiality)


def policy_oid(profile: Profile, *, attested: bool) -> str | None:
    """Return the policy under which a certificate is issued, or None for profiles without one."""
    rules = RULES[profile]
    return rules.policy if attested else rules.policy_unattested or rules.policy


AUTHORITY_OID: Final[Mapping[Profile, str]] = {
    Profile.smartcard_ca: OID_SMARTCARD_CA,
    Profile.mobiel_ca: OID_MOBIEL_CA,
}
"""What the identity string of a holder's certificate begins with, by the authority that issues it."""
