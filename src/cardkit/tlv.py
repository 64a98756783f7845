"""BER-TLV, and the few DER values that a certification request needs.

Cards speak BER-TLV with definite lengths (ISO/IEC 7816-4, 5.2.2; ITU-T X.690); garbled input raises
`TlvMalformed` and is never guessed at. Full certificates are left to `cryptography`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cardkit.errors import TlvMalformed

# X.690, 8.1.2: identifier octets. Cards use at most three of them (PIV object tags are three bytes long, 5F
# C1 xx).
MORE_TAG_BYTES: Final = 0x1F
LONGEST_TAG: Final = 3
# X.690, 8.1.3: lengths. Four length bytes hold anything a card could ever send.
LONG_LENGTH: Final = 0x80
MOST_LENGTH_BYTES: Final = 4


@dataclass(frozen=True)
class Tlv:
    """One value with its tag, as in `Tlv(0x53, data)`.

    Tags of several bytes are written as one number (0x5FC102).
    """

    tag: int
    value: bytes

    def encode(self) -> bytes:
        """Return tag, shortest length and value."""
        return _encode_tag(self.tag) + _encode_length(len(self.value)) + self.value

    def children(self) -> list[Tlv]:
        """Return the values inside this one, in order. Raises `TlvMalformed`."""
        return parse(self.value)


def encode(tag: int, value: bytes | Iterable[bytes] = b"") -> bytes:
    """Return the encoding of `value` (or of the joined values) under `tag`."""
    return Tlv(tag, value if isinstance(value, bytes) else b"".join(value)).encode()


def parse(data: bytes) -> list[Tlv]:
    """Return the values that follow each other in `data`.

    Raises:
        TlvMalformed: anything is cut short, left over, of indefinite length or has an overlong tag.
    """
    return list(_walk(data))


def parse_one(data: bytes) -> Tlv:
    """Return the one value that `data` is. Raises `TlvMalformed` when it is none or more than one."""
    values = parse(data)
    if len(values) != 1:
        raise TlvMalformed(f"expected one value, found {len(values)}")
    return values[0]


def unwrap(data: bytes, tag: int) -> bytes:
    """Return what stands under `tag`, which must be all of `data`. Raises `TlvMalformed`."""
    found = parse_one(data)
    if found.tag != tag:
        raise TlvMalformed(f"expected tag {tag:X}, found {found.tag:X}")
    return found.value


def by_tag(data: bytes) -> dict[int, bytes]:
    """Return the values in `data` by tag. Raises `TlvMalformed`, also when a tag stands there twice."""
    values = parse(data)
    found = {each.tag: each.value for each in values}
    if len(found) != len(values):
        raise TlvMalformed("a tag stands twice")
    return found


def required(values: dict[int, bytes], tag: int) -> bytes:
    """Return the value under `tag`. Raises `TlvMalformed` when it is absent."""
    try:
        return values[tag]
    except KeyError:
        raise TlvMalformed(f"tag {tag:X} is missing") from None


def _walk(data: bytes) -> Iterator[Tlv]:
    at = 0
    while at < len(data):
        tag, at = _read_tag(data, at)
        length, at = _read_length(data, at)
        if at + length > len(data):
            raise TlvMalformed(f"{at + length - len(data)} bytes are missing")
        yield Tlv(tag, data[at : at + length])
        at += length


def _read_tag(data: bytes, at: int) -> tuple[int, int]:
    end = at + 1
    if data[at] & MORE_TAG_BYTES == MORE_TAG_BYTES:
        while end < len(data) and data[end] & 0x80:
            end += 1
        end += 1
    if end > len(data) or end - at > LONGEST_TAG:
        raise TlvMalformed("tag is cut short or too long")
    return int.from_bytes(data[at:end], "big"), end


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise TlvMalformed("length is missing")
    first = data[at]
    if first < LONG_LENGTH:
        return first, at + 1
    count = first - LONG_LENGTH
    if not 1 <= count <= MOST_LENGTH_BYTES or at + 1 + count > len(data):
        raise TlvMalformed("length is indefinite, cut short or too long")
    return int.from_bytes(data[at + 1 : at + 1 + count], "big"), at + 1 + count


def _encode_tag(tag: int) -> bytes:
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")


def _encode_length(length: int) -> bytes:
    if length < LONG_LENGTH:
        return bytes([length])
    body = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([LONG_LENGTH + len(body)]) + body
