"""The one place that reads the clock, and the calendar of Europe/Amsterdam (ALL-6, ALL-11).

Times are aware and in UTC. Days and spans of years or months are counted on the Dutch calendar.
"""

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Gives the present moment, aware and in UTC."""

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")

CLOCK_SKEW: Final = timedelta(seconds=10)
"""How far ahead of ours another party's clock may be before its statement is refused (ALL-11)."""

CERTIFICATE_BACKDATE: Final = timedelta(minutes=5)
"""How far in the past a new certificate starts, for relying parties whose clock is slow (ALL-11)."""


def system_clock() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


def dutch_day(at: datetime) -> date:
    """Return the day on the Dutch calendar in which `at` (aware) falls."""
    return at.astimezone(AMSTERDAM).date()


def add_months(on: date, months: int) -> date:
    """Return the same day `months` later, or the last day of that month when it has no such day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    month += 1
    return date(year, month, min(on.day, calendar.monthrange(year, month)[1]))


def end_of_dutch_day(on: date) -> datetime:
    """Return the last whole second of a Dutch day, in UTC."""
    return datetime.combine(on, time(23, 59, 59), tzinfo=AMSTERDAM).astimezone(UTC)
