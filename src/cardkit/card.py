"""The one interface that every card driver gives, and the values it speaks in.

Callers pick a certificate by its key usage, never by its slot or label: issuers differ in where they put
them. A driver never tries a PIN by itself, and never twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cardkit.errors import KeyUnsupported
from cardkit.secrets import ManagementKey, Pin, PinRules, Puk, RandomBytes

GUID_BYTES: Final = 16

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class KeySlot(StrEnum):
    """A place for a key on the card. Source: SP 800-73-4 part 1, table 4b."""

    authentication = "authentication"
    signature = "signature"
    confidentiality = "confidentiality"

    @property
    def reference(self) -> int:
        """The key reference on the wire: 9A, 9C or 9D."""
        return {"authentication": 0x9A, "signature": 0x9C, "confidentiality": 0x9D}[self.value]


class KeyAlgorithm(StrEnum):
    """The kinds of keys that cards are asked to make."""

    rsa2048 = "rsa2048"
    rsa3072 = "rsa3072"
    rsa4096 = "rsa4096"
    p256 = "p256"
    p384 = "p384"

    @classmethod
    def of_public_key(cls, key: object) -> KeyAlgorithm:
        """Return the algorithm of `key`. Raises `KeyUnsupported` for kinds that no card here makes."""
        if isinstance(key, rsa.RSAPublicKey):
            name = f"rsa{key.key_size}"
        elif isinstance(key, ec.EllipticCurvePublicKey):
            name = key.curve.name.replace("secp", "p").removesuffix("r1")
        else:
            name = ""
        if name not in {each.value for each in cls}:
            raise KeyUnsupported
        return cls(name)


class CertificateUsage(StrEnum):
    """What a certificate is for, told by its key usage alone."""

    authentication = "authentication"
    signature = "signature"
    confidentiality = "confidentiality"
    other = "other"


class PinPolicy(StrEnum):
    """When the card wants the PIN for a key."""

    never = "never"
    once = "once"
    always = "always"


class TouchPolicy(StrEnum):
    """When the card wants to be touched for a key."""

    never = "never"
    always = "always"
    cached = "cached"


class Capability(StrEnum):
    """What some kinds of cards can do beyond the standard."""

    serial = "serial"
    metadata = "metadata"
    attest = "attest"
    reset = "reset"
    set_management_key = "set-management-key"


def supported(public_key: object) -> PublicKey:
    """Return `public_key` as one of the kinds that are worked with. Raises `KeyUnsupported` for others."""
    KeyAlgorithm.of_public_key(public_key)
    if isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return public_key
    raise KeyUnsupported


def usage_of(certificate: x509.Certificate) -> CertificateUsage:
    """Return what `certificate` is for.

    Authentication is digitalSignature alone, signature is nonRepudiation alone, confidentiality is
    keyEncipherment with or without dataEncipherment, or keyAgreement alone. Any other mixture, or no key
    usage, is *other*.

    Source: the UZI certificate profile; RFC 8813, 3 for keys on curves.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
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
class CardKey:
    """A key on the card: where it is and what its public half is."""

    slot: KeySlot
    public_key: PublicKey

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The kind of key."""
        return KeyAlgorithm.of_public_key(self.public_key)


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


@dataclass(frozen=True)
class AttestationStatement:
    """The proof that a key was made on the card, and the certificate of the card that signed it.

    Both DER, both unverified.
    """

    statement_der: bytes
    intermediate_der: bytes


@dataclass(frozen=True)
class Chuid:
    """The card holder unique identifier: what tells one PIV card from another, a claim and no proof.

    `guid` has 16 bytes. Source: SP 800-73-4 part 1, 3.1.2.
    """

    guid: bytes
    expires_on: date

    def __post_init__(self) -> None:
        if len(self.guid) != GUID_BYTES:
            raise ValueError("a GUID has 16 bytes")

    @classmethod
    def random(cls, random_bytes: RandomBytes, expires_on: date) -> Chuid:
        """Return a CHUID with a random GUID (RFC 4122, version 4)."""
        guid = bytearray(random_bytes(GUID_BYTES))
        guid[6] = guid[6] & 0x0F | 0x40
        guid[8] = guid[8] & 0x3F | 0x80
        return cls(bytes(guid), expires_on)


class CardUse(Protocol):
    """What everybody does with a card: read, prove, sign, look after the PIN."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this card can do beyond the standard."""
        ...

    @property
    def firmware(self) -> tuple[int, int, int] | None:
        """The version of a card with Yubico's extensions, or None."""
        ...

    @property
    def pin_rules(self) -> PinRules:
        """What this card takes as a PIN."""
        ...

    def read_serial(self) -> str | None:
        """Return the chip's serial number in decimal, or None when this kind does not tell one."""
        ...

    def read_certificates(self) -> list[CardCertificate]:
        """Return the certificates of all slots that hold one."""
        ...

    def certificate_for(self, usage: CertificateUsage) -> CardCertificate:
        """Return the one certificate with that usage, wherever it stands.

        Raises:
            CertificateMissing: there is none, or more than one.
        """
        ...

    def pin_tries_left(self) -> int | None:
        """Return how often a wrong PIN may still be given, at no cost.

        None when the card does not tell (now).
        """
        ...

    def puk_tries_left(self) -> int | None:
        """Return how often a wrong PUK may still be given, at no cost; None when the card does not tell."""
        ...

    def verify_pin(self, pin: Pin) -> None:
        """Show the PIN to the card, once.

        Raises:
            PinUnfit: this card cannot have such a PIN; nothing was sent.
            PinWrong: with the tries left.
            PinBlocked: by this try or before.
        """
        ...

    def change_pin(self, old: Pin, new: Pin) -> None:
        """Replace the PIN. Raises as `verify_pin` does; a wrong old PIN costs a try."""
        ...

    def change_puk(self, old: Puk, new: Puk) -> None:
        """Replace the PUK. Raises `PukUnfit`, `PukWrong` or `PukBlocked`; a wrong old PUK costs a try."""
        ...

    def unblock_pin(self, puk: Puk, new: Pin) -> None:
        """Give the card a new PIN and all tries back. Raises `PinUnfit`, `PukWrong` or `PukBlocked`."""
        ...

    def sign(self, key: CardKey, message: bytes, hash_algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        """Return a signature over `message`; the hash is SHA-384 for P-384, else SHA-256, unless given."""
        ...

    def sign_digest(self, key: CardKey, digest: bytes, hash_algorithm: hashes.HashAlgorithm) -> bytes:
        """Return a signature over `digest`: PKCS#1 v1.5 for RSA, DER-encoded ECDSA for curves.

        The PIN must have been verified; for the signature key directly before.

        Raises:
            PinNeeded: it was not.
            KeyMissing: the slot holds no such key.
        """
        ...

    def decrypt(self, key: CardKey, ciphertext: bytes) -> bytes:
        """Return what was encrypted to an RSA key under PKCS#1 v1.5.

        Raises `PinNeeded`, `CardAnswerMalformed`.
        """
        ...

    def agree(self, key: CardKey, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Return the shared secret (x coordinate) of a key on a curve and the peer's. Raises `PinNeeded`."""
        ...

    def log_out(self) -> None:
        """Clear the PIN state of the card."""
        ...


class CardMaking(Protocol):
    """What personalisation does with a card, after `authenticate_management`."""

    def authenticate_management(self, key: ManagementKey) -> None:
        """Show each other, card and caller, that both know the management key.

        Raises `ManagementKeyWrong`.
        """
        ...

    def set_management_key(self, new: ManagementKey) -> None:
        """Replace the management key. Raises `CardCannot` where only the maker's own tools can."""
        ...

    def generate_key(
        self, slot: KeySlot, algorithm: KeyAlgorithm, pin_policy: PinPolicy | None = None
    ) -> CardKey:
        """Make a new key in `slot`; the old one is gone. Raises `ManagementKeyNeeded`, `CardRefused`."""
        ...

    def read_key(self, slot: KeySlot) -> CardKey | None:
        """Return the key in `slot`, or None when there is none or the card does not tell."""
        ...

    def attest(self, slot: KeySlot) -> AttestationStatement:
        """Return the card's proof that the key in `slot` was made on it.

        Raises `CardCannot`, `KeyMissing`.
        """
        ...

    def write_certificate(self, slot: KeySlot, certificate: x509.Certificate) -> None:
        """Write the certificate that belongs to `slot`. Raises `ManagementKeyNeeded`."""
        ...

    def delete_certificate(self, slot: KeySlot) -> None:
        """Empty the certificate object of `slot`. Raises `ManagementKeyNeeded`."""
        ...

    def read_chuid(self) -> Chuid | None:
        """Return the card's CHUID, or None on a blank card."""
        ...

    def write_chuid(self, chuid: Chuid) -> None:
        """Write the card's CHUID. Raises `ManagementKeyNeeded`."""
        ...

    def reset(self) -> None:
        """Make the card blank again: all keys, certificates and PINs are lost.

        All tries of PIN and PUK are used up on purpose, since cards demand that first.

        Raises:
            CardCannot: this kind cannot be reset.
        """
        ...


class Card(CardUse, CardMaking, Protocol):
    """A card driver: `piv.PivCard`, and others that come beside it."""
