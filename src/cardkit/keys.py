"""Keys on a card: where they are, of what kind, and when the card lets them be used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cardkit.errors import KeyUnsupported

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


def supported(public_key: object) -> PublicKey:
    """Return `public_key` as one of the kinds that are worked with. Raises `KeyUnsupported` for others."""
    KeyAlgorithm.of_public_key(public_key)
    if isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return public_key
    raise KeyUnsupported


@dataclass(frozen=True)
class CardKey:
    """A key on the card: where it is and what its public half is."""

    slot: KeySlot
    public_key: PublicKey

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The kind of key."""
        return KeyAlgorithm.of_public_key(self.public_key)
