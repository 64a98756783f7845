"""Names in certificates: whole where they fit, shortened by the register's rule where they do not (ALL-7)."""

from hypothesis import given
from hypothesis import strategies as st

from zorgid.pki.names import LONGEST_NAME, HolderNames, cut, fit, fit_full_name


def test_a_name_that_fits_stays_as_it_is():
    names = HolderNames("Şebnem Noëlle O\u2019Neill", "O\u2019Neill", "Şebnem Noëlle", "Huisarts")

    assert fit(names) == names


def test_given_names_become_initials_the_last_one_first():
    given = "Wilhelmina Alexandrina Catharina Johanna"
    names = HolderNames(
        f"{given} van der Heijden-Oosterbroek Smit", "van der Heijden-Oosterbroek Smit", given
    )

    assert fit_full_name(names) == "Wilhelmina Alexandrina C. J. van der Heijden-Oosterbroek Smit"
    assert len(fit_full_name(names)) <= LONGEST_NAME


def test_a_name_that_is_too_long_even_with_initials_ends_in_a_hyphen():
    surname = "van Oranje-Nassau van Amsberg tot Lippe-Biesterfeld en Mecklenburg-Schwerin"
    names = HolderNames(f"Anna Maria {surname}", surname, "Anna Maria")

    fitted = fit(names)

    assert fitted.full_name == "A. M. van Oranje-Nassau van Amsberg tot Lippe-Biesterfeld en Me-"
    assert fitted.surname == surname[:63] + "-"
    assert len(fitted.full_name) == len(fitted.surname) == LONGEST_NAME


def test_a_full_name_that_does_not_begin_with_the_given_names_is_cut_only():
    names = HolderNames("X" * 70, "Jansen", "Piet")

    assert fit_full_name(names) == "X" * 63 + "-"


def test_a_name_of_exactly_64_characters_is_not_cut():
    assert cut("é" * 64) == "é" * 64


@given(st.text(min_size=1), st.text(min_size=1))
def test_every_name_fits_in_the_end(given_names: str, surname: str):
    fitted = fit(HolderNames(f"{given_names} {surname}", surname, given_names))

    assert 0 < len(fitted.full_name) <= LONGEST_NAME
    assert 0 < len(fitted.surname) <= LONGEST_NAME
    assert 0 < len(fitted.given_names) <= LONGEST_NAME
