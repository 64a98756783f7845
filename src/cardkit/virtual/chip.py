"""The running chip: what it keeps, what it knows until the power goes, and the one way to change the former.

The commands are functions over this object; they raise `Answered` to end with a status.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cardkit import apdu
from cardkit.secrets import RandomBytes
from cardkit.virtual.keys import KeySource
from cardkit.virtual.state import CardState, Mode


class Answered(Exception):
    """Ends a command with a status other than 9000."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


class StateStore(Protocol):
    """Where a card's memory is kept."""

    def save(self, state: CardState) -> None:
        """Keep `state`; when this returns, it survives a kill."""
        ...


@dataclass
class Session:
    """What is forgotten when the power goes."""

    pin_is_verified: bool = False
    pin_is_fresh: bool = False
    management_is_authenticated: bool = False
    witness: bytes | None = field(default=None, repr=False)
    challenge: bytes | None = field(default=None, repr=False)

    def forget_pin(self) -> None:
        """Take back the verification of the PIN."""
        self.pin_is_verified = False
        self.pin_is_fresh = False


class Chip:
    """State and session, with the sources of keys and randomness."""

    def __init__(
        self, state: CardState, *, store: StateStore | None, key_source: KeySource, random_bytes: RandomBytes
    ) -> None:
        self.state = state
        self.session = Session()
        self.key_source = key_source
        self.random_bytes = random_bytes
        self._store = store

    @property
    def is_strict(self) -> bool:
        """Whether the chip knows the standard alone."""
        return self.state.mode is Mode.strict

    def commit(self, state: CardState) -> None:
        """Keep `state` and go on with it; when keeping it fails, the old one goes on."""
        if self._store is not None and state != self.state:
            self._store.save(state)
        self.state = state

    def need_management(self) -> None:
        """Raise `Answered` with 6982 unless the management key was shown."""
        if not self.session.management_is_authenticated:
            raise Answered(apdu.SECURITY_STATUS_UNSATISFIED)
