"""Reads the answer to a question of the app from a posted form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from zorgid.demo.workplace.tray import TEST_PIN, TrayCard
from zorgid_desktop.flow.asking import (
    AskBirthDate,
    AskPin,
    ChooseCard,
    ChoosePin,
    InsertCard,
    KeepPuk,
    NewPin,
    Question,
    StartOver,
)
from zorgid_desktop.flow.birth_dates import NoBirthDate, birth_date_in, require_birth_date

Fields = Mapping[str, str]


class Lacking(StrEnum):
    """What is not right with a form; the page says so and nothing was sent to the app."""

    pin = "pin"
    birth_date = "birth-date"
    not_kept = "not-kept"


class FormLacks(Exception):
    """The form cannot be an answer yet; the person mends it on the same page."""

    def __init__(self, what: Lacking) -> None:
        self.what = what
        super().__init__(what)


class DateToCheck(Exception):
    """A typed birth date, to be looked at once more: the first one is kept, and compared ever after."""

    def __init__(self, day: date) -> None:
        self.day = day
        super().__init__("birth date")


@dataclass(frozen=True)
class AtHand:
    """What the desk knows to fill in by itself: test data."""

    card: TrayCard | None
    """The card in the reader."""
    born_on: date | None
    """The birth date of the person who is asked, as a test person has one; not once it was refused."""


def answer_of(question: Question[Any], fields: Fields, at_hand: AtHand) -> Any:
    """Return the answer. Raises `FormLacks`, `DateToCheck`."""
    return READERS[type(question)](question, fields, at_hand)


def _is_test(fields: Fields) -> bool:
    return fields.get("do") == "test"


def _nothing(_: Question[Any], __: Fields, ___: AtHand) -> None:
    """Answer that the card is in."""


def _pin(_: Question[Any], fields: Fields, at_hand: AtHand) -> str:
    if _is_test(fields) and at_hand.card and at_hand.card.test_pin:
        return at_hand.card.test_pin
    return _typed(fields, "pin")


def _typed(fields: Fields, name: str) -> str:
    typed = fields.get(name, "")
    if not typed:
        raise FormLacks(Lacking.pin)
    return typed


def _new_pin(_: Question[Any], fields: Fields, __: AtHand) -> NewPin:
    if _is_test(fields):
        return NewPin(TEST_PIN, TEST_PIN)
    return NewPin(_typed(fields, "first"), _typed(fields, "second"))


def _birth_date(question: Question[Any], fields: Fields, at_hand: AtHand) -> str:
    if _is_test(fields) and at_hand.born_on:
        return as_asked(at_hand.born_on)
    day = birth_date_in("-".join(fields.get(part, "").strip() for part in ("day", "month", "year")))
    if day is None:
        raise FormLacks(Lacking.birth_date)
    if fields.get("do") != "checked" and _may_be_sent(question, day):
        raise DateToCheck(day)
    return as_asked(day)


def _may_be_sent(question: Question[Any], day: date) -> bool:
    """Tell whether a day is worth a second look; the app itself says what is wrong with any other."""
    assert isinstance(question, AskBirthDate)
    try:
        require_birth_date(as_asked(day), today=question.today)
    except NoBirthDate:
        return False
    return True


def as_asked(day: date) -> str:
    """Return a birth date as the app takes it."""
    # Not %Y: what writes it may leave out the zeros of the year 900.
    return f"{day.day:02}-{day.month:02}-{day.year:04}"


def _kept(_: Question[Any], fields: Fields, __: AtHand) -> bool:
    if fields.get("kept") != "yes":
        raise FormLacks(Lacking.not_kept)
    return True


def _yes(_: Question[Any], fields: Fields, __: AtHand) -> bool:
    return fields.get("do") == "yes"


def _choice(question: Question[Any], fields: Fields, _: AtHand) -> int:
    """Return the index of a card; one that is not there is the first, which the app then shows by name."""
    assert isinstance(question, ChooseCard)
    chosen = fields.get("choice", "")
    is_there = chosen.isascii() and chosen.isdigit() and int(chosen) < len(question.cards)
    return int(chosen) if is_there else 0


READERS: Final[Mapping[type[Question[Any]], Callable[[Question[Any], Fields, AtHand], Any]]] = {
    InsertCard: _nothing,
    ChooseCard: _choice,
    AskPin: _pin,
    AskBirthDate: _birth_date,
    ChoosePin: _new_pin,
    KeepPuk: _kept,
    StartOver: _yes,
}
"""How each question that a link can lead to is answered by a form."""

STEPS: Final[Mapping[type[Question[Any]], str]] = {
    InsertCard: "insert",
    ChooseCard: "choose",
    AskPin: "pin",
    AskBirthDate: "birth-date",
    ChoosePin: "choose-pin",
    KeepPuk: "puk",
    StartOver: "start-over",
}
"""The template that draws each question."""
