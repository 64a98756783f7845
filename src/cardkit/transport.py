"""The way to a card: one method, `transmit`.

Drivers ask no more than this, so that a virtual card in process, a PC/SC reader and a test that answers from
a script are the same to them. A reader hands out a transport for one exclusive use of the card that is in it
now.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Transport(Protocol):
    """A connection to one card, for as long as that card stays in the reader."""

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command and return the answer with its two status bytes.

        Raises:
            CardGone: the card was pulled, reset or swapped. The connection is then dead for good, also when a
                card is put in again.
        """
        ...


class Reader(Protocol):
    """A place to put a card in."""

    @property
    def name(self) -> str:
        """What the reader calls itself."""
        ...

    def has_card(self) -> bool:
        """Tell whether a card is in the reader now."""
        ...

    def connect(self) -> AbstractContextManager[Transport]:
        """Return a context that holds the card exclusively and resets it at the end: no PIN state stays.

        Raises:
            ReaderEmpty: on entering, when there is no card.
        """
        ...
