"""What others wrote on a card or in an answer steers neither a terminal nor the order of reading."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zorgid.kernel.sentences import Language, Sentence
from zorgid_desktop.flow.asking import CardKind, Said, SeenCard, Told
from zorgid_desktop.listing import Row
from zorgid_desktop.plain import plain
from zorgid_desktop.texts import sentence

CLEARS_THE_SCREEN = "\x1b[2J\x1b[1;1H"
TURNS_ROUND = "\N{RIGHT-TO-LEFT OVERRIDE}"
HOSTILE = f"Anna{CLEARS_THE_SCREEN}\r\nUw pincode is goed\x9b0m{TURNS_ROUND}trebeR\x07\N{LINE SEPARATOR}"


def steers(text: str) -> list[str]:
    return [sign for sign in text if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(st.text())
def test_no_sign_that_steers_is_left_in_any_text(text: str) -> None:
    assert not steers(plain(text))
    assert set(steers(plain(text, keeps_lines=True))) <= {"\n"}


@pytest.mark.parametrize("name", ["Şeyda d'Özdemir-van 't Hoff", "李小龙", "Καλλιόπη", "محمد علي", "ça va?"])
def test_names_of_people_stay_as_they_are(name: str) -> None:
    assert plain(name) == name


@pytest.mark.parametrize("language", Language)
def test_a_hostile_name_on_a_card_steers_nothing_in_a_sentence(language: Language) -> None:
    """CARD-11."""
    found = Said("smartcard-of", {"holder": HOSTILE, "number": HOSTILE})
    shown = sentence(Said("card-in-reader", {"reader": HOSTILE, "found": found}), language)
    assert not steers(shown.text + shown.next_step)


def test_what_the_platform_says_steers_nothing() -> None:
    """ALL-2."""
    about = Said("smartcard-of", {"holder": HOSTILE, "number": "1"})
    for told in (Told("x", Sentence(HOSTILE, HOSTILE)), Told("x", Sentence(HOSTILE, HOSTILE), about)):
        shown = sentence(told, Language.nl)
        assert not steers(shown.text + shown.next_step)


def test_a_hostile_reader_or_card_steers_nothing_in_the_list() -> None:
    """CARD-11."""
    seen = SeenCard(HOSTILE, CardKind.other, HOSTILE, HOSTILE)
    assert not steers(Row(HOSTILE, seen, 3).for_people(Language.nl))
