"""What is typed on a page of the virtual workplace becomes an answer to the app."""

from datetime import date

import pytest

from zorgid.demo.workplace.answers import as_asked
from zorgid_desktop.flow.birth_dates import birth_date_in


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(1980, 3, 31), "31-03-1980"),
        (date(900, 1, 2), "02-01-0900"),
        (date(1, 1, 1), "01-01-0001"),
    ],
)
def test_a_birth_date_of_any_year_reaches_the_app_as_a_date(day: date, written: str) -> None:
    """ALL-2: so that a year too long ago is called that, and not unreadable."""
    assert as_asked(day) == written
    assert birth_date_in(written) == day
