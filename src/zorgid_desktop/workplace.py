"""The readers of this computer: those of its PC/SC service and the tokens behind PKCS#11 modules.

The virtual cards of the demo take their place when a folder is named, or when it is there and no real card is
in (docs/decisions/0510-real-readers-first.md). The libraries of readers are imported here, late: a computer
without them runs everything else.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardkit.errors import CardError
from cardkit.readers import Readers
from zorgid_desktop.build import HAS_VIRTUAL_CARDS

if TYPE_CHECKING:
    from cardkit.virtual import VirtualReader

DEMO_CARDS: Final = Path("var/cards")
"""Where the demo keeps its virtual cards, from the folder of the project."""


@dataclass(frozen=True)
class Workplace:
    """The readers to use, and the tray of virtual cards when they are virtual."""

    readers: Readers
    tray: "VirtualReader | None" = None


def readers_here() -> Readers:
    """Return the real readers of this computer; none of them is opened yet."""
    from cardkit.pcsc import PcscReaders  # noqa: PLC0415
    from cardkit.pkcs11.joined import JoinedReaders  # noqa: PLC0415
    from cardkit.pkcs11.readers import Pkcs11Readers  # noqa: PLC0415
    from zorgid_desktop.modules import modules_for  # noqa: PLC0415

    return JoinedReaders(PcscReaders(), Pkcs11Readers(modules_for(os.environ)))


def workplace_with(cards_folder: Path | None) -> Workplace:
    """Return the readers to use: the virtual cards of a named folder, else what is connected.

    Without any real card the cards of the demo serve, where its folder is.
    """
    if cards_folder is not None:
        return virtual_workplace(cards_folder)
    here = readers_here()
    if HAS_VIRTUAL_CARDS and DEMO_CARDS.is_dir() and not _has_card(here):
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
