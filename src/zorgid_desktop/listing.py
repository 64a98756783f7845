"""Lists the cards for `zorgid-desktop cards`: what each tells without its PIN."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardkit.errors import CardError
from cardkit.readers import CardReader, PivReader, Readers
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import Said, SeenCard
from zorgid_desktop.flow.cards import trouble_of
from zorgid_desktop.flow.seeing import said_by_name, said_in_list, said_in_tray, see
from zorgid_desktop.plain import plain
from zorgid_desktop.texts import sentence

if TYPE_CHECKING:
    from cardkit.virtual import VirtualReader

Told = SeenCard | Said
"""What a card tells of itself, or why it tells nothing."""


@dataclass(frozen=True)
class Row:
    """One reader, or one virtual card of a tray, with what its card tells, or why it tells nothing."""

    name: str
    told: Told
    pin_tries_left: int | None = None

    def for_programs(self, language: Language) -> dict[str, object]:
        """Return the row as JSON values; the keys are the same for every card (docs/operator.md)."""
        seen = self.told if isinstance(self.told, SeenCard) else None
        until = seen.valid_until if seen else None
        return {
            "name": self.name,
            "kind": seen and seen.kind,
            "serial": seen and seen.serial,
            "holder": seen and seen.holder,
            "number": seen and seen.number,
            "issuer": seen and seen.issuer,
            "valid_until": until and until.isoformat(),
            "pin_tries_left": self.pin_tries_left,
            "trouble": _trouble(self.told, language) if isinstance(self.told, Said) else None,
        }

    def for_people(self, language: Language) -> str:
        """Return the row as a line."""
        until = self.told.valid_until if isinstance(self.told, SeenCard) else None
        day = f"{until:%d-%m-%Y}" if until else "-"
        return f"{plain(self.name):32} {day:12} {in_words(self.told, language)}"


def _trouble(said: Said, language: Language) -> dict[str, str]:
    told = sentence(said, language)
    return {"code": said.code, "sentence": " ".join(filter(None, (told.text, told.next_step)))}


def in_words(told: Told, language: Language) -> str:
    """Return all that a card tells of itself, or why it does not, in one sentence."""
    return sentence(said_in_list(told) if isinstance(told, SeenCard) else told, language).text


def by_name(told: Told, language: Language) -> str:
    """Return what a card is and whose, or why it does not tell."""
    return sentence(said_by_name(told) if isinstance(told, SeenCard) else told, language).text


def in_tray(told: Told, language: Language) -> str:
    """Return what tells a card of a tray from the others: what it is and whose, and its chip if need be."""
    return sentence(said_in_tray(told) if isinstance(told, SeenCard) else told, language).text


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
        return Row(name, trouble_of(error))


def told_in_tray(tray: "VirtualReader", name: str) -> Told:
    """Return what a virtual card tells, from a copy of its memory: nothing moves, nobody is kept from it."""
    from cardkit.piv import PivCard  # noqa: PLC0415 - late, as all that a production build has no use for
    from cardkit.virtual import VirtualCard  # noqa: PLC0415

    try:
        return see(name, PivCard.open(VirtualCard(tray.card_state(name)))).seen
    except CardError as error:
        return trouble_of(error)


class ToldTray:
    """The tray of virtual cards for a window: with what each card is."""

    def __init__(self, tray: "VirtualReader") -> None:
        self._tray = tray

    @property
    def cards(self) -> list[str]:
        """The names of the cards."""
        return self._tray.cards

    def told(self, name: str) -> Told:
        """Return what a card tells of itself, or why it tells nothing."""
        return told_in_tray(self._tray, name)

    def insert(self, name: str) -> None:
        """Put a card in."""
        self._tray.insert(name)

    def remove(self) -> None:
        """Take the card out."""
        self._tray.remove()
