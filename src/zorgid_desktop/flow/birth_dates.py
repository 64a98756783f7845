"""Reads a birth date as people type it."""

import re
from datetime import date
from typing import Final

BIRTH_DATE: Final = re.compile(r"\s*(\d{1,2})[-/ .](\d{1,2})[-/ .](\d{4})\s*")


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
