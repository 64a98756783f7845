"""The slots of PKCS#11 modules as readers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from cardkit.card import Card
from cardkit.errors import CardError, CardGone, CardNotRecognised, ModuleUnusable, ReaderEmpty
from cardkit.pkcs11 import codes
from cardkit.pkcs11.codes import OK
from cardkit.pkcs11.module import Module, SlotSeen, module_at
from cardkit.pkcs11.places import Modules
from cardkit.secrets import SMARTCARD_PIN, PinRules, Puk

LOOK_EVERY_SECONDS: Final = 0.5
"""Modules cannot be relied on to tell of changes (C_WaitForSlotEvent): one looks."""


@dataclass(frozen=True)
class Pkcs11Reader:
    """A slot of a module (`cardkit.readers.CardReader`). Where it is a PC/SC reader it has its name."""

    module: Module
    slot_id: int
    name: str

    def has_card(self) -> bool:
        """Tell whether a token is in it now."""
        return any(seen.slot_id == self.slot_id and seen.has_token for seen in self.module.slots())

    @contextmanager
    def open_card(self, pin_rules: PinRules = SMARTCARD_PIN) -> Iterator[Card]:
        """Hold the token for this part of the program, in a session that may write; it ends logged out.

        PKCS#11 has nothing that keeps other programs away.
        """
        from cardkit.pkcs11.card import Pkcs11Card  # noqa: PLC0415 - needs the extra

        with self.module.holding(self.slot_id):
            session = self._open_session()
            try:
                card = Pkcs11Card(self.module, self.slot_id, session, pin_rules=pin_rules)
                try:
                    yield card
                finally:
                    with suppress(CardError):  # a card that was pulled has forgotten the PIN already
                        card.log_out()
            finally:
                with suppress(CardError), self.module.calling("C_CloseSession"):
                    session.close()

    def initialise(self, puk: Puk, label: str) -> Pkcs11Reader:
        """Make the token blank, with `puk` for its security officer; returns the reader as it is afterwards.

        A token that has a PUK wants that same one. Its slot may get another number.

        Raises:
            PukWrong, PukBlocked, PukUnfit: nothing was changed.
            CardCannot: this token is made blank by its maker's tools only.
        """
        with self.module.holding(self.slot_id):
            with self.module.calling("C_InitToken"):
                value = self.module.cryptoki.init_token(self.slot_id, puk.for_token(), label)
            if value != OK:
                info = self.module.token_info(self.slot_id)
                rules = PinRules(info.shortest_pin, info.longest_pin, digits_only=False)
                raise codes.error_of_puk(value, "C_InitToken", tries_left=None, rules=rules)
        self.module.refresh()
        return self._again(label)

    def _again(self, label: str) -> Pkcs11Reader:
        for seen in self.module.slots():
            if seen.has_token and self.module.token_info(seen.slot_id).label == label:
                return Pkcs11Reader(self.module, seen.slot_id, seen.description)
        raise CardGone

    def _open_session(self) -> Any:
        with self.module.calling("C_OpenSession"):
            slot = self.module.slot(self.slot_id)
            if slot is None or not int(slot.flags) & codes.SLOT_HAS_TOKEN:
                raise ReaderEmpty
            token = slot.get_token()
            if not int(token.flags) & codes.TokenFlags.initialised:
                raise CardNotRecognised
            return token.open(rw=not int(token.flags) & codes.TokenFlags.write_protected)


class Pkcs11Readers:
    """All slots of the modules that were chosen (`cardkit.readers.Readers`)."""

    def __init__(self, chosen: Modules) -> None:
        self.chosen = chosen
        self._modules = [module_at(path) for path in chosen.paths]
        self._seen: frozenset[tuple[str, SlotSeen]] | None = None

    def present(self) -> Sequence[Pkcs11Reader]:
        """Return the slots of every module that can be used, with and without a token."""
        return [reader for module in self._modules for reader in _readers_of(module)]

    def troubles(self) -> list[ModuleUnusable]:
        """Return why modules that were named cannot be used; others nobody expects."""
        if not self.chosen.are_named:
            return []
        return [trouble for module in self._modules if (trouble := _trouble_with(module)) is not None]

    def at(self, place: str) -> list[Pkcs11Reader]:
        """Return the slots with a token in the PC/SC reader of that name: several modules may show one.

        Where none does the modules are started anew: some know only the readers that were there before.
        """
        found = self._at(place)
        if found:
            return found
        for module in self._modules:
            module.look_again()
        return self._at(place)

    def wait(self, seconds: float) -> bool:
        """Wait until a slot or a token came or went, at most so long; tells whether something did."""
        until = time.monotonic() + seconds
        before = self._seen if self._seen is not None else self._look()
        while (now := self._look()) == before and time.monotonic() < until:
            time.sleep(max(0.0, min(LOOK_EVERY_SECONDS, until - time.monotonic())))
        self._seen = now
        return now != before

    def _at(self, place: str) -> list[Pkcs11Reader]:
        name = place[:LONGEST_NAME].rstrip()
        return [reader for reader in self.present() if reader.name == name and reader.has_card()]

    def _look(self) -> frozenset[tuple[str, SlotSeen]]:
        return frozenset((module.path, seen) for module in self._modules for seen in _slots_of(module))


LONGEST_NAME: Final = 64
"""CK_SLOT_INFO has so many bytes for the description of a slot."""


def _readers_of(module: Module) -> list[Pkcs11Reader]:
    return [Pkcs11Reader(module, seen.slot_id, seen.description) for seen in _slots_of(module)]


def _slots_of(module: Module) -> list[SlotSeen]:
    try:
        return module.slots()
    except CardError:
        return []


def _trouble_with(module: Module) -> ModuleUnusable | None:
    try:
        module.slots()
    except ModuleUnusable as trouble:
        return trouble
    except CardError:
        return None
    return None
