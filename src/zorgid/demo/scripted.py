"""A person who knows which card to use and what to type: a face of the Desktop App that answers by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from cardkit.virtual import VirtualReader
from zorgid_desktop.flow.asking import (
    AskBirthDate,
    AskPin,
    Cancelled,
    ChoosePin,
    InsertCard,
    KeepPuk,
    NewPin,
    Question,
    Said,
    StartOver,
    Trouble,
    Wanted,
)

T = TypeVar("T")


@dataclass
class ScriptedPerson:
    """Answers every question once as given.

    Asked again because of a trouble, stops and remembers the trouble.
    """

    reader: VirtualReader
    cards: Mapping[Wanted, str]
    """Which card of the tray to insert for which wish."""
    pin: str = field(repr=False)
    birth_date: str = ""
    new_pin: str = field(default="", repr=False)
    new_pin_again: str | None = field(default=None, repr=False)
    before_keeping: Callable[[], None] | None = None
    """Called while the PUK is shown: the certificates are written, the card is not active."""
    said: list[Said] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def ask(self, question: Question[T]) -> T:
        """Return the scripted answer. Raises `Cancelled` when something went wrong before."""
        if question.trouble is not None:
            self.troubles.append(question.trouble)
            raise Cancelled
        return cast("T", self._answer(question))

    def tell(self, said: Said) -> None:
        """Remember what was shown."""
        self.said.append(said)

    def _answer(self, question: Question[Any]) -> object:
        match question:
            case InsertCard(wanted=wanted):
                self.reader.insert(self.cards[wanted])
                return None
            case AskPin():
                return self.pin if question.context is not None else self.new_pin
            case AskBirthDate():
                return self.birth_date
            case ChoosePin():
                again = self.new_pin_again
                return NewPin(self.new_pin, self.new_pin if again is None else again)
            case KeepPuk():
                if self.before_keeping is not None:
                    self.before_keeping()
                return True
            case StartOver():
                return False
            case _:
                raise Cancelled
