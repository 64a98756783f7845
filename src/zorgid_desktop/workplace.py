"""The readers of this computer: those of its PC/SC service and the tokens behind PKCS#11 modules.

The virtual cards of the demo take their place when a folder is named, or when it is there and no real card is
in (docs/decisions/0510-real-readers-first.md). The libraries of readers are imported here, late: a computer
without them runs everything else.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardkit.errors import CardError
from cardkit.readers import CardReader, Readers

if TYPE_CHECKING:
    from cardkit.virtual import VirtualReader

DEMO_CARDS: Final = Path("var/cards")
"""Where the demo keeps its virtual cards, from the folder of the project."""
ONE_WAIT_SECONDS: Final = 0.5
"""How long one kind of reader is waited for while there is another kind."""


@dataclass(frozen=True)
class Workplace:
    """The readers to use, and the tray of virtual cards when they are virtual."""

    readers: Readers
    tray: "VirtualReader | None" = None


class AllReaders:
    """Readers of several kinds as one (`cardkit.readers.Readers`)."""

    def __init__(self, kinds: Sequence[Readers]) -> None:
        self._kinds = kinds

    def present(self) -> Sequence[CardReader]:
        """Return the readers of all kinds.

        Raises `CardError` of a kind that cannot look, unless another kind has a reader.
        """
        found: list[CardReader] = []
        errors: list[CardError] = []
        for kind in self._kinds:
            try:
                found.extend(kind.present())
            except CardError as error:
                errors.append(error)
        if errors and not found:
            raise errors[0]
        return found

    def wait(self, seconds: float) -> bool:
        """Wait until a reader or card of any kind came or went, at most so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for kind in self._kinds:
                if kind.wait(min(left, ONE_WAIT_SECONDS) / len(self._kinds)):
                    return True
        return False


def readers_here() -> Readers:
    """Return the real readers of this computer; none of them is opened yet."""
    from cardkit.pcsc import PcscReaders  # noqa: PLC0415
    from cardkit.pkcs11.readers import Pkcs11Readers  # noqa: PLC0415

    return AllReaders((PcscReaders(), Pkcs11Readers()))


def workplace_with(cards_folder: Path | None) -> Workplace:
    """Return the readers to use: the virtual cards of a named folder, else what is connected.

    Without any real card the cards of the demo serve, where its folder is.
    """
    if cards_folder is not None:
        return virtual_workplace(cards_folder)
    here = readers_here()
    if DEMO_CARDS.is_dir() and not _has_card(here):
        return virtual_workplace(DEMO_CARDS)
    return Workplace(here)


def virtual_workplace(folder: Path) -> Workplace:
    """Return a workplace with one virtual reader and a tray of cards."""
    from cardkit.virtual import VirtualReader, VirtualReaders  # noqa: PLC0415

    tray = VirtualReader(folder)
    return Workplace(VirtualReaders(tray), tray)


def _has_card(readers: Readers) -> bool:
    try:
        return any(reader.has_card() for reader in readers.present())
    except CardError:
        return False
