"""The birth date as people type it: day, month, year, and nothing that has to be guessed (CARD-1)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zorgid_desktop.flow.birth_dates import OLDEST_BIRTH, NoBirthDate, birth_date_in, require_birth_date

days = st.dates()
marks = st.sampled_from("-/ .")


@given(days, marks, marks, st.booleans())
def test_every_day_is_read_in_any_of_the_usual_forms(
    day: date, first: str, second: str, padded: bool
) -> None:
    width = 2 if padded else 1
    typed = f"{day.day:0{width}}{first}{day.month:0{width}}{second}{day.year:04}"
    assert birth_date_in(typed) == day
    assert birth_date_in(f"  {typed}\n") == day


@given(st.text())
def test_no_text_is_a_fault(typed: str) -> None:
    assert birth_date_in(typed) is None or isinstance(birth_date_in(typed), date)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "   ",
        "31031980",
        "1980-03-31",
        "1980/3/31",
        "31-3-80",
        "31-3-19800",
        "031-3-1980",
        "31-003-1980",
        "31--3-1980",
        "31-3-1980-",
        "-31-3-1980",
        "31-3",
        "31-13-1980",
        "32-1-1980",
        "0-1-1980",
        "1-0-1980",
        "1-1-0000",
        "29-2-2001",
        "31-6-1980",
        "31 maart 1980",
        "31\N{EN DASH}3\N{EN DASH}1980",
        "31-3-1980 10:00",
        "31,3,1980",
        "½-3-1980",
        "²-3-1980",
    ],
)
def test_what_is_no_day_month_and_year_is_no_date(odd: str) -> None:
    assert birth_date_in(odd) is None


TODAY = date(2026, 6, 15)


@given(st.dates(OLDEST_BIRTH, TODAY))
def test_every_day_from_1900_to_today_may_be_a_birth_date(day: date) -> None:
    assert require_birth_date(f"{day.day}-{day.month}-{day.year}", today=TODAY) == day


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("16-6-2026", "birth-date-in-future"),
        ("15-3-2030", "birth-date-in-future"),
        ("31-12-9999", "birth-date-in-future"),
        ("31-12-1899", "birth-date-too-old"),
        ("1-1-0001", "birth-date-too-old"),
        ("31-2-1980", "birth-date-unreadable"),
        ("", "birth-date-unreadable"),
    ],
)
def test_what_cannot_be_a_birth_date_is_refused_with_its_reason(typed: str, code: str) -> None:
    with pytest.raises(NoBirthDate) as refused:
        require_birth_date(typed, today=TODAY)
    assert refused.value.said.code == code
