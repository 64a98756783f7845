"""Yubico's additions as the virtual card has them in its extended mode."""

from __future__ import annotations

from typing import Final

from cardkit import apdu, tlv
from cardkit.apdu import Command
from cardkit.piv import codes
from cardkit.virtual.attestation import attest_key
from cardkit.virtual.chip import Answered, Chip
from cardkit.virtual.keys import public_key_template
from cardkit.virtual.references import with_all_tries
from cardkit.virtual.state import (
    FACTORY_PIN,
    FACTORY_PUK,
    Reference,
    StoredKey,
    StoredManagementKey,
)

WAS_GENERATED: Final = b"\x01"
WAS_IMPORTED: Final = b"\x02"


def get_version(chip: Chip, _command: Command) -> bytes:
    """Return the firmware's version in three bytes."""
    return bytes(chip.state.firmware)


def get_serial(chip: Chip, _command: Command) -> bytes:
    """Return the serial number in four bytes."""
    return chip.state.serial.to_bytes(4, "big")


def get_metadata(chip: Chip, command: Command) -> bytes:
    """Tell about a PIN, the management key or a key in a slot, without a secret."""
    state = chip.state
    if command.p2 == codes.PIN_REFERENCE:
        return _about_reference(state.pin, FACTORY_PIN)
    if command.p2 == codes.PUK_REFERENCE:
        return _about_reference(state.puk, FACTORY_PUK)
    if command.p2 == codes.MANAGEMENT_REFERENCE:
        return _about_management_key(state.management_key)
    key = state.keys.get(command.p2)
    if key is None:
        raise Answered(apdu.REFERENCE_NOT_FOUND)
    return _about_key(key)


def attest(chip: Chip, command: Command) -> bytes:
    """Return the proof that the key in slot P1 was made here; imported keys get none."""
    key = chip.state.keys.get(command.p1)
    attesting = chip.state.keys.get(codes.ATTESTATION_REFERENCE)
    if command.p2 != 0:
        raise Answered(apdu.WRONG_P1_P2)
    if key is None or attesting is None or not key.was_generated:
        raise Answered(apdu.REFERENCE_NOT_FOUND)
    return attest_key(chip.state, command.p1, key, attesting.private_key)


def set_retries(chip: Chip, command: Command) -> bytes:
    """Set how many tries PIN and PUK have; both go back to their factory values."""
    chip.need_management()
    if not chip.session.pin_is_verified:
        raise Answered(apdu.SECURITY_STATUS_UNSATISFIED)
    if not command.p1 or not command.p2:
        raise Answered(apdu.WRONG_P1_P2)
    chip.commit(with_all_tries(chip.state, command.p1, command.p2, FACTORY_PIN, FACTORY_PUK))
    chip.session.forget_pin()
    return b""


def reset(chip: Chip, _command: Command) -> bytes:
    """Empty the card, once both PIN and PUK are blocked."""
    if not (chip.state.pin.is_blocked and chip.state.puk.is_blocked):
        raise Answered(apdu.CONDITIONS_UNSATISFIED)
    chip.commit(chip.state.reset())
    chip.session = type(chip.session)()
    return b""


def _about_reference(reference: Reference, factory_value: bytes) -> bytes:
    is_default = bytes([reference.value == factory_value])
    retries = bytes([reference.most_tries, reference.tries_left])
    return tlv.encode(codes.META_IS_DEFAULT, is_default) + tlv.encode(codes.META_RETRIES, retries)


def _about_management_key(key: StoredManagementKey) -> bytes:
    is_default = key.value == StoredManagementKey.factory(key.kind).value
    return b"".join(
        (
            tlv.encode(codes.META_ALGORITHM, bytes([codes.MANAGEMENT_CODES[key.kind]])),
            tlv.encode(codes.META_POLICY, bytes([0, 2 if key.touch_needed else 1])),
            tlv.encode(codes.META_IS_DEFAULT, bytes([is_default])),
        )
    )


def _about_key(key: StoredKey) -> bytes:
    policies = bytes([codes.PIN_POLICY_CODES[key.pin_policy], codes.TOUCH_POLICY_CODES[key.touch_policy]])
    return b"".join(
        (
            tlv.encode(codes.META_ALGORITHM, bytes([codes.ALGORITHM_CODES[key.algorithm]])),
            tlv.encode(codes.META_POLICY, policies),
            tlv.encode(codes.META_ORIGIN, WAS_GENERATED if key.was_generated else WAS_IMPORTED),
            tlv.encode(codes.META_PUBLIC_KEY, public_key_template(key.public_key)),
        )
    )
