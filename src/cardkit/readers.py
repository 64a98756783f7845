"""The readers of a workplace, and the cards in them, whichever driver speaks to the card.

`transport.Reader` hands out bytes for one card; a `CardReader` hands out a card that was opened by a driver.
A reader over PC/SC, a token behind a PKCS#11 module and a virtual reader look the same from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from cardkit.card import Card
from cardkit.piv import PivCard
from cardkit.secrets import SMARTCARD_PIN, PinRules
from cardkit.transport import Reader


class CardReader(Protocol):
    """A place with at most one card in it."""

    @property
    def name(self) -> str:
        """What the reader calls itself."""
        ...

    def has_card(self) -> bool:
        """Tell whether a card is in it now."""
        ...

    def open_card(self, pin_rules: PinRules = SMARTCARD_PIN) -> AbstractContextManager[Card]:
        """Return a context that holds the card exclusively; no PIN state stays at its end.

        Raises:
            ReaderEmpty, CardBusy, CardMute, CardNotRecognised: on entering; nothing was done to the card.
            CardGone: at any act, once the card was out.
        """
        ...


class Readers(Protocol):
    """All readers of this workplace: they come and go."""

    def present(self) -> Sequence[CardReader]:
        """Return the readers that are there now, in an order that stays; possibly none.

        Raises:
            ReaderServiceAbsent: this computer has no service that knows of readers.
        """
        ...

    def wait(self, seconds: float) -> bool:
        """Wait until a reader or a card came or went, at most so long; tells whether something did."""
        ...


@dataclass(frozen=True)
class PivReader:
    """A `CardReader` whose cards are spoken to in PIV."""

    reader: Reader

    @property
    def name(self) -> str:
        """What the reader calls itself."""
        return self.reader.name

    def has_card(self) -> bool:
        """Tell whether a card is in it now."""
        return self.reader.has_card()

    @contextmanager
    def open_card(self, pin_rules: PinRules = SMARTCARD_PIN) -> Iterator[Card]:
        """Hold the card exclusively and select its PIV application."""
        with self.reader.connect() as transport:
            yield PivCard.open(transport, pin_rules=pin_rules)
