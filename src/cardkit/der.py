"""The few DER values that are written by hand: those of a certification request.

The card signs the request itself, which the builders of `cryptography` cannot do with a key they do not hold.
Source: ITU-T X.690.
"""

from __future__ import annotations

from cardkit.tlv import encode


def sequence(*values: bytes) -> bytes:
    """Return a SEQUENCE of encoded values."""
    return encode(0x30, values)


def set_of(*values: bytes) -> bytes:
    """Return a SET OF encoded values, in the order that DER prescribes (X.690, 11.6)."""
    return encode(0x31, sorted(values))


def integer(value: int) -> bytes:
    """Return a non-negative INTEGER."""
    if value < 0:
        raise ValueError("only non-negative integers are written")
    return encode(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def bit_string(value: bytes) -> bytes:
    """Return a BIT STRING of whole bytes."""
    return encode(0x03, b"\x00" + value)


def octet_string(value: bytes) -> bytes:
    """Return an OCTET STRING."""
    return encode(0x04, value)


def null() -> bytes:
    """Return NULL."""
    return encode(0x05)


def object_identifier(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER written with dots (X.690, 8.19)."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return encode(0x06, [_arc(arc) for arc in (40 * first + second, *rest)])


def utf8_string(text: str) -> bytes:
    """Return a UTF8String."""
    return encode(0x0C, text.encode("utf-8"))


def context(number: int, *values: bytes) -> bytes:
    """Return a constructed, context-specific value [number] of encoded values."""
    return encode(0xA0 + number, values)


def _arc(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.insert(0, 0x80 | number & 0x7F)
    return bytes(groups)
