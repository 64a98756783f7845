"""PIN, PUK and management key as values that cannot leak by accident.

They refuse to be printed, formatted, pickled or copied; `for_card` and `for_token` are the only ways to their
bytes. A text
that cannot be right is refused when the value is made, before any card hears of it (PIN-3).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from cardkit.errors import PinUnfit, PukUnfit

RandomBytes = Callable[[int], bytes]
"""Gives as many bytes from a cryptographic random source as asked."""

# SP 800-73-4 part 2, 3.2.1: reference data is always sent as eight bytes, filled up with FF.
REFERENCE_DATA_BYTES: Final = 8
# The largest multiple of ten that fits a byte: bytes from here on would make low digits likelier.
DIGIT_CEILING: Final = 250


@dataclass(frozen=True)
class PinRules:
    """What a kind of card takes as a PIN or PUK: its length in characters (both ends count), its alphabet."""

    shortest: int
    longest: int
    digits_only: bool

    def fit(self, text: str) -> bool:
        """Tell whether `text` can be a PIN under these rules (ASCII letters and digits, or digits alone)."""
        allowed = str.isdigit if self.digits_only else str.isalnum
        return self.shortest <= len(text) <= self.longest and text.isascii() and allowed(text)


SMARTCARD_PIN: Final = PinRules(shortest=6, longest=8, digits_only=False)
"""The Smartcard's PIN (CARD-7)."""
UZI_PIN: Final = PinRules(shortest=6, longest=8, digits_only=False)
"""The UZI card's own PIN: at least six; the card's eight bytes are the other end."""
NIST_PIN: Final = PinRules(shortest=6, longest=8, digits_only=True)
"""A card that holds strictly to the standard. Source: SP 800-73-4 part 2, 2.4.3."""
PUK: Final = PinRules(shortest=8, longest=8, digits_only=True)
"""The PUK that is made for a Smartcard."""
ANY_PUK: Final = PinRules(shortest=6, longest=8, digits_only=False)
"""What cards take as a PUK that came from elsewhere, such as the one a blank card is delivered with."""


class _Hidden:
    """What all secrets share: no text form, no pickle, no copy, equality in constant time."""

    __slots__ = ("_bytes",)
    __hash__ = None  # type: ignore[assignment]  # a hash of eight digits would tell them
    _bytes: bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not stored or copied")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self._bytes, other._bytes)


class _Reference(_Hidden):
    """A PIN or PUK: text that the card wants as eight bytes."""

    __slots__ = ()
    _unfit: type[PinUnfit]

    def _keep(self, text: str, rules: PinRules) -> None:
        self._refuse_unless(rules, fits=rules.fit(text))
        self._bytes = text.encode("ascii")

    def check(self, rules: PinRules) -> None:
        """Check this value against the rules of the card it is meant for.

        Raises:
            PinUnfit: (`PukUnfit` for a PUK) the card cannot have such a value; nothing was sent.
        """
        self._refuse_unless(rules, fits=rules.fit(self._bytes.decode("ascii")))

    def for_card(self) -> bytes:
        """Return the eight bytes the card expects, filled up with FF."""
        return self._bytes.ljust(REFERENCE_DATA_BYTES, b"\xff")

    def for_token(self) -> bytes:
        """Return the bare characters, as a PKCS#11 module wants them (PKCS #11 2.40, C_Login)."""
        return self._bytes

    def _refuse_unless(self, rules: PinRules, *, fits: bool) -> None:
        if not fits:
            raise self._unfit(
                shortest=rules.shortest, longest=rules.longest, digits_only=rules.digits_only
            ) from None


class Pin(_Reference):
    """A PIN in memory, by default under the Smartcard's rules (CARD-7).

    Raises:
        PinUnfit: the text cannot be a PIN under `rules`.
    """

    __slots__ = ()
    _unfit = PinUnfit

    def __init__(self, text: str, rules: PinRules = SMARTCARD_PIN) -> None:
        self._keep(text, rules)


class Puk(_Reference):
    """A PUK in memory; blanks in the typed text do not count, since it is shown in groups.

    Raises:
        PukUnfit: the text cannot be a PUK under `rules`.
    """

    __slots__ = ()
    _unfit = PukUnfit

    def __init__(self, text: str, rules: PinRules = PUK) -> None:
        self._keep(text.replace(" ", ""), rules)

    @classmethod
    def generate(cls, random_bytes: RandomBytes) -> Puk:
        """Return a new PUK of eight digits, all equally likely (CARD-8)."""
        digits = ""
        while len(digits) < PUK.longest:
            byte = random_bytes(1)[0]
            if byte < DIGIT_CEILING:
                digits += str(byte % 10)
        return cls(digits)

    def text_to_show_once(self) -> str:
        """Return the PUK in groups of four, for the one screen that shows it to its holder (CARD-8)."""
        text = self._bytes.decode("ascii")
        return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


class ManagementKeyKind(StrEnum):
    """The cipher of a card's management key (key reference 9B)."""

    tdes = "tdes"
    aes128 = "aes128"
    aes192 = "aes192"
    aes256 = "aes256"

    @property
    def key_bytes(self) -> int:
        """The length of such a key."""
        return {"tdes": 24, "aes128": 16, "aes192": 24, "aes256": 32}[self.value]


class ManagementKey(_Hidden):
    """A card's management key, with the cipher it is for.

    Raises:
        ValueError: the key has the wrong length for its kind.
    """

    __slots__ = ("kind",)
    kind: ManagementKeyKind

    def __init__(self, key: bytes, kind: ManagementKeyKind = ManagementKeyKind.aes192) -> None:
        if len(key) != kind.key_bytes:
            raise ValueError(f"a {kind.value} key has {kind.key_bytes} bytes")
        self._bytes = bytes(key)
        self.kind = kind

    def for_card(self) -> bytes:
        """Return the bytes of the key."""
        return self._bytes

    def for_token(self) -> bytes:
        """Return the key in hexadecimal, as modules take it that use it as the security officer's PIN."""
        return self._bytes.hex().encode("ascii")


def factory_management_key(kind: ManagementKeyKind = ManagementKeyKind.aes192) -> ManagementKey:
    """Return the key that cards commonly leave the factory with (01 02 … 08, repeated)."""
    return ManagementKey((bytes(range(1, 9)) * 4)[: kind.key_bytes], kind)
