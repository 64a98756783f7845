"""Versions of the app are compared by their numbers; what is no version is older than anything (INFO-5)."""

import pytest

from zorgid.protocol.versions import AppVersion, is_older

IN_ORDER = [
    "0",
    "0.0.1",
    "0.1.0-rc1",
    "0.1.0",
    "0.1.1",
    "0.2",
    "0.10.0",
    "1",
    "1.0.0.1",
    "2.0.0-beta",
    "2.0.0",
]


@pytest.mark.parametrize("older", range(len(IN_ORDER)))
def test_versions_are_in_the_order_of_their_numbers(older: int) -> None:
    for newer in range(len(IN_ORDER)):
        assert is_older(IN_ORDER[older], IN_ORDER[newer]) is (older < newer)


@pytest.mark.parametrize(("one", "other"), [("1", "1.0.0"), ("0.1.0+demo-1", "0.1.0"), ("01.2", "1.2.0.0")])
def test_two_ways_to_write_a_version_are_the_same_one(one: str, other: str) -> None:
    assert AppVersion.read(one) == AppVersion.read(other)


@pytest.mark.parametrize(
    "text", ["", "x", "1.", ".1", "1..2", "1.2.3.4.5", "-1", "1 ", "1.x", "1+", "v1", "1" * 10, "\u0661"]
)
def test_what_is_no_version_is_older_than_anything(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        AppVersion.read(text)
    assert is_older(text, "0")
