import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit import tlv
from cardkit.errors import TlvMalformed
from cardkit.tlv import Tlv

TAGS = st.sampled_from([0x01, 0x30, 0x53, 0x5C, 0x70, 0x7C, 0x80, 0x5F2F, 0x7F49, 0x5FC102, 0x5FFF01])
VALUES = st.lists(st.builds(Tlv, TAGS, st.binary(max_size=300)), max_size=5)


@given(VALUES)
def test_what_was_encoded_is_parsed_again(values):
    assert tlv.parse(b"".join(value.encode() for value in values)) == values


@given(VALUES.filter(bool), st.data())
def test_whatever_is_cut_off_is_noticed(values, data):
    encoded = values[-1].encode()
    end = data.draw(st.integers(min_value=1, max_value=len(encoded) - 1))
    with pytest.raises(TlvMalformed):
        tlv.parse(encoded[:end])


@given(st.binary(max_size=40))
def test_garbage_is_parsed_or_refused_and_never_anything_else(garbage):
    try:
        values = tlv.parse(garbage)
    except TlvMalformed:
        return
    assert tlv.parse(b"".join(value.encode() for value in values)) == values


@pytest.mark.parametrize(
    ("length", "field"), [(0, "00"), (127, "7f"), (128, "8180"), (256, "820100"), (65536, "83010000")]
)
def test_a_length_takes_as_few_bytes_as_it_can(length, field):
    assert tlv.encode(0x53, bytes(length)).startswith(bytes.fromhex("53" + field))


@pytest.mark.parametrize(
    "broken",
    ["53", "5301", "5380", "5385000000000000", "5F", "7F", "5FC1", "1F818181", "538201", "53820002AA"],
    ids=[
        "no length",
        "no value",
        "indefinite length",
        "length of five bytes",
        "half a tag",
        "half a tag of the other class",
        "two thirds of a tag",
        "overlong tag",
        "half a length",
        "half a value",
    ],
)
def test_broken_encodings_are_refused(broken):
    with pytest.raises(TlvMalformed):
        tlv.parse(bytes.fromhex(broken))


def test_a_value_under_another_tag_is_refused():
    with pytest.raises(TlvMalformed):
        tlv.unwrap(tlv.encode(0x7C, b"x"), 0x53)


def test_something_after_the_one_value_is_refused():
    with pytest.raises(TlvMalformed):
        tlv.unwrap(tlv.encode(0x53, b"x") + b"\x00\x00", 0x53)


def test_a_tag_that_stands_twice_is_refused():
    with pytest.raises(TlvMalformed):
        tlv.by_tag(tlv.encode(0x81, b"a") + tlv.encode(0x81, b"b"))


def test_a_missing_tag_is_refused():
    with pytest.raises(TlvMalformed):
        tlv.required(tlv.by_tag(tlv.encode(0x81)), 0x82)


def test_children_are_parsed():
    assert Tlv(0x7C, tlv.encode(0x82, b"x")).children() == [Tlv(0x82, b"x")]
