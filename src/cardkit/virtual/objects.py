"""GET DATA and PUT DATA of the virtual card. Source: SP 800-73-4 part 2, 3.1.2 and 3.3.1."""

from __future__ import annotations

from typing import Final

from cardkit import apdu, tlv
from cardkit.apdu import Command
from cardkit.errors import TlvMalformed
from cardkit.piv import codes
from cardkit.virtual.chip import Answered, Chip

# SP 800-73-4 part 1, table 2: fingerprints, facial image, printed information and iris images ask for the
# PIN.
PIN_PROTECTED: Final = frozenset({0x5FC103, 0x5FC108, 0x5FC109, 0x5FC121})
LARGEST_OBJECT_BYTES: Final = 12704
STANDARD_OBJECTS: Final = range(0x5FC100, 0x5FC200)
MAKERS_OBJECTS: Final = range(0x5FFF00, 0x600000)
# SP 800-73-4 part 1, 3.3.2: the discovery object; 40 00 says that the PIN of the application is the only one.
DISCOVERY: Final = tlv.encode(
    codes.DISCOVERY_OBJECT, [tlv.encode(0x4F, codes.PIV_AID), tlv.encode(0x5F2F, b"\x40\x00")]
)


def get_data(chip: Chip, command: Command) -> bytes:
    """Return an object in its wrapping."""
    name = _name(_fields(command)[0])
    if name == codes.DISCOVERY_OBJECT:
        return DISCOVERY
    if name in PIN_PROTECTED and not chip.session.pin_is_verified:
        raise Answered(apdu.SECURITY_STATUS_UNSATISFIED)
    content = chip.state.objects.get(name)
    if content is None:
        raise Answered(apdu.NOT_FOUND)
    return tlv.encode(codes.OBJECT_DATA, content)


def put_data(chip: Chip, command: Command) -> bytes:
    """Write an object, or remove it when there is no content."""
    chip.need_management()
    first, *others = _fields(command)
    if [field.tag for field in others] != [codes.OBJECT_DATA]:
        raise Answered(apdu.WRONG_DATA)
    name, content = _name(first), others[0].value
    if name not in STANDARD_OBJECTS and (chip.is_strict or name not in MAKERS_OBJECTS):
        raise Answered(apdu.NOT_FOUND)
    if len(content) > LARGEST_OBJECT_BYTES:
        raise Answered(apdu.NO_SPACE)
    chip.commit(chip.state.with_object(name, content))
    return b""


def _fields(command: Command) -> list[tlv.Tlv]:
    if (command.p1, command.p2) != (0x3F, 0xFF):
        raise Answered(apdu.WRONG_P1_P2)
    try:
        fields = tlv.parse(command.data)
    except TlvMalformed:
        raise Answered(apdu.WRONG_DATA) from None
    if not fields or fields[0].tag != codes.OBJECT_NAME:
        raise Answered(apdu.WRONG_DATA)
    return fields


def _name(field: tlv.Tlv) -> int:
    return int.from_bytes(field.value, "big")
