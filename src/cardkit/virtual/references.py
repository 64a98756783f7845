"""VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER of the virtual card.

Source: SP 800-73-4 part 2, 3.2. PIN and PUK count apart. A strict card looks at the form first and takes no
try for a PIN that cannot be one; an extended card compares first, as YubiKeys do.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Final

from cardkit import apdu
from cardkit.apdu import Command
from cardkit.piv import codes
from cardkit.virtual.chip import Answered, Chip
from cardkit.virtual.state import CardState, Reference

REFERENCE_BYTES: Final = 8
SHORTEST: Final = 6
FILLING: Final = b"\xff"
CLEAR: Final = 0xFF
MOST_TOLD: Final = 15


def verify(chip: Chip, command: Command) -> bytes:
    """Compare the PIN, tell about it (no data), or forget that it was shown (P1=FF)."""
    if command.p2 != codes.PIN_REFERENCE:
        raise Answered(apdu.REFERENCE_NOT_FOUND)
    if command.p1 == CLEAR and not command.data:
        chip.session.forget_pin()
        return b""
    if command.p1 != 0:
        raise Answered(apdu.WRONG_P1_P2)
    if not command.data:
        return _tell(chip)
    _need_pin_form(chip, command.data)
    compare_pin(chip, command.data)
    chip.session.pin_is_verified = True
    chip.session.pin_is_fresh = True
    return b""


def change_reference(chip: Chip, command: Command) -> bytes:
    """Replace PIN (P2=80) or PUK (P2=81), given the old one."""
    old, new = _two_values(command)
    if command.p2 == codes.PIN_REFERENCE:
        _need_pin_form(chip, old, new)
        compare_pin(chip, old)
        _need_new_value(new)
        chip.commit(replace(chip.state, pin=chip.state.pin.changed_to(new)))
    elif command.p2 == codes.PUK_REFERENCE:
        _compare_puk(chip, old)
        _need_new_value(new)
        chip.commit(replace(chip.state, puk=chip.state.puk.changed_to(new)))
    else:
        raise Answered(apdu.REFERENCE_NOT_FOUND)
    return b""


def reset_retry(chip: Chip, command: Command) -> bytes:
    """Give the card a new PIN and all tries, given the PUK."""
    puk, new_pin = _two_values(command)
    if command.p2 != codes.PIN_REFERENCE:
        raise Answered(apdu.REFERENCE_NOT_FOUND)
    _need_pin_form(chip, new_pin)
    _compare_puk(chip, puk)
    _need_new_value(new_pin)
    chip.commit(replace(chip.state, pin=chip.state.pin.changed_to(new_pin)))
    chip.session.forget_pin()
    return b""


def compare_pin(chip: Chip, value: bytes) -> None:
    """Compare a PIN and keep the outcome; a wrong one also ends an earlier verification."""
    try:
        outcome = _compare(chip.state.pin, value)
    except _Wrong as wrong:
        chip.session.forget_pin()
        chip.commit(replace(chip.state, pin=wrong.outcome))
        raise Answered(wrong.status) from None
    chip.commit(replace(chip.state, pin=outcome))


def _compare_puk(chip: Chip, value: bytes) -> None:
    try:
        outcome = _compare(chip.state.puk, value)
    except _Wrong as wrong:
        chip.commit(replace(chip.state, puk=wrong.outcome))
        raise Answered(wrong.status) from None
    chip.commit(replace(chip.state, puk=outcome))


class _Wrong(Exception):
    def __init__(self, outcome: Reference, status: int) -> None:
        super().__init__()
        self.outcome = outcome
        self.status = status


def _compare(reference: Reference, value: bytes) -> Reference:
    if reference.is_blocked:
        raise _Wrong(reference, apdu.REFERENCE_BLOCKED)
    if hmac.compare_digest(reference.value, value):
        return reference.after_right()
    left = reference.after_wrong()
    raise _Wrong(left, apdu.COUNTER | min(left.tries_left, MOST_TOLD))


def _tell(chip: Chip) -> bytes:
    pin = chip.state.pin
    if pin.is_blocked:
        raise Answered(apdu.REFERENCE_BLOCKED)
    if not chip.session.pin_is_verified:
        raise Answered(apdu.COUNTER | min(pin.tries_left, MOST_TOLD))
    return b""


def _two_values(command: Command) -> tuple[bytes, bytes]:
    if command.p1 != 0:
        raise Answered(apdu.WRONG_P1_P2)
    if len(command.data) != 2 * REFERENCE_BYTES:
        raise Answered(apdu.WRONG_DATA)
    return command.data[:REFERENCE_BYTES], command.data[REFERENCE_BYTES:]


def _need_pin_form(chip: Chip, *values: bytes) -> None:
    for value in values:
        digits = value.rstrip(FILLING)
        unfit = chip.is_strict and not (len(digits) >= SHORTEST and digits.isdigit())
        if len(value) != REFERENCE_BYTES or unfit:
            raise Answered(apdu.WRONG_DATA)


def _need_new_value(value: bytes) -> None:
    text = value.rstrip(FILLING)
    if len(text) < SHORTEST or FILLING in text:
        raise Answered(apdu.WRONG_DATA)


def with_all_tries(state: CardState, pin_tries: int, puk_tries: int, pin: bytes, puk: bytes) -> CardState:
    """Return `state` with new values and counters for PIN and PUK."""
    return replace(state, pin=Reference(pin, pin_tries, pin_tries), puk=Reference(puk, puk_tries, puk_tries))
