"""The little DER that is written by hand, against the examples of the standard and against the library."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from zorgid.pki import der


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (255, "020200ff"),
        (256, "02020100"),
        (65535, "020300ffff"),
    ],
)
def test_integers_are_as_short_as_can_be_and_never_negative(number: int, encoded: str):
    assert der.integer(number).hex() == encoded


@given(st.integers(0, 2**200), st.integers(0, 2**200))
def test_integers_and_sequences_read_back(first: int, second: int):
    assert decode_dss_signature(der.sequence(der.integer(first), der.integer(second))) == (first, second)


@pytest.mark.parametrize(
    ("size", "head"),
    [(0, "0400"), (127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100"), (65536, "0483010000")],
)
def test_lengths_are_as_short_as_can_be(size: int, head: str):
    """Source: X.690, 8.1.3 and 10.1."""
    encoded = der.octet_string(b"x" * size)

    assert encoded == bytes.fromhex(head) + b"x" * size


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("2.999.3", "0603883703"),  # the example of X.690, 8.19.5
        ("1.2.840.113549", "06062a864886f70d"),
        ("0.0", "060100"),
        ("2.5.29.60", "0603551d3c"),
    ],
)
def test_object_identifiers_are_those_of_the_standard(dotted: str, encoded: str):
    assert der.oid(dotted).hex() == encoded


@given(st.lists(st.integers(0, 2**64), min_size=1, max_size=6))
def test_object_identifiers_are_those_of_the_library(arcs: list[int]):
    """The library has room for 63 bytes of an identifier; an arc of 2**64 takes ten."""
    dotted = ".".join(map(str, [1, 3, *arcs]))
    usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(dotted)])

    assert der.sequence(der.oid(dotted)) == usage.public_bytes()


def test_times_are_in_utc_and_to_the_second():
    amsterdam = timezone(timedelta(hours=1))
    at = datetime(2026, 11, 21, 11, 30, 15, 999999, tzinfo=amsterdam)

    assert der.generalized_time(at) == b"\x18\x0f20261121103015Z"
    assert der.time(at) == b"\x17\x0d261121103015Z"


@pytest.mark.parametrize(
    ("at", "tag"),
    [(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), 0x17), (datetime(2050, 1, 1, tzinfo=UTC), 0x18)],
)
def test_times_change_their_form_in_2050(at: datetime, tag: int):
    assert der.time(at)[0] == tag


@given(st.binary(max_size=255))
def test_a_short_string_reads_back(content: bytes):
    assert der.short_string(der.tlv(der.IA5_STRING, content), tag=der.IA5_STRING) == content


@pytest.mark.parametrize(
    "encoded",
    [b"", b"\x16", b"\x16\x02a", b"\x16\x01ab", b"\x0c\x01a", b"\x16\x81\x01a", b"\x16\x80a\x00\x00"],
    ids=["empty", "no length", "too short", "too long", "other type", "long length", "indefinite length"],
)
def test_what_is_not_exactly_one_der_string_is_refused(encoded: bytes):
    with pytest.raises(ValueError, match="not exactly one"):
        der.short_string(encoded, tag=der.IA5_STRING)
