"""Reads a birth date as people type it, and refuses at once what cannot be one."""

import re
from datetime import date
from typing import Final

from zorgid_desktop.flow.asking import Said

BIRTH_DATE: Final = re.compile(r"\s*(\d{1,2})[-/ .](\d{1,2})[-/ .](\d{4})\s*")
OLDEST_BIRTH: Final = date(1900, 1, 1)
"""The platform knows no older person either; it looks again, by its own clock."""


class NoBirthDate(Exception):
    """What was typed cannot be a birth date; the person types another. No try is spent."""

    def __init__(self, said: Said) -> None:
        self.said = said
        super().__init__(said.code)


def require_birth_date(typed: str, *, today: date) -> date:
    """Return the day in a text, from 1900 to `today`. Raises `NoBirthDate`."""
    day = birth_date_in(typed)
    if day is None:
        raise NoBirthDate(Said("birth-date-unreadable"))
    if day > today:
        raise NoBirthDate(Said("birth-date-in-future"))
    if day < OLDEST_BIRTH:
        raise NoBirthDate(Said("birth-date-too-old"))
    return day


def birth_date_in(typed: str) -> date | None:
    """Return the day in a text such as 31-3-1980, or None when there is none in it."""
    match = BIRTH_DATE.fullmatch(typed)
    if match is None:
        return None
    day, month, year = (int(part) for part in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None
