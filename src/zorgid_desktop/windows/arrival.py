"""Notices that the person has put a card in, so that nobody has to press a button for it."""

from collections.abc import Callable
from typing import Final

from cardkit.errors import CardError
from cardkit.readers import Readers
from zorgid_desktop.flow.asking import CardKind, InsertCard, SeenCard, Wanted
from zorgid_desktop.flow.choosing import look

ONE_WAIT_SECONDS: Final = 0.25
"""How long the readers are waited for before it is seen whether the person pressed the button."""


Pause = Callable[[float], bool]
"""Waits for the person's own answer at most so many seconds, and tells whether there is one."""


class Arrival:
    """Looks at the readers from the moment it is made, which is before the person is asked."""

    def __init__(self, readers: Readers, question: InsertCard) -> None:
        self._readers = readers
        _moved(readers, 0, lambda _: False)
        self._before = _readers_with_card(readers)
        self.is_there = question.trouble is None and _goes_by_itself(readers, question)
        """Whether a card that can only be the wanted one lies in a reader already."""

    def comes(self, pause: Pause) -> bool:
        """Wait until a card came; false when the person answered first."""
        while not pause(0):
            has_moved = _moved(self._readers, ONE_WAIT_SECONDS, pause)
            before, self._before = self._before, _readers_with_card(self._readers)
            # Fewer cards than before is one that went; as many is one that was swapped quickly.
            if has_moved and self._before and not self._before < before:
                return True
        return False


def _moved(readers: Readers, seconds: float, pause: Pause) -> bool:
    """Wait for the readers, or for the person where this computer has no readers to wait for."""
    try:
        return readers.wait(seconds)
    except CardError:
        pause(seconds)
        return False


def _readers_with_card(readers: Readers) -> frozenset[str]:
    try:
        return frozenset(reader.name for reader in readers.present() if reader.has_card())
    except CardError:
        return frozenset()


def _goes_by_itself(readers: Readers, question: InsertCard) -> bool:
    """Tell whether a card is in that can only be the wanted one."""
    try:
        return any(_fits(seen, question.wanted) for seen in look(readers).cards)
    except CardError:
        return False


def _fits(seen: SeenCard, wanted: Wanted) -> bool:
    match wanted:
        case Wanted.login_card:
            return seen.can_log_in
        case Wanted.uzi_card:
            return seen.kind is CardKind.uzi_card
        case Wanted.blank_card:
            return seen.kind is CardKind.blank
        case Wanted.new_card:
            return seen.kind is CardKind.smartcard
        case Wanted.own_card:
            return seen.kind is not CardKind.blank
