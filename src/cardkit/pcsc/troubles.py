"""What the numbers of the PC/SC service mean for whoever works with a card.

One table for opening a card. Once it is open there is no table: whatever goes wrong then, the connection is
dead for good (`CardGone`). A silent second connection could show a PIN to a card that somebody else reset or
swapped, so there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cardkit.errors import (
    CardBusy,
    CardError,
    CardMute,
    ReaderAbsent,
    ReaderEmpty,
    ReaderServiceAbsent,
)

# [MS-RDPESC] 2.2.8; pcsclite.h has the same numbers.
SUCCESS: Final = 0
TIMEOUT: Final = 0x8010000A
SHARING_VIOLATION: Final = 0x8010000B
NO_READERS_AVAILABLE: Final = 0x8010002E
RESET_CARD: Final = 0x80100068
REMOVED_CARD: Final = 0x80100069
UNKNOWN_READER: Final = 0x80100009
READER_UNAVAILABLE: Final = 0x80100017

AT_OPENING: Final[Mapping[int, type[CardError]]] = {
    0x8010000C: ReaderEmpty,  # no smart card
    REMOVED_CARD: ReaderEmpty,
    SHARING_VIOLATION: CardBusy,
    0x80100031: CardBusy,  # server too busy
    UNKNOWN_READER: ReaderAbsent,
    READER_UNAVAILABLE: ReaderAbsent,
    NO_READERS_AVAILABLE: ReaderAbsent,
    0x8010001D: ReaderServiceAbsent,  # no service
    0x8010001E: ReaderServiceAbsent,  # service stopped
    0x80100013: ReaderServiceAbsent,  # the service does not answer any more
    0x80100027: ReaderServiceAbsent,  # access denied: the system keeps the service from this user
    0x8010006A: ReaderServiceAbsent,  # the same, as pcscd says it
    0x8010000F: CardMute,  # no common protocol
    0x8010002F: CardMute,  # what the card said was lost
    0x80100065: CardMute,  # answer to reset not understood
    0x80100066: CardMute,  # unresponsive
    0x80100067: CardMute,  # unpowered
}


class PcscFailed(Exception):
    """A call to the service that did not succeed; never leaves this package."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call} answered {code:08X}")
        self.code = code


def trouble_at_opening(failed: PcscFailed, otherwise: type[CardError] = CardMute) -> CardError:
    """Return the error for a card that could not be opened; nothing was done to it.

    An unknown number is a card that does not answer, unless it is said what else it is.
    """
    return AT_OPENING.get(failed.code, otherwise)(str(failed))
