"""Plugs a virtual card into the computer's PC/SC service, by way of its driver for readers in software.

For suppliers who try their own programs on a card, and for tests. The driver (vpcd of the vsmartcard project)
listens on a port for each slot and takes whoever connects for a card; nobody authenticates there. Only this
computer is connected to.

Source: vpcd's protocol: two bytes of length, then so many bytes. One byte alone is a control message,
anything longer a command; an answer goes back in the same form.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

HERE: Final = "127.0.0.1"
DEFAULT_PORT: Final = 35963
"""Where the first slot listens unless the service is told otherwise; the second is one further."""

POWER_OFF: Final = 0
POWER_ON: Final = 1
RESET: Final = 2
GIVE_ATR: Final = 4

LENGTH_BYTES: Final = 2
CONNECT_SECONDS: Final = 5.0


class NobodyListens(Exception):
    """No reader in software listens on the port: pcscd with vpcd has to be installed and to run."""

    def __init__(self, *, port: int) -> None:
        super().__init__(f"no virtual reader listens on port {port} of this computer")
        self.port = port


class PluggableCard(Protocol):
    """What can be plugged in: `virtual.VirtualCard`, or a test's own."""

    @property
    def atr(self) -> bytes:
        """What the card says first when it gets power."""
        ...

    def power_cycle(self) -> None:
        """Forget what is forgotten without power."""
        ...

    def transmit(self, raw: bytes) -> bytes:
        """Return the answer to one command."""
        ...


class Plug:
    """A card in a slot of the service, from `run` until its end."""

    def __init__(self, card: PluggableCard, *, port: int = DEFAULT_PORT, atr: bytes | None = None) -> None:
        """Connect to the slot; the card says its own answer to reset unless `atr` is another.

        Raises:
            NobodyListens: there is no such slot on this computer.
        """
        self._card = card
        self._atr = atr
        try:
            self._connection = socket.create_connection((HERE, port), timeout=CONNECT_SECONDS)
        except OSError as error:
            raise NobodyListens(port=port) from error
        self._connection.settimeout(None)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self, when_seen: Callable[[], None] = lambda: None) -> None:
        """Answer until the reader goes or `pull` is called; `when_seen` is called at its first question.

        A slot that holds a card already leaves a second one unasked.
        """
        with suppress(OSError), self._connection:
            while (message := self._receive()) is not None:
                when_seen()
                when_seen = _nothing
                self._answer(message)
        self._card.power_cycle()

    def pull(self) -> None:
        """Take the card out; may be called from any thread, and again."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _answer(self, message: bytes) -> None:
        if len(message) > 1:
            self._send(self._card.transmit(message))
        elif message[0] == GIVE_ATR:
            self._send(self._atr or self._card.atr)
        elif message[0] in {POWER_OFF, POWER_ON, RESET}:
            self._card.power_cycle()

    def _send(self, body: bytes) -> None:
        self._connection.sendall(len(body).to_bytes(LENGTH_BYTES, "big") + body)

    def _receive(self) -> bytes | None:
        """Return the next message, or None when the reader is gone."""
        length = self._exactly(LENGTH_BYTES)
        if length is None:
            return None
        return self._exactly(int.from_bytes(length, "big")) or None

    def _exactly(self, size: int) -> bytes | None:
        received = b""
        while len(received) < size:
            acknowledge_at_once(self._connection)
            part = self._connection.recv(size - len(received))
            if not part:
                return None
            received += part
        return received


def acknowledge_at_once(connection: socket.socket) -> None:
    """Ask for acknowledging what comes next without waiting, where the system can; it holds for one receive.

    The reader writes a message's length and its body apart, and the second is sent when the first was
    acknowledged: without this each command takes 40 ms longer.
    """
    if hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _nothing() -> None:
    """Do nothing."""
