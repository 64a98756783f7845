"""All readers of this computer, and the waiting for one, or for a card."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cardkit.errors import CardError
from cardkit.pcsc.reader import PcscReader
from cardkit.pcsc.service import READERS_COME_AND_GO, STATE_PRESENT, Service, load_binding, reader_service
from cardkit.pcsc.troubles import READER_UNAVAILABLE, TIMEOUT, UNKNOWN_READER, PcscFailed
from cardkit.readers import PivReader

# Not every system tells that a reader came, and nobody tells that the service itself did.
LOOK_AGAIN_SECONDS: Final = 1.0
# The counter of insertions and removals is the upper half of a state; for the reader that is none, it is how
# many readers there are.
UPPER_HALF: Final = 16
NOT_WORTH_TELLING: Final = frozenset({TIMEOUT, UNKNOWN_READER, READER_UNAVAILABLE})

Sight = frozenset[tuple[str, bool, int]] | None
"""Each reader's name, whether a card is in it, and its counter; None while there is no service."""


class PcscReaders:
    """The readers of the PC/SC service, each with a PIV driver (`cardkit.readers.Readers`).

    `wait` tells of what changed since this object last told or looked first, so each thread that waits takes
    one of its own.
    """

    def __init__(self, *, binding: Any = None) -> None:
        """Use the installed binding, loaded at the first look, or the given one."""
        self._given_binding = binding
        self._has_looked = False
        self._seen: Sight = None

    def present(self) -> Sequence[PivReader]:
        """Return the readers that are there now, by name; possibly none.

        Raises:
            ReaderServiceAbsent: there is no service, or no binding to it.
        """
        with reader_service(self._binding()) as service:
            states = _states(service)
        self._look_first(_sight(states))
        return [PivReader(PcscReader(name, binding=self._given_binding)) for name in sorted(states)]

    def wait(self, seconds: float) -> bool:
        """Wait until a reader or a card came or went, or the service itself; tells whether something did."""
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, end - time.monotonic())
            sight = self._sight_after(min(left, LOOK_AGAIN_SECONDS))
            if sight != self._seen:
                self._seen = sight
                return True
            if not left:
                return False

    def _sight_after(self, seconds: float) -> Sight:
        """Return what there is: at once when it is new, else when something happened or the time is over."""
        try:
            with reader_service(self._binding()) as service:
                states = _states(service)
                self._look_first(_sight(states))
                if _sight(states) == self._seen:
                    _await_change(service, states, seconds)
                return _sight(_states(service))
        except CardError:
            self._look_first(None)
            time.sleep(seconds)
            return None

    def _look_first(self, sight: Sight) -> None:
        if not self._has_looked:
            self._seen, self._has_looked = sight, True

    def _binding(self) -> Any:
        return self._given_binding or load_binding()


def _states(service: Service) -> dict[str, int]:
    """Return the state of each reader; one that goes while it is looked at is left out."""
    found = {name: service.state(name) for name in service.readers()}
    return {name: state for name, state in found.items() if state is not None}


def _sight(states: Mapping[str, int]) -> Sight:
    """Return what a person could see of the readers: not who has a card open."""
    return frozenset(
        (name, bool(state & STATE_PRESENT), state >> UPPER_HALF) for name, state in states.items()
    )


def _await_change(service: Service, states: Mapping[str, int], seconds: float) -> None:
    known = [*states.items(), (READERS_COME_AND_GO, len(states) << UPPER_HALF)]
    try:
        service.changed(known, int(seconds * 1000))
    except PcscFailed as failed:
        if failed.code not in NOT_WORTH_TELLING:
            raise
