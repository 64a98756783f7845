"""A reader in software: a folder of virtual cards, one of which may be in.

Tests pull the card, swap it or kill the program at any command by the two hooks. A connection belongs to one
insertion: after the card was out it stays dead, so a card that was swapped in is never touched by accident.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from cardkit.errors import CardBusy, CardGone, ReaderEmpty
from cardkit.readers import CardReader, PivReader
from cardkit.transport import Transport
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.keys import KeySource, generate_private_key
from cardkit.virtual.state import CardState
from cardkit.virtual.store import CardFile

BeforeApdu = Callable[[int, bytes], None]
AfterApdu = Callable[[int, bytes, bytes], None]
CARD_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
SUFFIX: Final = ".card.json"


class VirtualReader:
    """A reader (`cardkit.transport.Reader`) over a folder of virtual cards.

    `before_apdu(n, command)` runs before the n-th command since the reader was made (n counts from 1) and
    `after_apdu(n, command, answer)` after the card did it and before the caller hears of it. What a hook
    raises reaches the caller; a hook that removes the card makes the connection end with `CardGone`.
    """

    def __init__(
        self, folder: Path, *, name: str = "Virtual reader", key_source: KeySource = generate_private_key
    ) -> None:
        self.name = name
        self.before_apdu: BeforeApdu | None = None
        self.after_apdu: AfterApdu | None = None
        self.apdu_count = 0
        self.folder = folder
        self._key_source = key_source
        self._inserted: str | None = None
        self._insertion = 0
        self._is_connected = False
        self._moves = 0
        self._moved = threading.Condition()

    @property
    def cards(self) -> list[str]:
        """The names of the cards in the folder, sorted."""
        names = (path.name.removesuffix(SUFFIX) for path in self.folder.glob(f"*{SUFFIX}"))
        return sorted(filter(CARD_NAME.fullmatch, names))

    @property
    def inserted(self) -> str | None:
        """The name of the card that is in, or None."""
        return self._inserted

    def add(self, name: str, state: CardState) -> None:
        """Put a new card into the folder. Raises `FileExistsError` when the name is taken."""
        file = self.new_file(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        file.save(state)

    def new_file(self, name: str) -> CardFile:
        """Return the file for a card that is not there yet; nothing is written.

        Raises:
            FileExistsError: the name is taken.
            ValueError: it is no name for a card.
        """
        path = self._path(name)
        if path.exists():
            raise FileExistsError(path)
        return CardFile(path)

    def card_state(self, name: str) -> CardState:
        """Return what the named card keeps; for tests and for showing the tray of cards."""
        return CardFile(self._path(name)).load()

    def file(self, name: str) -> CardFile:
        """Return the file of the named card. Raises `KeyError` for an unknown name."""
        path = self._path(name)
        if not path.exists():
            raise KeyError(name)
        return CardFile(path)

    def insert(self, name: str) -> None:
        """Put the named card in, in place of one that is there. Raises `KeyError` for an unknown name."""
        if not self._path(name).exists():
            raise KeyError(name)
        self._move(name)

    def remove(self) -> None:
        """Take the card out; a connection to it is dead from now on."""
        self._move(None)

    def _move(self, name: str | None) -> None:
        with self._moved:
            self._inserted = name
            self._insertion += 1
            self._moves += 1
            self._moved.notify_all()

    def wait_for_move(self, after: int, seconds: float) -> int:
        """Wait until a card was put in or taken out more often than `after`; return how often it was."""
        with self._moved:
            self._moved.wait_for(lambda: self._moves > after, seconds)
            return self._moves

    def has_card(self) -> bool:
        """Tell whether a card is in the reader now."""
        return self._inserted is not None

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        """Hold the card that is in now, exclusively. Raises `ReaderEmpty`, `CardBusy`."""
        name, insertion = self._take()
        try:
            file = CardFile(self._path(name))
            with file.held():
                card = VirtualCard(file.load(), store=file, key_source=self._key_source)
                yield _Connection(partial(self._transmit, card, insertion))
        finally:
            self._let_go()

    def _take(self) -> tuple[str, int]:
        """Take the card that is in for one user; return its name and the insertion, which belong together."""
        with self._moved:
            if self._inserted is None:
                raise ReaderEmpty
            if self._is_connected:
                raise CardBusy
            self._is_connected = True
            return self._inserted, self._insertion

    def _let_go(self) -> None:
        with self._moved:
            self._is_connected = False
            # Whoever keeps the transport beyond the context holds a dead one.
            self._insertion += 1

    def _path(self, name: str) -> Path:
        if not CARD_NAME.fullmatch(name):
            raise ValueError("a card's name is made of small letters, digits and hyphens")
        return self.folder / f"{name}{SUFFIX}"

    def _transmit(self, card: VirtualCard, insertion: int, apdu: bytes) -> bytes:
        self._need(insertion)
        self.apdu_count += 1
        number = self.apdu_count
        if self.before_apdu is not None:
            self.before_apdu(number, apdu)
        self._need(insertion)
        answer = card.transmit(apdu)
        if self.after_apdu is not None:
            self.after_apdu(number, apdu, answer)
        self._need(insertion)
        return answer

    def _need(self, insertion: int) -> None:
        if insertion != self._insertion:
            raise CardGone


class VirtualReaders:
    """A workplace (`cardkit.readers.Readers`) with this one virtual reader, plugged in or not."""

    def __init__(self, reader: VirtualReader) -> None:
        self.reader = reader
        self.is_plugged_in = True
        self._moves = 0

    def present(self) -> Sequence[CardReader]:
        """Return the reader, or nothing while it is not plugged in."""
        return [PivReader(self.reader)] if self.is_plugged_in else []

    def wait(self, seconds: float) -> bool:
        """Wait until a card came or went, also from another thread, at most so long."""
        before, self._moves = self._moves, self.reader.wait_for_move(self._moves, seconds)
        return self._moves > before


class _Connection:
    """The transport to one card for one insertion."""

    def __init__(self, send: Callable[[bytes], bytes]) -> None:
        self._send = send

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command. Raises `CardGone` once the card was out."""
        return self._send(apdu)
