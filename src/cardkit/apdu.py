"""Commands to a card and its responses as values, in the short and the extended form.

Source: ISO/IEC 7816-4:2020, 5.3 (command and response), 5.6 (status bytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cardkit.errors import CardAnswerMalformed

# ISO/IEC 7816-4, 5.6: status bytes SW1-SW2.
OK: Final = 0x9000
MORE_BYTES: Final = 0x6100  # the low byte tells how many, 00 for 256 or more
COUNTER: Final = 0x63C0  # the last digit of 63Cx is the tries left
WRONG_LENGTH: Final = 0x6700
SECURITY_STATUS_UNSATISFIED: Final = 0x6982
REFERENCE_BLOCKED: Final = 0x6983
CONDITIONS_UNSATISFIED: Final = 0x6985
WRONG_DATA: Final = 0x6A80
NOT_FOUND: Final = 0x6A82
NO_SPACE: Final = 0x6A84
WRONG_P1_P2: Final = 0x6A86
REFERENCE_NOT_FOUND: Final = 0x6A88
WRONG_LE: Final = 0x6C00  # the low byte tells the right Le
UNKNOWN_INSTRUCTION: Final = 0x6D00
UNKNOWN_CLASS: Final = 0x6E00
FAULT: Final = 0x6F00

# ISO/IEC 7816-4, 5.4.1: the bit of CLA that says that more of the same command follows.
CHAINED: Final = 0x10

HEADER_BYTES: Final = 4
STATUS_BYTES: Final = 2
# ISO/IEC 7816-4, 5.3.2: the extended form opens with a zero byte; Lc and Le then take two bytes each.
EXTENDED_FIELD_BYTES: Final = 2
SHORT_DATA_BYTES: Final = 255
SHORT_RESPONSE_BYTES: Final = 256
EXTENDED_RESPONSE_BYTES: Final = 65536


def tries_left(status: int) -> int | None:
    """Return the tries left told by `status`, or None when it tells none."""
    if status == REFERENCE_BLOCKED:
        return 0
    return status & 0x0F if status & 0xFFF0 == COUNTER else None


@dataclass(frozen=True)
class Command:
    """One command: header, data and `le`, the most response bytes wanted (None: no Le field is sent)."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    def encode(self) -> bytes:
        """Return the bytes on the wire, short wherever they fit."""
        header = bytes([self.cla, self.ins, self.p1, self.p2])
        if len(self.data) > SHORT_DATA_BYTES or (self.le or 0) > SHORT_RESPONSE_BYTES:
            return header + self._extended_body()
        return header + self._short_body()

    def _short_body(self) -> bytes:
        lc = bytes([len(self.data)]) + self.data if self.data else b""
        return lc if self.le is None else lc + bytes([self.le % SHORT_RESPONSE_BYTES])

    def _extended_body(self) -> bytes:
        lc = len(self.data).to_bytes(2, "big") + self.data if self.data else b""
        le = b"" if self.le is None else (self.le % EXTENDED_RESPONSE_BYTES).to_bytes(2, "big")
        return b"\x00" + lc + le

    @classmethod
    def decode(cls, raw: bytes) -> Command:
        """Return the command that the bytes on the wire are.

        Raises:
            ValueError: the lengths contradict each other.
        """
        if len(raw) < HEADER_BYTES:
            raise ValueError("a command has at least four bytes")
        data, le = _decode_body(raw[HEADER_BYTES:])
        return cls(raw[0], raw[1], raw[2], raw[3], data, le)


def _decode_body(body: bytes) -> tuple[bytes, int | None]:
    if not body:
        return b"", None
    if len(body) == 1:
        return b"", body[0] or SHORT_RESPONSE_BYTES
    if body[0] == 0 and len(body) > EXTENDED_FIELD_BYTES:
        return _decode_extended(body[1:])
    return _decode_fields(body[1:], body[0], 1, SHORT_RESPONSE_BYTES)


def _decode_extended(body: bytes) -> tuple[bytes, int | None]:
    field, rest = body[:EXTENDED_FIELD_BYTES], body[EXTENDED_FIELD_BYTES:]
    number = int.from_bytes(field, "big")
    if not rest:
        return b"", number or EXTENDED_RESPONSE_BYTES
    return _decode_fields(rest, number, EXTENDED_FIELD_BYTES, EXTENDED_RESPONSE_BYTES)


def _decode_fields(rest: bytes, lc: int, le_bytes: int, most: int) -> tuple[bytes, int | None]:
    if len(rest) == lc:
        return rest, None
    if lc and len(rest) == lc + le_bytes:
        return rest[:lc], int.from_bytes(rest[lc:], "big") or most
    raise ValueError("Lc and the length of the command contradict each other")


@dataclass(frozen=True)
class Response:
    """What a card answered: data and the two status bytes as one number."""

    data: bytes
    status: int

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        return self.data + self.status.to_bytes(2, "big")

    @classmethod
    def decode(cls, raw: bytes) -> Response:
        """Return the response that the bytes on the wire are.

        Raises `CardAnswerMalformed` without status bytes.
        """
        if len(raw) < STATUS_BYTES:
            raise CardAnswerMalformed("an answer without status bytes")
        return cls(raw[:-STATUS_BYTES], int.from_bytes(raw[-STATUS_BYTES:], "big"))
