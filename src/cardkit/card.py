"""The one interface that every card driver gives, with the values it speaks in.

Callers pick a certificate by its key usage, never by its slot or label: issuers differ in where they put
them. A driver never tries a PIN by itself, and never twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cardkit.certificates import CardCertificate, CertificateUsage, usage_of
from cardkit.keys import (
    CardKey,
    KeyAlgorithm,
    KeySlot,
    PinPolicy,
    PrivateKey,
    PublicKey,
    TouchPolicy,
)
from cardkit.secrets import ManagementKey, Pin, PinRules, Puk, RandomBytes

__all__ = [
    "AttestationStatement",
    "Capability",
    "Card",
    "CardCertificate",
    "CardKey",
    "CardMaking",
    "CardUse",
    "CertificateUsage",
    "Chuid",
    "KeyAlgorithm",
    "KeySlot",
    "PinPolicy",
    "PrivateKey",
    "PublicKey",
    "TouchPolicy",
    "usage_of",
]

GUID_BYTES: Final = 16


class Capability(StrEnum):
    """What some kinds of cards can do beyond the standard."""

    serial = "serial"
    metadata = "metadata"
    attest = "attest"
    reset = "reset"
    set_management_key = "set-management-key"


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
