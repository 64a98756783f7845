"""PIN-3 and CARD-7: what cannot be right is refused before a card hears of it; and secrets do not leak."""

import copy
import itertools
import logging
import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.errors import PinUnfit, PukUnfit
from cardkit.secrets import (
    ANY_PUK,
    NIST_PIN,
    SMARTCARD_PIN,
    ManagementKey,
    ManagementKeyKind,
    Pin,
    PinRules,
    Puk,
    factory_management_key,
)

SECRETS = [Pin("geheim12"), Puk("13572468"), ManagementKey(b"k" * 24)]
UNFIT = [
    "",
    "12345",
    "123456789",
    "12345é",
    "\uff11\uff12\uff13\uff14\uff15\uff16",
    "12 456",
    "12345\x00",
    "12345\n",
    "²²²²²²",
    "abc-12",
]


@pytest.mark.parametrize("text", ["123456", "1234567", "12345678", "abcdef", "Ab3Cd4"])
def test_six_to_eight_letters_or_digits_are_a_pin(text):
    assert Pin(text).for_card() == text.encode().ljust(8, b"\xff")


@pytest.mark.parametrize("text", UNFIT)
def test_anything_else_is_unfit_and_says_what_fits(text):
    with pytest.raises(PinUnfit) as unfit:
        Pin(text)
    assert (unfit.value.shortest, unfit.value.longest, unfit.value.digits_only) == (6, 8, False)
    assert text == "" or text not in str(unfit.value)


def test_a_card_that_takes_digits_alone_refuses_letters():
    with pytest.raises(PinUnfit) as unfit:
        Pin("abc123", NIST_PIN)
    assert unfit.value.digits_only


def test_a_pin_is_checked_again_for_the_card_it_meets():
    with pytest.raises(PinUnfit):
        Pin("abc123").check(NIST_PIN)
    with pytest.raises(PukUnfit):
        Puk("12345678").check(PinRules(shortest=6, longest=7, digits_only=True))
    Pin("123456").check(NIST_PIN)


@given(st.text(max_size=12))
def test_a_pin_always_fills_eight_bytes_or_is_unfit(text):
    try:
        pin = Pin(text)
    except PinUnfit:
        assert not SMARTCARD_PIN.fit(text)
    else:
        assert len(pin.for_card()) == 8


def test_a_typed_puk_may_stand_in_groups():
    assert Puk("1234 5678") == Puk("12345678")


@pytest.mark.parametrize("text", ["1234567", "123456789", "1234567a", ""])
def test_a_puk_has_eight_digits(text):
    with pytest.raises(PukUnfit):
        Puk(text)


def test_a_puk_from_elsewhere_may_be_shorter_and_have_letters():
    assert Puk("abc123", ANY_PUK).for_card() == b"abc123\xff\xff"


def test_a_generated_puk_is_shown_in_two_groups():
    """CARD-8."""
    puk = Puk.generate(os.urandom)
    groups = puk.text_to_show_once().split(" ")
    assert [len(group) for group in groups] == [4, 4]
    assert Puk(puk.text_to_show_once()) == puk


def test_bytes_that_would_favour_low_digits_are_thrown_away():
    stream = iter([250, 255, 9, 10, 249, 0, 251, 1, 2, 3, 4])
    puk = Puk.generate(lambda count: bytes(itertools.islice(stream, count)))
    assert puk.text_to_show_once() == "9090 1234"


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: type(secret).__name__)
@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>40}",
        "{}".format,
        lambda secret: str([secret]),
    ],
    ids=["repr", "str", "f-string", "format", "percent", "in a list"],
)
def test_a_secret_does_not_show_its_value(secret, shown):
    text = shown(secret)
    assert "hidden" in text
    for value in ("geheim12", "13572468", "kkk"):
        assert value not in text


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: type(secret).__name__)
@pytest.mark.parametrize("kept", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_a_secret_is_not_stored_or_copied(secret, kept):
    with pytest.raises(TypeError):
        kept(secret)


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: type(secret).__name__)
def test_a_secret_has_no_fields_to_look_into(secret):
    with pytest.raises(TypeError):
        vars(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_a_logged_pin_is_hidden(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("cards").info("typed %s", Pin("geheim12"))
    assert "geheim12" not in caplog.text


def test_secrets_are_equal_by_value_and_kind():
    assert Pin("12345678") == Pin("12345678")
    assert Pin("12345678") != Pin("12345679")
    assert Pin("12345678") != Puk("12345678")
    assert Pin("12345678") != "12345678"


@pytest.mark.parametrize("kind", ManagementKeyKind)
def test_a_management_key_has_the_length_of_its_kind(kind):
    assert len(factory_management_key(kind).for_card()) == kind.key_bytes
    with pytest.raises(ValueError, match=kind.value):
        ManagementKey(b"short", kind)
