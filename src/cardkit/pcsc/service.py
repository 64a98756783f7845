"""The calls to the PC/SC service as functions that return or raise, in place of numbers to look at.

The only module that touches the binding. Each piece of work takes a context of its own: a context belongs to
one thread at a time, and does not outlive a service that was started anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from cardkit.errors import ReaderServiceAbsent
from cardkit.pcsc.troubles import (
    NO_READERS_AVAILABLE,
    READER_UNAVAILABLE,
    SUCCESS,
    UNKNOWN_READER,
    PcscFailed,
    trouble_at_opening,
)

UNSIGNED: Final = 0xFFFFFFFF
# What SCardGetStatusChange reports; the upper half of the number counts insertions and removals.
STATE_UNAWARE: Final = 0
STATE_PRESENT: Final = 0x0020

READERS_COME_AND_GO: Final = "\\\\?PnP?\\Notification"
"""The reader that is none: its state changes when readers come or go."""


@dataclass(frozen=True)
class OpenCard:
    """A connection to a card as the service knows it: its handle, and the protocol that was agreed on."""

    handle: Any
    protocol: int


class Service:
    """The PC/SC service in one context. Every method may raise `PcscFailed`."""

    def __init__(self, binding: Any, context: Any) -> None:
        self._binding = binding
        self._context = context

    def readers(self) -> list[str]:
        """Return the names of all readers; none is no failure."""
        try:
            (names,) = self._call("SCardListReaders", self._context, [])
        except PcscFailed as failed:
            if failed.code == NO_READERS_AVAILABLE:
                return []
            raise
        return [str(name) for name in names]

    def state(self, reader: str) -> int | None:
        """Return the state of a reader now, or None for one that is not there."""
        try:
            return self.changed([(reader, STATE_UNAWARE)], 0)[reader]
        except PcscFailed as failed:
            if failed.code in {UNKNOWN_READER, READER_UNAVAILABLE}:
                return None
            raise

    def atr(self, reader: str) -> bytes:
        """Return what the card in `reader` said first; nothing without a card."""
        (states,) = self._call("SCardGetStatusChange", self._context, 0, [(reader, STATE_UNAWARE)])
        return bytes(states[0][2])

    def changed(self, known: Sequence[tuple[str, int]], milliseconds: int) -> dict[str, int]:
        """Wait until a reader's state is another than the known one, and return the states of all by name."""
        (states,) = self._call("SCardGetStatusChange", self._context, milliseconds, list(known))
        return {str(name): int(state) for name, state, _atr in states}

    def connect(self, reader: str) -> OpenCard:
        """Open the card in `reader`, together with others who have it open."""
        protocols = self._binding.SCARD_PROTOCOL_T0 | self._binding.SCARD_PROTOCOL_T1
        shared = self._binding.SCARD_SHARE_SHARED
        handle, protocol = self._call("SCardConnect", self._context, reader, shared, protocols)
        return OpenCard(handle, int(protocol))

    def connect_reader(self, reader: str) -> OpenCard:
        """Open the reader itself, with or without a card in it."""
        direct = self._binding.SCARD_SHARE_DIRECT
        handle, protocol = self._call("SCardConnect", self._context, reader, direct, 0)
        return OpenCard(handle, int(protocol))

    def begin(self, card: OpenCard) -> None:
        """Take the card for this connection alone; waits while another has it."""
        self._call("SCardBeginTransaction", card.handle)

    def end_with_reset(self, card: OpenCard) -> None:
        """Reset the card, and let others have it after that."""
        self._call("SCardEndTransaction", card.handle, self._binding.SCARD_RESET_CARD)

    def disconnect(self, card: OpenCard) -> None:
        """Close the connection; a transaction that is still open ends with a reset."""
        self._call("SCardDisconnect", card.handle, self._binding.SCARD_LEAVE_CARD)

    def transmit(self, card: OpenCard, command: bytes) -> bytes:
        """Send one command and return the answer."""
        form = self._binding.SCARD_PCI_T0 if self.is_t0(card) else self._binding.SCARD_PCI_T1
        (answer,) = self._call("SCardTransmit", card.handle, form, list(command))
        return bytes(answer)

    def touch(self, card: OpenCard) -> None:
        """Ask after the card; fails when it was out or reset."""
        self._call("SCardStatus", card.handle)

    def control(self, card: OpenCard, code: int, data: bytes = b"") -> bytes:
        """Say something to the reader itself; `code` counts from 0, as in the specification."""
        (answer,) = self._call("SCardControl", card.handle, code, list(data))
        return bytes(answer)

    def control_code(self, number: int) -> int:
        """Return what this system calls a reader's function of that number."""
        return int(self._binding.SCARD_CTL_CODE(number))

    def is_t0(self, card: OpenCard) -> bool:
        """Whether the card speaks by bytes (T=0) and not by blocks (T=1)."""
        return bool(card.protocol == self._binding.SCARD_PROTOCOL_T0)

    def release(self) -> None:
        """Give the context back; what is open in it is closed."""
        self._binding.SCardReleaseContext(self._context)

    def _call(self, name: str, *arguments: Any) -> list[Any]:
        return _succeeded(name, getattr(self._binding, name)(*arguments))


def load_binding() -> Any:
    """Return the binding to PC/SC. Raises `ReaderServiceAbsent` where it is not installed."""
    try:
        from smartcard import scard  # noqa: PLC0415 - an extra, and needed only for real readers
    except ImportError as error:
        raise ReaderServiceAbsent("the binding to PC/SC is not installed") from error
    return scard


def open_service(binding: Any) -> Service:
    """Return the service in a context of its own, to be released. Raises `PcscFailed`."""
    (context,) = _succeeded(
        "SCardEstablishContext", binding.SCardEstablishContext(binding.SCARD_SCOPE_SYSTEM)
    )
    return Service(binding, context)


@contextmanager
def reader_service(binding: Any) -> Iterator[Service]:
    """Open the service for a piece of work.

    Raises:
        ReaderServiceAbsent: it is not there, went away, or answered something unknown.
        CardError: what else went wrong in the work, as when a card is opened.
    """
    try:
        service = open_service(binding)
    except PcscFailed as failed:
        raise ReaderServiceAbsent(str(failed)) from failed
    try:
        yield service
    except PcscFailed as failed:
        raise trouble_at_opening(failed, ReaderServiceAbsent) from failed
    finally:
        service.release()


def _succeeded(name: str, answer: Any) -> list[Any]:
    """Return what a call gave beside its number. Raises `PcscFailed`."""
    code, *values = answer if isinstance(answer, list | tuple) else [answer]
    if code & UNSIGNED != SUCCESS:
        raise PcscFailed(name, code & UNSIGNED)
    return values
