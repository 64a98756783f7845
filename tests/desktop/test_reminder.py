"""The calendar file reminds a month before the end of a card (CARD-11), in the form of RFC 5545."""

from datetime import UTC, date, datetime

import pytest

from zorgid_desktop.reminder import a_month_before, reminder


def made(**others: object) -> str:
    facts = {
        "card_number": "5012 3456 7890",
        "valid_until": date(2029, 3, 31),
        "summary": "Kaart verloopt; maak een nieuwe, op tijd",
        "text": "Ga naar\nde website van ZORG-ID: " + "é" * 90,
        "now": datetime(2026, 3, 31, 10, tzinfo=UTC),
    }
    return reminder(**{**facts, **others})


@pytest.mark.parametrize(
    ("end", "before"),
    [
        (date(2029, 6, 15), date(2029, 5, 15)),
        (date(2029, 3, 31), date(2029, 2, 28)),
        (date(2028, 3, 31), date(2028, 2, 29)),
        (date(2029, 1, 10), date(2028, 12, 10)),
        (date(2029, 7, 31), date(2029, 6, 30)),
    ],
)
def test_a_month_before_is_the_same_day_or_the_last_one(end: date, before: date) -> None:
    assert a_month_before(end) == before


def test_the_event_is_on_that_day_with_an_alarm() -> None:
    lines = made().split("\r\n")
    assert "DTSTART;VALUE=DATE:20290228" in lines
    assert "BEGIN:VALARM" in lines
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]


def test_signs_with_a_meaning_are_escaped() -> None:
    assert "SUMMARY:Kaart verloopt\\; maak een nieuwe\\, op tijd" in made()


def test_long_lines_are_folded_and_come_back_whole() -> None:
    text = made()
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "é" * 90 in text.replace("\r\n ", "")
    assert "Ga naar\\nde website" in text.replace("\r\n ", "")
