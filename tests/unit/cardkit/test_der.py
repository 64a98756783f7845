import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from cardkit import der, tlv


@given(st.integers(min_value=0, max_value=2**80))
def test_integers_are_short_and_not_negative(number):
    content = tlv.unwrap(der.integer(number), 0x02)
    assert int.from_bytes(content, "big", signed=True) == number
    assert len(content) == 1 or content[0] != 0 or content[1] >= 0x80


def test_negative_integers_are_not_written():
    with pytest.raises(ValueError, match="non-negative"):
        der.integer(-1)


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("1.2.840.113549.1.9.7", "06092a864886f70d010907"),
        ("2.16.840.1.101.3.4.2.1", "0609608648016503040201"),
        ("2.5.4.3", "0603550403"),
        ("1.3.6.1.4.1.41482.3.3", "060a2b0601040182c40a0303"),
    ],
)
def test_object_identifiers_are_those_of_the_standards(dotted, encoded):
    assert der.object_identifier(dotted).hex() == encoded
    assert x509.ObjectIdentifier(dotted).dotted_string == dotted


def test_a_set_is_ordered_by_its_encodings():
    assert der.set_of(b"\x04\x01b", b"\x04\x01a") == bytes.fromhex("3106") + b"\x04\x01a\x04\x01b"


def test_the_other_values_have_their_tags():
    assert der.null() == b"\x05\x00"
    assert der.bit_string(b"\xff") == b"\x03\x02\x00\xff"
    assert der.octet_string(b"\xff") == b"\x04\x01\xff"
    assert der.utf8_string("é") == b"\x0c\x02\xc3\xa9"
    assert der.context(0, der.null()) == b"\xa0\x02\x05\x00"
