"""Which number is printed on a card of the demo: the stock list knows it by the chip."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from zorgid.stock import actions as stock
from zorgid.stock.errors import BlankCardUnknown
from zorgid.storage.database import Database, Origin


@dataclass(frozen=True)
class CardNumbers:
    """The numbers of cards that were sold. One that was found once is not asked again: it is printed."""

    database: Database
    origin: Origin
    found: dict[str, str] = field(default_factory=dict)
    """By chip serial."""

    async def of(self, chip_serials: Iterable[str]) -> Mapping[str, str]:
        """Return the numbers by chip serial, with others that are known; without those never sold."""
        missing = sorted(set(chip_serials) - self.found.keys())
        if missing:
            async with self.database.work(self.origin) as work:
                for serial in missing:
                    try:
                        blank = await stock.blank_card_by_chip(work, chip_serial=serial)
                    except BlankCardUnknown:
                        continue
                    self.found[serial] = blank.number
        return self.found
