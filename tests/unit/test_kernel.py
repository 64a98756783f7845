"""What every room rests on: calendar (ALL-6), codes, ids, secrets (ALL-4), sentences (ALL-1, ALL-2), refusals."""

import copy
import io
import itertools
import pickle
import traceback
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zorgid.kernel.clock import add_months, dutch_day, end_of_dutch_day, system_clock
from zorgid.kernel.codes import ALPHABET, check_character, new_code
from zorgid.kernel.errors import Refusal
from zorgid.kernel.ids import new_id
from zorgid.kernel.randomness import base64url, from_base64url, system_random
from zorgid.kernel.secrets import Secret
from zorgid.kernel.sentences import Language, Sentences

codes = st.text(ALPHABET, min_size=1, max_size=12)
days = st.dates(date(1990, 1, 1), date(2100, 12, 31))

# Clock and calendar


def test_the_clock_is_aware_and_in_utc():
    assert system_clock().utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 1, 1, 22, 59, tzinfo=UTC), date(2026, 1, 1)),
        (datetime(2026, 1, 1, 23, 0, tzinfo=UTC), date(2026, 1, 2)),
        (datetime(2026, 7, 1, 21, 59, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), date(2026, 7, 2)),
    ],
)
def test_a_dutch_day_begins_at_midnight_in_amsterdam_in_winter_and_in_summer(at, day):
    assert dutch_day(at) == day


@pytest.mark.parametrize(
    ("on", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 36, date(2027, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 2, date(2027, 2, 15)),
        (date(2026, 6, 15), 36, date(2029, 6, 15)),
    ],
)
def test_months_are_calendar_months_and_end_within_the_month(on, months, later):
    assert add_months(on, months) == later


@given(days, st.integers(0, 120))
def test_adding_months_never_leaves_the_month_that_is_meant(on, months):
    later = add_months(on, months)

    assert (later.year * 12 + later.month) - (on.year * 12 + on.month) == months
    assert later.day <= on.day


@given(days)
def test_the_end_of_a_dutch_day_is_its_last_second_also_when_the_clock_changes(on):
    end = end_of_dutch_day(on)

    assert dutch_day(end) == on
    assert dutch_day(end + timedelta(seconds=1)) == on + timedelta(days=1)


# Codes that people type over


@given(st.integers(2, 20))
def test_a_new_code_has_its_length_its_alphabet_and_its_check_character(length):
    code = new_code(length, system_random)

    assert len(code) == length
    assert set(code) <= set(ALPHABET)
    assert check_character(code[:-1]) == code[-1]


def test_every_character_of_a_code_is_equally_likely():
    every_byte = itertools.cycle(range(256))
    drawn = new_code(1 + 9 * len(ALPHABET), lambda size: bytes(next(every_byte) for _ in range(size)))[:-1]

    assert {drawn.count(character) for character in ALPHABET} == {9}


@given(codes, st.data())
def test_one_wrong_character_is_always_noticed(text, data):
    position = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(st.sampled_from(ALPHABET.replace(text[position], "")))

    assert check_character(text[:position] + wrong + text[position + 1 :]) != check_character(text)


@given(st.text(ALPHABET, min_size=2, max_size=12), st.data())
def test_two_swapped_neighbours_are_noticed_but_for_the_ends_of_the_alphabet(text, data):
    position = data.draw(st.integers(0, len(text) - 2))
    left, right = text[position], text[position + 1]
    swapped = text[:position] + right + left + text[position + 2 :]
    escapes = left == right or {left, right} == {ALPHABET[0], ALPHABET[-1]}

    assert (check_character(swapped) == check_character(text)) == escapes


def test_no_character_of_a_code_looks_like_another():
    assert not set("0O1ILAEU") & set(ALPHABET)


# Random bytes, ids, base64url


def test_ids_are_random_uuids_of_version_4():
    assert new_id(lambda size: bytes(range(size))).version == 4
    assert new_id(system_random) != new_id(system_random)


