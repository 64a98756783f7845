"""A calendar file with the one reminder that a Smartcard needs: a month before its end (CARD-11)."""

import calendar
from datetime import UTC, date, datetime
from typing import Final

LINE_OCTETS: Final = 75
"""Source: RFC 5545, 3.1: lines are folded at 75 octets."""


def a_month_before(day: date) -> date:
    """Return the same day a month earlier, or the last one of that month."""
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def reminder(*, card_number: str, valid_until: date, summary: str, text: str, now: datetime) -> str:
    """Return an iCalendar file with an event of a whole day, and an alarm at nine that morning.

    Source: RFC 5545, 3.6.1 (event), 3.6.6 (alarm).
    """
    on = a_month_before(valid_until)
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ZORG-ID//Desktop App//NL",
        "BEGIN:VEVENT",
        f"UID:zorg-id-{_escaped(card_number)}-{valid_until:%Y%m%d}",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{on:%Y%m%d}",
        f"SUMMARY:{_escaped(summary)}",
        f"DESCRIPTION:{_escaped(text)}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_escaped(summary)}",
        "TRIGGER;RELATED=START:PT9H",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _escaped(text: str) -> str:
    """Return a text value. Source: RFC 5545, 3.3.11."""
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> list[str]:
    """Return a line in parts of 75 octets at most; no letter is split, further parts begin with a blank."""
    parts, now = [], ""
    for letter in line:
        if len((now + letter).encode()) > LINE_OCTETS:
            parts.append(now)
            now = " "
        now += letter
    return [*parts, now]
