"""PC/SC readers and slots of modules together, each card once.

A card in a PC/SC reader is spoken to in PIV. Only a card that has no PIV application is looked for behind a
module, in the slot with the reader's name. Slots that are no PC/SC reader are readers of their own, for
modules that somebody named: those that merely happen to be installed are not loaded before a card needs them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from cardkit.card import Card
from cardkit.errors import CardNotRecognised, ReaderServiceAbsent
from cardkit.pkcs11.readers import LONGEST_NAME, LOOK_EVERY_SECONDS, Pkcs11Reader, Pkcs11Readers
from cardkit.readers import CardReader, Readers
from cardkit.secrets import SMARTCARD_PIN, PinRules


@dataclass(frozen=True)
class JoinedReader:
    """A PC/SC reader whose card is spoken to in PIV, and through a module when it knows no PIV."""

    reader: CardReader
    tokens: Pkcs11Readers

    @property
    def name(self) -> str:
        """What the reader calls itself."""
        return self.reader.name

    def has_card(self) -> bool:
        """Tell whether a card is in it now."""
        return self.reader.has_card()

    @contextmanager
    def open_card(self, pin_rules: PinRules = SMARTCARD_PIN) -> Iterator[Card]:
        """Hold the card. Raises `ModuleUnusable` when the card needs a named module that cannot be used."""
        with ExitStack() as stack:
            try:
                card = stack.enter_context(self.reader.open_card(pin_rules))
            except CardNotRecognised:
                card = self._token(stack, pin_rules)
            yield card

    def _token(self, stack: ExitStack, pin_rules: PinRules) -> Card:
        """Return the token of the first module that knows the card, held by `stack`."""
        for slot in self.tokens.at(self.name):
            with suppress(CardNotRecognised):
                return stack.enter_context(slot.open_card(pin_rules))
        for trouble in self.tokens.troubles():
            raise trouble
        raise CardNotRecognised


class JoinedReaders:
    """All readers of a workplace (`cardkit.readers.Readers`)."""

    def __init__(self, readers: Readers, tokens: Pkcs11Readers) -> None:
        self._readers = readers
        self._tokens = tokens

    def present(self) -> Sequence[CardReader]:
        """Return the PC/SC readers, then the slots of named modules that are none of them.

        Raises:
            ReaderServiceAbsent: there is no PC/SC service, and no named module has a slot.
            ModuleUnusable: there is no reader at all, and a named module cannot be used.
        """
        absent: ReaderServiceAbsent | None = None
        readers: Sequence[CardReader] = ()
        try:
            readers = self._readers.present()
        except ReaderServiceAbsent as error:
            absent = error
        slots = self._slots_beside(readers)
        if not readers and not slots:
            for trouble in self._tokens.troubles():
                raise trouble
            if absent is not None:
                raise absent
        return [*(JoinedReader(reader, self._tokens) for reader in readers), *slots]

    def wait(self, seconds: float) -> bool:
        """Wait until a reader or a card came or went, at most so long; tells whether something did."""
        if not self._tokens.chosen.are_named or not self._tokens.chosen.paths:
            return self._readers.wait(seconds)
        until = time.monotonic() + seconds
        while True:
            left = max(0.0, min(LOOK_EVERY_SECONDS, until - time.monotonic()))
            if self._readers.wait(left) or self._tokens.wait(0):
                return True
            if time.monotonic() >= until:
                return False

    def _slots_beside(self, readers: Sequence[CardReader]) -> list[Pkcs11Reader]:
        if not self._tokens.chosen.are_named:
            return []
        known = {reader.name[:LONGEST_NAME].rstrip() for reader in readers}
        return [slot for slot in self._tokens.present() if slot.name not in known]
