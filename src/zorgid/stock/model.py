"""Blank cards, their kinds and their states."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from zorgid.kernel.ids import IssuanceId
from zorgid.pki.algorithms import KeyKind
from zorgid.pki.recognise import Level


class StockState(StrEnum):
    """The states of a blank card; `rules.TRANSITIONS` has the only ways between them."""

    in_stock = "in_stock"
    allocated = "allocated"
    shipped = "shipped"
    in_making = "in_making"
    used = "used"
    barred = "barred"


class StockAct(StrEnum):
    """What moves a blank card from one state to another."""

    allocate = "allocate"
    ship = "ship"
    reserve = "reserve"
    take_over = "take-over"
    use = "use"
    take_back = "take-back"
    bar = "bar"


class ManagementKeyAlgorithm(StrEnum):
    """The algorithm of a card's management key (9B)."""

    tdes = "tdes"
    aes128 = "aes128"
    aes192 = "aes192"
    aes256 = "aes256"


class AttestationRoot(StrEnum):
    """Whose root certifies that a key was made on the card.

    The roots themselves are data of the environment.
    """

    yubico = "yubico"
    test = "test"


@dataclass(frozen=True)
class PinRule:
    """What a kind of card takes as a PIN (CARD-7): lengths inclusive, in characters."""

    shortest: int
    longest: int
    digits_only: bool


@dataclass(frozen=True)
class CardKind:
    """What a card can do and how far it is trusted.

    `level` follows from whether the chip proves that it made the keys (CARD-10). A stand-in lives in software
    and is refused in production.
    """

    name: str
    attestation_root: AttestationRoot | None
    pin_rule: PinRule
    key_kinds: tuple[KeyKind, ...]
    management_key: ManagementKeyAlgorithm
    level: Level
    is_stand_in: bool

    @property
    def attests(self) -> bool:
        """True when the chip proves that a key was made on it; decides on the certificates' policy."""
        return self.attestation_root is not None


@dataclass(frozen=True)
class BlankCard:
    """A blank card: the number printed on it, its chip serial (decimal digits) and where it is now.

    While it is in making, `issuance_id` tells for which issuance and `alive_at` when that last gave a sign of
    life.
    """

    number: str
    chip_serial: str
    kind: CardKind
    state: StockState
    is_sold: bool
    issuance_id: IssuanceId | None
    alive_at: datetime | None
