"""What a flow asks of a person and tells one, as values; a face draws them and gives the answers back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from cardkit.secrets import PinRules, Puk
from zorgid.kernel.sentences import Sentence

if TYPE_CHECKING:
    from zorgid.protocol.context import Context

T = TypeVar("T")


class Errand(StrEnum):
    """What the person came for; it says where to begin again after a stop."""

    login = "login"
    making = "making"
    pin_change = "pin-change"
    unblocking = "unblocking"


class Cancelled(Exception):
    """The person does not want to go on, with the errand that was on."""

    def __init__(self, errand: Errand | None = None) -> None:
        super().__init__()
        self.errand = errand


@contextmanager
def on_errand(errand: Errand | None) -> Iterator[None]:
    """Say of a stop inside, also by Ctrl-C, what the person came for."""
    try:
        yield
    except (Cancelled, KeyboardInterrupt):
        raise Cancelled(errand) from None


@dataclass(frozen=True)
class Said:
    """A text by its code in the app's catalogue, with its facts; a fact may be such a text, or several."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """A refusal of the platform, with its code and in its own words."""

    code: str
    sentence: Sentence
    about: Said | None = None
    """Which card it is about, when that was seen."""


Trouble = Said | Told
"""What went wrong: in the app's own words, or in the platform's."""


@dataclass(frozen=True)
class Question(Generic[T]):
    """Something that only the person knows or can do; `trouble` says why it is asked again."""

    trouble: Trouble | None


class Wanted(StrEnum):
    """Which card a step needs in the reader."""

    login_card = "login-card"
    uzi_card = "uzi-card"
    blank_card = "blank-card"
    new_card = "new-card"
    own_card = "own-card"
    """Any card: its PIN will be changed or unblocked."""


class CardKind(StrEnum):
    """What a card shows itself to be; a claim until the platform has judged it."""

    uzi_card = "uzi-card"
    smartcard = "smartcard"
    other = "other"
    blank = "blank"
    """There are no certificates on it."""


@dataclass(frozen=True)
class SeenCard:
    """A card as it shows itself without a PIN, and the reader it is in."""

    reader: str
    kind: CardKind
    serial: str | None = None
    """The number of its chip, where it tells one."""
    holder: str | None = None
    number: str | None = None
    """The UZI number of the holder."""
    valid_until: date | None = None
    fingerprint: str | None = None
    """What tells this very card from every other one; None for a card without serial and certificates."""
    can_log_in: bool = False
    issuer: str | None = None
    """Who issued its certificates, by its own words."""

    def is_same_card(self, other: "SeenCard") -> bool:
        """Tell whether both are one and the same card; unsure is no."""
        return self.fingerprint is not None and self.fingerprint == other.fingerprint


@dataclass(frozen=True)
class InsertCard(Question[None]):
    """Put the wanted card in the reader; answered when a card is in."""

    wanted: Wanted
    card_number: str | None = None


@dataclass(frozen=True)
class ChooseCard(Question[int]):
    """Which of these cards, all of which fit; answered with its place in the row, counted from nought."""

    cards: tuple[SeenCard, ...]


@dataclass(frozen=True)
class AskPin(Question[str]):
    """The PIN of the card in the reader, after the context was shown."""

    context: "Context | None"
    holder: str
    tries_left: int | None
    rules: PinRules

    @property
    def is_last_try(self) -> bool:
        """Whether one more wrong PIN blocks the card; the person is warned (PIN-1)."""
        return self.tries_left == 1


@dataclass(frozen=True)
class AskBirthDate(Question[str]):
    """The birth date, as day, month and year: 31-03-1980; no later than `today`."""

    full_name: str
    organisation: str
    today: date


@dataclass(frozen=True)
class NewPin:
    """A chosen PIN, typed twice; never printed."""

    first: str = field(repr=False)
    second: str = field(repr=False)


@dataclass(frozen=True)
class ChoosePin(Question[NewPin]):
    """A PIN for the new card, twice; the rules are said beforehand."""

    rules: PinRules
    card_number: str


@dataclass(frozen=True)
class KeepPuk(Question[bool]):
    """The PUK, shown once; answered with true when the person has kept it (CARD-8)."""

    puk: Puk


@dataclass(frozen=True)
class AskPuk(Question[str]):
    """The PUK of the card in the reader; never printed."""

    holder: str
    tries_left: int | None


@dataclass(frozen=True)
class StartOver(Question[bool]):
    """May the making start over? Asked when the written card's PIN is blocked, or another card is in."""

    card_number: str


class Face(Protocol):
    """Draws questions and messages: a terminal, windows, a page, or a test's script."""

    def ask(self, question: Question[T]) -> T:
        """Return the person's answer. Raises `Cancelled`."""
        ...

    def tell(self, said: Said) -> None:
        """Show how far the flow is; nothing is expected back."""
        ...
