"""Writes the little DER that no library writes for us: CRLs, OCSP answers, the shell of a signed thing.

Reading is left to `cryptography`, but for one short string inside an otherName. Source: ITU-T X.690 (2021),
chapters 8 and 10.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

IA5_STRING: Final = 0x16
UTF8_STRING: Final = 0x0C

LONG_LENGTH: Final = 0x80
"""Marks a length octet that counts further length octets. Source: X.690, 8.1.3."""

TRUE: Final = b"\x01\x01\xff"
NULL: Final = b"\x05\x00"

REMEMBERED_OIDS: Final = 256
"""A handful is written again and again."""


def tlv(tag: int, content: bytes) -> bytes:
    """Return one value with its tag byte and its definite length."""
    return _around(tag, content)


def _around(tag: int, *parts: bytes) -> bytes:
    """Return parts as one value; each is copied once, since a CRL may be long."""
    return b"".join((head(tag, sum(map(len, parts))), *parts))


def head(tag: int, size: int) -> bytes:
    """Return the tag byte and the length of a value of so many bytes, which follows."""
    if size < LONG_LENGTH:
        return bytes((tag, size))
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, LONG_LENGTH | len(length))) + length


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of values that are DER already."""
    return _around(0x30, *parts)


def integer(number: int) -> bytes:
    """Return an INTEGER of any size; negative numbers are not needed here."""
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def enumerated(number: int) -> bytes:
    """Return an ENUMERATED."""
    return tlv(0x0A, number.to_bytes(number.bit_length() // 8 + 1))


def octet_string(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(0x04, content)


def bit_string(content: bytes) -> bytes:
    """Return a BIT STRING of whole bytes."""
    return tlv(0x03, b"\x00" + content)


def explicit(number: int, *parts: bytes) -> bytes:
    """Return a constructed, context-specific [number] around values that are DER already."""
    return tlv(0xA0 | number, b"".join(parts))


def implicit(number: int, content: bytes) -> bytes:
    """Return a primitive, context-specific [number] with this content."""
    return tlv(0x80 | number, content)


@lru_cache(maxsize=REMEMBERED_OIDS)
def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER; arcs may be of any size (2.25 takes 128 bits)."""
    first, second, *others = (int(arc) for arc in dotted.split("."))
    return tlv(0x06, b"".join(_base_128(arc) for arc in (first * 40 + second, *others)))


def _base_128(arc: int) -> bytes:
    groups = [arc & 0x7F]
    while arc := arc >> 7:
        groups.append(0x80 | (arc & 0x7F))
    return bytes(reversed(groups))


def generalized_time(at: datetime) -> bytes:
    """Return a GeneralizedTime in UTC, to the second. Source: RFC 5280, 4.1.2.5.2."""
    return tlv(0x18, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii"))


UTC_TIME_ENDS: Final = 2050
"""The first year that is written as GeneralizedTime. Source: RFC 5280, 4.1.2.5."""


def time(at: datetime) -> bytes:
    """Return a Time: UTCTime through 2049, GeneralizedTime after. Source: RFC 5280, 4.1.2.5."""
    at = at.astimezone(UTC)
    if at.year >= UTC_TIME_ENDS:
        return generalized_time(at)
    return tlv(0x17, at.strftime("%y%m%d%H%M%SZ").encode("ascii"))


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """Return an Extension around a value that is DER already. Source: RFC 5280, 4.1."""
    return sequence(oid(dotted), TRUE if critical else b"", octet_string(value))


def short_string(encoded: bytes, *, tag: int) -> bytes:
    """Return the content of one string of at most 127 bytes, or of at most 255 with a long length.

    Raises:
        ValueError: another tag, a length that is not DER, or bytes before or after.
    """
    head = 2 if len(encoded) > 1 and encoded[1] < LONG_LENGTH else 3
    content = encoded[head:]
    if tlv(tag, content) != encoded:
        msg = "not exactly one DER string of the type expected"
        raise ValueError(msg)
    return content
