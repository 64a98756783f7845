"""Everything the virtual card keeps without power, as one value.

A command computes the next state from this one; it is stored before it counts, so a card is never half
changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import serialization

from cardkit.card import KeyAlgorithm, PinPolicy, PrivateKey, PublicKey, TouchPolicy
from cardkit.piv import codes
from cardkit.secrets import ManagementKeyKind

# The ATR decides what OpenSC allows: a YubiKey 5, and a card that names the PIV AID in its historical bytes.
ATR_YUBIKEY: Final = bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940")
ATR_NIST: Final = bytes.fromhex("3B8A80015B0FF00BA000000308000010")

FACTORY_PIN: Final = b"123456\xff\xff"
FACTORY_PUK: Final = b"12345678"
FACTORY_TRIES: Final = 3
USUAL_ALGORITHMS: Final = frozenset(
    {KeyAlgorithm.rsa2048, KeyAlgorithm.rsa3072, KeyAlgorithm.p256, KeyAlgorithm.p384}
)


class Mode(StrEnum):
    """What the card knows: the standard alone, or Yubico's additions as well."""

    strict = "strict"
    extended = "extended"


@dataclass(frozen=True)
class Reference:
    """A PIN or PUK on the card: eight bytes, and the tries that are left of the most there can be."""

    value: bytes = field(repr=False)
    tries_left: int = FACTORY_TRIES
    most_tries: int = FACTORY_TRIES

    @property
    def is_blocked(self) -> bool:
        """Whether no try is left."""
        return self.tries_left == 0

    def after_wrong(self) -> Reference:
        """Return this reference with a try less."""
        return replace(self, tries_left=max(self.tries_left - 1, 0))

    def after_right(self) -> Reference:
        """Return this reference with all tries back."""
        return replace(self, tries_left=self.most_tries)

    def changed_to(self, value: bytes) -> Reference:
        """Return a new value with all tries."""
        return replace(self, value=value, tries_left=self.most_tries)


@dataclass(frozen=True)
class StoredKey:
    """A private key in a slot (PKCS#8, DER), its policies, and whether it was made on the card."""

    pkcs8_der: bytes = field(repr=False)
    pin_policy: PinPolicy
    touch_policy: TouchPolicy
    was_generated: bool

    @cached_property
    def private_key(self) -> PrivateKey:
        """The key itself, parsed at its first use."""
        # Checking an RSA key takes longer than using it, and the card wrote this one itself.
        return serialization.load_der_private_key(  # type: ignore[return-value]  # no other kinds are stored
            self.pkcs8_der, None, unsafe_skip_rsa_key_validation=True
        )

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self.private_key.public_key()

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The kind of key."""
        return KeyAlgorithm.of_public_key(self.public_key)

    @classmethod
    def of(
        cls, key: PrivateKey, *, pin_policy: PinPolicy, touch_policy: TouchPolicy, was_generated: bool
    ) -> StoredKey:
        """Return `key` as it is stored."""
        der = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(der, pin_policy, touch_policy, was_generated)


@dataclass(frozen=True)
class StoredManagementKey:
    """The management key on the card."""

    kind: ManagementKeyKind
    value: bytes = field(repr=False)
    touch_needed: bool = False

    @classmethod
    def factory(cls, kind: ManagementKeyKind) -> StoredManagementKey:
        """Return the key that cards leave the factory with."""
        return cls(kind, (bytes(range(1, 9)) * 4)[: kind.key_bytes])


@dataclass(frozen=True)
class CardState:
    """A virtual card's memory.

    `keys` is by key reference (0x9A …), `objects` by the three bytes of their name as one number (0x5FC102
    …).
    """

    mode: Mode
    serial: int
    firmware: tuple[int, int, int]
    atr: bytes
    pin: Reference
    puk: Reference
    management_key: StoredManagementKey
    factory_management_kind: ManagementKeyKind
    algorithms: frozenset[KeyAlgorithm] = USUAL_ALGORITHMS
    keys: Mapping[int, StoredKey] = field(default_factory=lambda: MappingProxyType({}))
    objects: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))

    def with_key(self, reference: int, key: StoredKey) -> CardState:
        """Return this state with `key` in its slot."""
        return replace(self, keys=MappingProxyType({**self.keys, reference: key}))

    def with_object(self, name: int, content: bytes) -> CardState:
        """Return this state with an object's content; no content means no object."""
        others = {known: value for known, value in self.objects.items() if known != name}
        return replace(self, objects=MappingProxyType({**others, name: content} if content else others))

    def reset(self) -> CardState:
        """Return the state of the card as it left the factory; only its means of attestation stays."""
        stays = {
            name: content
            for name, content in self.objects.items()
            if name == codes.ATTESTATION_CERTIFICATE_OBJECT
        }
        attesting = {ref: key for ref, key in self.keys.items() if ref == codes.ATTESTATION_REFERENCE}
        return replace(
            self,
            pin=Reference(FACTORY_PIN),
            puk=Reference(FACTORY_PUK),
            management_key=StoredManagementKey.factory(self.factory_management_kind),
            keys=MappingProxyType(attesting),
            objects=MappingProxyType(stays),
        )
