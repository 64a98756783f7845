"""A module that is loaded: its slots, and the one way for calls into it.

python-pkcs11 tells a module nothing of threads, so calls are made by one thread at a time. Logins belong to
the whole process: a slot is held by one part of it only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Any, Final

from cardkit.errors import CardBusy, ModuleFlaw, ModuleUnusable
from cardkit.pkcs11.codes import OK, SLOT_HAS_TOKEN, error_of, value_of
from cardkit.pkcs11.cryptoki import Cryptoki, TokenInfo
from cardkit.pkcs11.probe import require_usable

START_AGAIN_AFTER_SECONDS: Final = 5.0
"""A window that looks every second shall not start modules every second."""


@dataclass(frozen=True)
class SlotSeen:
    """A slot of a module as it was when asked."""

    slot_id: int
    description: str
    has_token: bool


class Module:
    """One module, loaded at its first use and kept until the program ends."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = RLock()
        self._held: set[int] = set()
        self._library: Any = None
        self._cryptoki: Cryptoki | None = None
        self._started_at = 0.0

    @property
    def cryptoki(self) -> Cryptoki:
        """The calls that carry a PIN. Raises `ModuleUnusable`."""
        self._load()
        assert self._cryptoki is not None
        return self._cryptoki

    @property
    def library(self) -> Any:
        """The module as python-pkcs11 has it. Raises `ModuleUnusable`."""
        self._load()
        return self._library

    @contextmanager
    def calling(self, function: str) -> Iterator[None]:
        """Return a context for calls into the module, one thread at a time.

        What python-pkcs11 raises becomes an error of cards, as `codes.error_of` says for `function`.
        """
        with self._lock:
            self._load()
            try:
                yield
            except _binding_error() as raised:
                name = type(raised).__name__
                raise error_of(value_of(raised), f"{function} ({name})") from raised

    def slots(self) -> list[SlotSeen]:
        """Return the slots as they are now. Raises `ModuleUnusable`."""
        with self.calling("C_GetSlotList"):
            return [
                SlotSeen(slot.slot_id, slot.slot_description, bool(int(slot.flags) & SLOT_HAS_TOKEN))
                for slot in self.library.get_slots()
            ]

    def slot(self, slot_id: int) -> Any:
        """Return a slot as python-pkcs11 has it, or None when the module no longer knows it."""
        with self.calling("C_GetSlotList"):
            return next((slot for slot in self.library.get_slots() if slot.slot_id == slot_id), None)

    def token_info(self, slot_id: int) -> TokenInfo:
        """Return what the token in a slot says of itself now. Raises as `codes.error_of` says."""
        with self.calling("C_GetTokenInfo"):
            value, info = self.cryptoki.token_info(slot_id)
        if value != OK or info is None:
            raise error_of(value, "C_GetTokenInfo")
        return info

    @contextmanager
    def holding(self, slot_id: int) -> Iterator[None]:
        """Hold a slot for one part of this process. Raises `CardBusy` when another part has it."""
        with self._lock:
            if slot_id in self._held:
                raise CardBusy
            self._held.add(slot_id)
        try:
            yield
        finally:
            self._held.discard(slot_id)

    def refresh(self) -> None:
        """Start the module anew, where nobody holds a slot: some see what has changed only then."""
        with self._lock:
            if self._cryptoki is not None and not self._held:
                self._cryptoki.end()
                self._cryptoki.start()
                self._started_at = time.monotonic()

    def look_again(self) -> None:
        """Start the module anew unless that was done just now; for whoever misses a card in it."""
        if time.monotonic() - self._started_at >= START_AGAIN_AFTER_SECONDS:
            self.refresh()

    def close(self) -> None:
        """End the module for this process; it is loaded again when somebody needs it."""
        with self._lock:
            if self._cryptoki is None:
                return
            self._cryptoki.end()
            self._cryptoki = self._library = None
            import pkcs11  # noqa: PLC0415 - loaded by now

            pkcs11.unload(self.path)

    def _load(self) -> None:
        with self._lock:
            if self._library is not None:
                return
            require_usable(self.path)
            import pkcs11  # noqa: PLC0415 - late: an extra, and slow to load

            try:
                self._library = pkcs11.lib(self.path)
            except pkcs11.PKCS11Error as error:
                raise ModuleUnusable(module=self.path, flaw=ModuleFlaw.unfit) from error
            self._cryptoki = Cryptoki(self.path)
            self._started_at = time.monotonic()


@cache
def module_at(path: str) -> Module:
    """Return the one `Module` that this process has for a file: locks and holds are kept there."""
    return Module(path)


def _binding_error() -> type[Exception]:
    import pkcs11  # noqa: PLC0415 - loaded by now

    return pkcs11.PKCS11Error
