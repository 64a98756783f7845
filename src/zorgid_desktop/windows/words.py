"""The texts of the windows, in the language of the person; they may word what the terminal says otherwise."""

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from zorgid.kernel.sentences import Language, Sentence
from zorgid_desktop.flow.asking import CardKind, InsertCard, Said, SeenCard, Trouble, Wanted
from zorgid_desktop.listing import Told, by_name, in_words
from zorgid_desktop.plain import plain
from zorgid_desktop.texts import sentence

SHORT: Final = frozenset({"nl", "en"})
LONG: Final = frozenset({"nl", "nl_next", "en", "en_next"})


@cache
def entries() -> Mapping[str, Mapping[str, str]]:
    """Return every text of the windows by its name. Raises `ValueError` when one lacks a language."""
    file = files("zorgid_desktop.windows") / "windows.toml"
    texts: Mapping[str, Mapping[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))
    for name, entry in texts.items():
        if set(entry) not in (SHORT, LONG):
            msg = f"{name} lacks a language"
            raise ValueError(msg)
    return texts


def facts_in(name: str) -> frozenset[str]:
    """Return the names of the facts that a text of the windows uses."""
    parsed = (part for text in entries()[name].values() for part in string.Formatter().parse(text))
    return frozenset(field for _, field, _, _ in parsed if field)


class Words:
    """The texts in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def text(self, name: str, **facts: object) -> str:
        """Return a text of the windows with its facts."""
        return entries()[name][self.language].format(**facts)

    def sentence(self, said: Trouble) -> Sentence:
        """Return what a flow or the platform says; windows may word the app's own sentences otherwise."""
        if isinstance(said, Said) and set(entries().get(said.code, ())) == LONG:
            texts = entries()[said.code]
            next_step = texts[f"{self.language}_next"].format(**said.facts)
            return Sentence(texts[self.language].format(**said.facts), next_step)
        return sentence(said, self.language)

    def has(self, name: str) -> bool:
        """Tell whether the windows have a text of that name."""
        return name in entries()

    def asking_for(self, question: InsertCard) -> str:
        """Return the sentence that asks for a card."""
        is_again = question.wanted is Wanted.blank_card and question.card_number is not None
        name = f"insert-{question.wanted}" + ("-again" if is_again else "")
        return self.text(name, card_number=question.card_number)

    def name_of(self, told: Told) -> str:
        """Return what a card is and whose, or why it does not tell."""
        return by_name(told, self.language)

    def in_tray(self, name: str, told: Told) -> str:
        """Return a card of the tray in two lines: its name, with the chip of a Smartcard, and what it is."""
        serial = told.serial if isinstance(told, SeenCard) and told.kind is CardKind.smartcard else None
        chip = f" – {self.text('card-serial')} {plain(serial)}" if serial else ""
        return f"  {name}{chip}\n  {self.name_of(told)}"

    def in_list(self, told: Told) -> str:
        """Return all that a card tells of itself, or why it does not, on one line."""
        return in_words(told, self.language)

    def card(self, seen: SeenCard) -> str:
        """Return which card it is, in short lines: holder, kind and number, reader."""
        kind = self.text(f"kind-{seen.kind}")
        numbers = (("card-number", seen.number), ("card-serial", seen.serial))
        known = [f"{self.text(name)} {number}" for name, number in numbers if number is not None]
        more = known[1:] if seen.kind is CardKind.smartcard else ()
        lines = (
            seen.holder,
            ", ".join([kind, *known[:1]]),
            *more,
            f"{self.text('card-reader')} {seen.reader}",
        )
        return "\n".join(plain(line) for line in lines if line)
