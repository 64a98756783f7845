"""Lists the cards for `zorgid-desktop cards`: what each tells without its PIN."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardkit.errors import CardError
from cardkit.readers import CardReader, PivReader, Readers
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import Said, SeenCard
from zorgid_desktop.flow.cards import trouble_of
from zorgid_desktop.flow.seeing import said_of_card, see
from zorgid_desktop.plain import plain
from zorgid_desktop.texts import sentence

if TYPE_CHECKING:
    from cardkit.virtual import VirtualReader


@dataclass(frozen=True)
class Row:
    """One reader, or one virtual card of a tray, with what its card tells, or why it tells nothing."""

    name: str
    seen: SeenCard | None = None
    pin_tries_left: int | None = None
    trouble: Said | None = None

    def for_programs(self) -> dict[str, object]:
        """Return the row as JSON values."""
        trouble = self.trouble.code if self.trouble else None
        told: dict[str, object] = {"name": self.name, "trouble": trouble, "is_busy": trouble == "card-busy"}
        if self.seen is None:
            return {**told, "holder": None, "valid_until": None}
        until = self.seen.valid_until
        return {
            **told,
            "kind": self.seen.kind,
            "serial": self.seen.serial,
            "holder": self.seen.holder,
            "number": self.seen.number,
            "valid_until": until.isoformat() if until else None,
            "pin_tries_left": self.pin_tries_left,
        }

    def for_people(self, language: Language) -> str:
        """Return the row as a line."""
        until = self.seen.valid_until if self.seen else None
        what = self.trouble or (said_of_card(self.seen) if self.seen else Said("reader-empty"))
        day = f"{until:%d-%m-%Y}" if until else "-"
        return f"{plain(self.name):32} {day:12} {sentence(what, language).text}"


def rows_of(readers: Readers) -> Sequence[Row]:
    """Return a row for each reader. Raises `ReaderServiceAbsent`."""
    return [_row(reader.name, reader) for reader in readers.present()]


def rows_of_tray(tray: "VirtualReader") -> Sequence[Row]:
    """Return a row for each virtual card."""
    rows: list[Row] = []
    for name in tray.cards:
        tray.insert(name)
        rows.append(_row(name, PivReader(tray)))
    tray.remove()
    return rows


def _row(name: str, reader: CardReader) -> Row:
    try:
        with reader.open_card() as card:
            return Row(name, see(reader.name, card).seen, card.pin_tries_left())
    except CardError as error:
        return Row(name, trouble=trouble_of(error))
