"""Lays out the tray of a desk: in the demo all desks share one, elsewhere each has cards of its own."""

import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cardkit.virtual import VirtualReader
from zorgid.demo.workplace.desks import LayOut, Tray
from zorgid.demo.world import World, blank_name, fill_tray, stock_card
from zorgid.kernel.randomness import RandomSource
from zorgid.storage.database import Database, Origin
from zorgid.web.services import Services

BLANK_CARDS_EACH: Final = 2
"""Blank cards on a desk with cards of its own: one to make, and one to make after that."""
FIRST_SERIAL: Final = 30_000_000
SERIALS: Final = 60_000_000
"""How many chip serials there are for such cards; drawn, so that no list of them has to be kept."""


def lay_out(services: Services, world: World) -> LayOut:
    """Return how a desk gets its tray.

    The demo is one person's: its cards are in one folder, which the app in a terminal uses as well. Where
    several people visit, what one does to a card must not hinder another. What a process that was killed left
    of their cards is cleared away.
    """
    shutil.rmtree(desks_folder(world), ignore_errors=True)

    async def shared(_: str) -> Tray:
        return Tray(VirtualReader(world.cards_folder))

    async def own(desk_id: str) -> Tray:
        folder = desks_folder(world) / desk_id
        reader = VirtualReader(folder)
        blanks = {blank_name(number): _serial(services.random) for number in range(BLANK_CARDS_EACH)}
        await asyncio.to_thread(fill_tray, reader, world.register, world.attestation_root, blanks)
        await _sell(services.database, blanks.values(), Origin("workplace", None, services.settings.node))
        return Tray(reader, folder)

    return shared if services.settings.is_demo else own


def desks_folder(world: World) -> Path:
    """Return the folder under which desks keep cards of their own."""
    return world.cards_folder.parent / "desks"


def _serial(random: RandomSource) -> int:
    return FIRST_SERIAL + int.from_bytes(random(8)) % SERIALS


async def _sell(database: Database, serials: Iterable[int], origin: Origin) -> None:
    """Let the platform know the blank cards of a desk, as sold ones."""
    async with database.work(origin) as work:
        for serial in serials:
            await stock_card(work, str(serial))
