"""One card, held by this program alone, until it is let go, pulled or reset."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import Final

from cardkit.apdu import Command
from cardkit.errors import CardGone
from cardkit.pcsc.service import OpenCard, Service
from cardkit.pcsc.troubles import PcscFailed

# Windows resets a card that is held for five seconds without a sign of life, and people type slowly.
SIGN_OF_LIFE_SECONDS: Final = 2.0
CASE_1_BYTES: Final = 4


class Connection:
    """The transport (`cardkit.transport.Transport`) to a card that is held.

    Nothing is ever sent a second time here, and nothing after the first failure: what a card did with a PIN
    whose answer was lost, only the person can find out, by its tries.
    """

    def __init__(self, service: Service, card: OpenCard) -> None:
        self._service = service
        self._card = card
        self.is_t0 = service.is_t0(card)
        self._turn = threading.Lock()
        self._is_dead = False
        self._ended = threading.Event()
        self._sign_of_life = threading.Thread(target=self._keep_alive, name="card in use", daemon=True)
        self._sign_of_life.start()

    def transmit(self, command: bytes) -> bytes:
        """Send one command and return its answer. Raises `CardGone`, from then on always."""
        sent = for_t0(command) if self.is_t0 else command
        with self._turn:
            if self._is_dead:
                raise CardGone
            try:
                return self._service.transmit(self._card, sent)
            except PcscFailed as failed:
                self._is_dead = True
                raise CardGone(str(failed)) from failed

    def close(self) -> None:
        """Reset the card, so that no PIN state stays, and let it go; the transport is dead afterwards."""
        self._ended.set()
        self._sign_of_life.join()
        with self._turn:
            self._is_dead = True
            let_go(self._service, self._card)

    def _keep_alive(self) -> None:
        while not self._ended.wait(SIGN_OF_LIFE_SECONDS):
            with self._turn:
                try:
                    self._service.touch(self._card)
                except PcscFailed:
                    self._is_dead = True
                    return


def let_go(service: Service, card: OpenCard) -> None:
    """Reset the card and close everything, as far as it is still there."""
    with suppress(PcscFailed):
        service.end_with_reset(card)
    with suppress(PcscFailed):
        service.disconnect(card)
    service.release()


def for_t0(command: bytes) -> bytes:
    """Return a command in the form in which T=0 carries it (ISO/IEC 7816-3, 12.2).

    There a command never carries both data and Le; the card announces its answer by 61xx. A command of a
    header alone has a zero for its length.
    """
    if len(command) == CASE_1_BYTES:
        return command + b"\x00"
    parsed = Command.decode(command)
    return replace(parsed, le=None).encode() if parsed.data else command
