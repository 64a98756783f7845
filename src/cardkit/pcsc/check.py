"""Whether a reader will do, found out before a making starts and without harm to the card (INFO-4).

What is sent chooses an application that no card has: a card answers that it has none such and stays as it is.
Only whether the command and its answer pass through the reader matters.

Source: PC/SC part 10, 2.2 and 2.6.14, for what a reader tells of itself; ISO/IEC 7816-4, 5.3.2 for long
commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cardkit import apdu
from cardkit.apdu import Command, Response
from cardkit.errors import (
    CardAnswerMalformed,
    CardError,
    CardGone,
    ReaderAbsent,
    ReaderServiceAbsent,
)
from cardkit.pcsc.reader import PcscReader, within
from cardkit.pcsc.service import OpenCard, Service, reader_service
from cardkit.pcsc.troubles import PcscFailed
from cardkit.piv import codes

GET_FEATURE_REQUEST: Final = 3400
TLV_PROPERTIES: Final = 0x12
MOST_COMMAND_BYTES: Final = 0x0A

BY_NAME: Final = 0x04
# ISO/IEC 7816-4, 12.2.3: names that begin with F are not registered, and none is longer than 16 bytes.
NAME_BYTE: Final = b"\xf0"
LONG_DATA_BYTES: Final = 512


class Verdict(StrEnum):
    """What somebody who is about to make a card wants to know of the reader."""

    fits = "fits"
    short_only = "short-only"
    cannot_write = "cannot-write"
    no_card = "no-card"


@dataclass(frozen=True)
class ReaderCheck:
    """What was found out about a reader; None is what could not be found out.

    Attributes:
        name: what the reader calls itself.
        writes: whether a command as long as short ones get reaches the card; None without a card.
        takes_extended: whether longer ones do, by trying, or else by what the reader says.
        told_bytes: the longest command that the reader says to take; 0 for short ones only.
    """

    name: str
    writes: bool | None
    takes_extended: bool | None
    told_bytes: int | None

    @property
    def verdict(self) -> Verdict:
        """The conclusion: making a card takes short commands, some UZI cards need longer ones."""
        if self.writes is None:
            return Verdict.no_card
        if not self.writes:
            return Verdict.cannot_write
        return Verdict.short_only if self.takes_extended is False else Verdict.fits


def check_reader(reader: PcscReader) -> ReaderCheck:
    """Return what the reader can do, as far as that shows now; a card that is in is left as it is.

    Raises:
        ReaderServiceAbsent, ReaderAbsent, CardBusy, CardMute: nothing could be found out.
    """
    told = _told_bytes(reader)
    takes_extended = None if told is None else told > apdu.SHORT_RESPONSE_BYTES
    if not reader.has_card():
        return ReaderCheck(reader.name, None, takes_extended, told)
    writes = _passes(reader, apdu.SHORT_DATA_BYTES)
    tried = _passes(reader, LONG_DATA_BYTES) if writes else None
    return ReaderCheck(reader.name, writes, takes_extended if tried is None else tried, told)


def _passes(reader: PcscReader, data_bytes: int) -> bool | None:
    """Whether so long a command gets to the card and is answered.

    None when card, and not reader, may be what refuses it.
    """
    probe = Command(0, codes.SELECT, BY_NAME, 0, NAME_BYTE * data_bytes, le=data_bytes + 1)
    is_long = data_bytes > apdu.SHORT_DATA_BYTES
    with reader.connect() as connection:
        if is_long and connection.is_t0:
            return None
        try:
            answer = Response.decode(connection.transmit(probe.encode()))
        except (CardGone, CardAnswerMalformed):
            return False
        return None if is_long and answer.status == apdu.WRONG_LENGTH else True


def _told_bytes(reader: PcscReader) -> int | None:
    """Return the longest command that the reader says to take, or None when it says nothing (now).

    Raises `ReaderServiceAbsent`, `ReaderAbsent`.
    """
    try:
        return within(reader.turn_seconds, lambda: _asked(reader), undo=lambda _told: None)
    except (ReaderServiceAbsent, ReaderAbsent):
        raise
    except CardError:
        return None


def _asked(reader: PcscReader) -> int | None:
    with reader_service(reader.binding()) as service:
        opened = service.connect_reader(reader.name)
        try:
            return _property(service, opened)
        finally:
            service.disconnect(opened)


def _property(service: Service, opened: OpenCard) -> int | None:
    try:
        features = dict(_short_tlvs(service.control(opened, service.control_code(GET_FEATURE_REQUEST))))
        asks = features.get(TLV_PROPERTIES)
        if asks is None:
            return None
        told = dict(_short_tlvs(service.control(opened, int.from_bytes(asks, "big"))))
    except PcscFailed:
        return None
    value = told.get(MOST_COMMAND_BYTES)
    return None if value is None else int.from_bytes(value, "little")


def _short_tlvs(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tags of one byte with their values; what is cut off at the end is left out."""
    while len(data) > 1 and len(data) >= 2 + data[1]:
        yield data[0], data[2 : 2 + data[1]]
        data = data[2 + data[1] :]
