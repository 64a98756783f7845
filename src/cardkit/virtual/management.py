"""Authentication with the management key (9B), mutual and one-sided.

Source: SP 800-73-4 part 2, A.1 and A.2.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cardkit import apdu, tlv
from cardkit.apdu import Command
from cardkit.errors import TlvMalformed
from cardkit.piv import codes
from cardkit.piv.making import management_cipher
from cardkit.secrets import ManagementKey, ManagementKeyKind
from cardkit.virtual.chip import Answered, Chip
from cardkit.virtual.state import StoredManagementKey

# SP 800-78-4, table 6-2: 00 is another name of 03.
KINDS = {code: kind for kind, code in codes.MANAGEMENT_CODES.items()} | {0x00: ManagementKeyKind.tdes}

NO_TOUCH: Final = 0xFF
WITH_TOUCH: Final = 0xFE


def authenticate(chip: Chip, command: Command, values: dict[int, bytes]) -> bytes:
    """Answer one step of an authentication; `values` are what the template holds."""
    if KINDS.get(command.p1) is not chip.state.management_key.kind:
        raise Answered(apdu.WRONG_P1_P2)
    step = _STEPS.get(frozenset(tag for tag, value in values.items() if value))
    if step is None:
        step = _OPENINGS.get(frozenset(values))
    if step is None:
        raise Answered(apdu.WRONG_DATA)
    return tlv.encode(codes.DYNAMIC_AUTHENTICATION, step(chip, values))


def set_management_key(chip: Chip, command: Command) -> bytes:
    """Replace the management key (Yubico's extension); P2=FE asks for a touch at each use."""
    chip.need_management()
    if command.p1 != NO_TOUCH or command.p2 not in {NO_TOUCH, WITH_TOUCH}:
        raise Answered(apdu.WRONG_P1_P2)
    try:
        value = tlv.unwrap(command.data[1:], codes.MANAGEMENT_REFERENCE)
    except TlvMalformed:
        raise Answered(apdu.WRONG_DATA) from None
    kind = KINDS.get(command.data[0])
    if kind is None or len(value) != kind.key_bytes:
        raise Answered(apdu.WRONG_DATA)
    key = StoredManagementKey(kind, value, touch_needed=command.p2 == WITH_TOUCH)
    chip.commit(replace(chip.state, management_key=key))
    return b""


def _give_witness(chip: Chip, _values: dict[int, bytes]) -> bytes:
    chip.session.witness = chip.random_bytes(_block_bytes(chip))
    chip.session.challenge = None
    return tlv.encode(codes.WITNESS, _encrypt(chip, chip.session.witness))


def _check_witness(chip: Chip, values: dict[int, bytes]) -> bytes:
    witness, chip.session.witness = chip.session.witness, None
    _admit(chip, expected=witness, given=values[codes.WITNESS])
    challenge = values[codes.CHALLENGE]
    if len(challenge) != _block_bytes(chip):
        chip.session.management_is_authenticated = False
        raise Answered(apdu.WRONG_DATA)
    return tlv.encode(codes.RESPONSE, _encrypt(chip, challenge))


def _give_challenge(chip: Chip, _values: dict[int, bytes]) -> bytes:
    chip.session.challenge = chip.random_bytes(_block_bytes(chip))
    chip.session.witness = None
    return tlv.encode(codes.CHALLENGE, chip.session.challenge)


def _check_response(chip: Chip, values: dict[int, bytes]) -> bytes:
    challenge, chip.session.challenge = chip.session.challenge, None
    expected = None if challenge is None else _encrypt(chip, challenge)
    _admit(chip, expected=expected, given=values[codes.RESPONSE])
    return b""


def _admit(chip: Chip, *, expected: bytes | None, given: bytes) -> None:
    chip.session.management_is_authenticated = False
    if expected is None or not hmac.compare_digest(expected, given):
        raise Answered(apdu.SECURITY_STATUS_UNSATISFIED)
    chip.session.management_is_authenticated = True


def _encrypt(chip: Chip, block: bytes) -> bytes:
    stored = chip.state.management_key
    encryptor = management_cipher(ManagementKey(stored.value, stored.kind)).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def _block_bytes(chip: Chip) -> int:
    return 8 if chip.state.management_key.kind is ManagementKeyKind.tdes else 16


Step = Callable[[Chip, dict[int, bytes]], bytes]
_STEPS: dict[frozenset[int], Step] = {
    frozenset({codes.WITNESS, codes.CHALLENGE}): _check_witness,
    frozenset({codes.RESPONSE}): _check_response,
}
_OPENINGS: dict[frozenset[int], Step] = {
    frozenset({codes.WITNESS}): _give_witness,
    frozenset({codes.CHALLENGE}): _give_challenge,
}
