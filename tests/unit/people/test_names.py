"""Names are kept as on the card and compared without capitals, accents and signs (ALL-7)."""

import unicodedata
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zorgid.kernel.ids import PersonId
from zorgid.people.model import Names, Person
from zorgid.people.rules import search_form, search_name


@pytest.mark.parametrize(
    ("as_on_the_card", "searched"),
    [
        ("Zoë van der Şahin", "zoe van der sahin"),
        ("Ayşe Çelik-Öztürk", "ayse celik ozturk"),
        ("D\N{RIGHT SINGLE QUOTATION MARK}Arc", "darc"),
        ("D'Arc", "darc"),
        ("Jean\N{EN DASH}Luc", "jean luc"),
        ("  de   Vries ", "de vries"),
        ("Weiß", "weiss"),
        ("WEISS", "weiss"),
        ("Søren Kjærgård", "soren kjaergard"),
        ("Łukasz Đurić", "lukasz duric"),
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}brahim", "ibrahim"),
        ("Ya\N{LATIN SMALL LETTER DOTLESS I}z", "yaiz"),
        ("J.P.M. de Groot", "jpm de groot"),
        ("Иван", "иван"),
    ],
)
def test_names_are_searched_without_capitals_accents_and_signs(as_on_the_card: str, searched: str) -> None:
    """ALL-7."""
    assert search_form(as_on_the_card) == searched


@given(st.text())
def test_composed_and_decomposed_spellings_are_searched_alike(name: str) -> None:
    """ALL-7."""
    assert search_form(unicodedata.normalize("NFC", name)) == search_form(unicodedata.normalize("NFD", name))


@given(st.text())
def test_a_search_form_is_its_own_search_form(name: str) -> None:
    assert search_form(search_form(name)) == search_form(name)


def test_a_name_of_more_than_64_characters_is_kept_whole() -> None:
    """ALL-7."""
    surname = "van der " + "Wolfeschlegelsteinhausen" * 3
    assert search_name(Names(f"Bo {surname}", surname, "Bo")) == f"bo {surname.lower()}"


def test_a_person_shows_neither_names_nor_birth_date_when_printed() -> None:
    person = Person(
        PersonId(UUID(int=1)), Names("A B", "B", "A"), date(1980, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert "1980" not in repr(person)
    assert "A B" not in repr(person)