@given(st.binary(min_size=1))
def test_base64url_goes_there_and_back_without_padding(data):
    text = base64url(data)

    assert "=" not in text
    assert from_base64url(text) == data


@pytest.mark.parametrize("text", ["", "ab=", "a+b/", "é", "a b", "a\nb", "abcde"])
def test_what_is_no_base64url_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        from_base64url(text)


# Secrets that cannot be printed

HIDDEN = b"never-to-be-seen"


def test_a_secret_cannot_be_printed_in_any_way():
    secret = Secret(HIDDEN)
    shown = io.StringIO()
    print(secret, repr(secret), f"{secret}", str(secret), [secret], {"secret": secret}, file=shown)

    assert HIDDEN.decode() not in shown.getvalue()
    assert base64url(HIDDEN) not in shown.getvalue()


def test_a_secret_does_not_stand_in_a_traceback():
    with pytest.raises(KeyError) as raised:
        {}[Secret(HIDDEN)]

    assert HIDDEN.decode() not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("way", [pickle.dumps, copy.deepcopy])
def test_a_secret_is_never_pickled(way):
    with pytest.raises(TypeError, match="never pickled"):
        way(Secret(HIDDEN))


def test_a_secret_comes_back_from_the_wire():
    secret = Secret.new(32, system_random)

    assert Secret.from_text(secret.text_for_wire()) == secret
    assert len({secret, Secret(secret.reveal())}) == 1
    assert secret != Secret.new(32, system_random)
    assert secret != secret.reveal()


def test_a_secret_is_stored_as_its_hash():
    assert Secret(b"abc").digest().hex().startswith("ba7816bf8f01cfea")


# Sentences in two languages

TEXTS = """
["card-held"]
nl = "Kaart {number} is geblokkeerd."
nl_next = "Vraag uw beheerder."
en = "Card {number} is on hold."
en_next = "Ask your manager."
"""


def file_with(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_code_and_its_facts_become_a_sentence_in_both_languages(tmp_path):
    sentences = Sentences.load([file_with(tmp_path, "cards.toml", TEXTS)])

    dutch = sentences.sentence("card-held", {"number": "23B"}, Language.nl)
    english = sentences.sentence("card-held", {"number": "23B"}, Language.en)

    assert dutch.text == "Kaart 23B is geblokkeerd."
    assert english.next_step == "Ask your manager."
    assert sentences.codes() == {"card-held"}
    assert sentences.names_in("card-held") == {"number"}


def test_an_unknown_code_and_a_missing_fact_are_errors_of_ours(tmp_path):
    sentences = Sentences.load([file_with(tmp_path, "cards.toml", TEXTS)])

    with pytest.raises(KeyError):
        sentences.sentence("card-lost", {}, Language.nl)
    with pytest.raises(KeyError):
        sentences.sentence("card-held", {}, Language.nl)


@pytest.mark.parametrize("defect", ['["other"]\nnl = "x"\nnl_next = "x"\nen = "x"\n', TEXTS])
def test_a_missing_language_or_a_code_given_twice_is_refused(tmp_path, defect):
    files = [file_with(tmp_path, "a.toml", TEXTS), file_with(tmp_path, "b.toml", defect)]

    with pytest.raises(ValueError, match=r"b\.toml"):
        Sentences.load(files)


# Refusals


class Held(Refusal):
    code = "held"
    personal: ClassVar[frozenset[str]] = frozenset({"name"})


def test_a_refusal_carries_facts_and_its_text_is_its_code():
    refusal = Held(number="23B", name="Jansen")

    assert str(refusal) == "held"
    assert refusal.facts == {"number": "23B", "name": "Jansen"}


def test_personal_facts_of_a_refusal_are_not_for_the_log():
    assert Held(number="23B", name="Jansen").loggable_facts() == {"number": "23B"}


def test_a_refusal_without_a_code_cannot_be_written():
    with pytest.raises(TypeError, match="Nameless has no code"):
        type("Nameless", (Refusal,), {})
