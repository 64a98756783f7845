"""The numbers of PKCS#11 that decide something here, and what each return value means for a caller.

Source: PKCS #11 2.40, 3 and 5.1; return values from pkcs11t.h.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum, IntFlag, StrEnum
from typing import Final

from cardkit.errors import (
    CardBusy,
    CardCannot,
    CardError,
    CardGone,
    CardNotRecognised,
    CardRefused,
    ManagementKeyWrong,
    PinBlocked,
    PinNeeded,
    PinUnfit,
    PinWrong,
    PukBlocked,
    PukUnfit,
    PukWrong,
)
from cardkit.keys import KeySlot
from cardkit.secrets import PinRules

OK: Final = 0x000
SLOT_ID_INVALID: Final = 0x003
FUNCTION_NOT_SUPPORTED: Final = 0x054
DEVICE_REMOVED: Final = 0x032
PIN_INCORRECT: Final = 0x0A0
PIN_INVALID: Final = 0x0A1
PIN_LEN_RANGE: Final = 0x0A2
PIN_LOCKED: Final = 0x0A4
SESSION_CLOSED: Final = 0x0B0
SESSION_HANDLE_INVALID: Final = 0x0B3
TOKEN_NOT_PRESENT: Final = 0x0E0
TOKEN_NOT_RECOGNISED: Final = 0x0E1
USER_ALREADY_LOGGED_IN: Final = 0x100
USER_NOT_LOGGED_IN: Final = 0x101
USER_PIN_NOT_INITIALISED: Final = 0x102
OTHER_USER_LOGGED_IN: Final = 0x104
ALREADY_INITIALISED: Final = 0x191
PIN_TOO_WEAK: Final = 0x1B8

SLOT_HAS_TOKEN: Final = 0x01
"""CKF_TOKEN_PRESENT, among the flags of a slot."""
UNTOLD: Final = 0x7FFFFFFF
"""No return value of PKCS#11: the binding found the fault itself, or raised one without a value."""


class UserType(IntEnum):
    """Who logs in."""

    security_officer = 0
    user = 1


class TokenFlags(IntFlag):
    """What a token says of itself (CK_TOKEN_INFO)."""

    write_protected = 0x00000002
    login_required = 0x00000004
    user_pin_set = 0x00000008
    pin_pad = 0x00000100
    initialised = 0x00000400
    pin_count_low = 0x00010000
    pin_final_try = 0x00020000
    pin_locked = 0x00040000
    pin_to_be_changed = 0x00080000
    puk_count_low = 0x00100000
    puk_final_try = 0x00200000
    puk_locked = 0x00400000
    puk_to_be_changed = 0x00800000


class Officer(StrEnum):
    """Which secret of ours the security officer's PIN of a token is."""

    puk = "puk"
    """A PUK: it gives the holder a new PIN; the holder makes keys."""
    management_key = "management-key"
    """The management key of a PIV card, in hexadecimal: it makes keys, and gives no PIN."""


def officer_of(manufacturer: str) -> Officer:
    """Return what the security officer is on tokens of a manufacturer (CK_TOKEN_INFO).

    Yubico's module speaks to PIV cards, whose PUK no function of PKCS#11 reaches.
    """
    return Officer.management_key if manufacturer.startswith("Yubico") else Officer.puk


class TokenAct(StrEnum):
    """What a PIV card can do and a token cannot, or not every one: the facts of `CardCannot`."""

    unblock_pin = "unblock-pin"
    change_puk = "change-puk"
    authenticate_management = "authenticate-management"
    write_chuid = "write-chuid"


KEY_IDS: Final[Mapping[KeySlot, bytes]] = {
    KeySlot.authentication: b"\x01",
    KeySlot.signature: b"\x02",
    KeySlot.confidentiality: b"\x03",
}
"""The CKA_ID of what is made here; the same as modules give to the slots 9A, 9C and 9D of a PIV card."""

CARD_IS_GONE: Final = frozenset(
    {DEVICE_REMOVED, TOKEN_NOT_PRESENT, SESSION_CLOSED, SESSION_HANDLE_INVALID, SLOT_ID_INVALID}
)
UNFIT: Final = frozenset({PIN_INVALID, PIN_LEN_RANGE, PIN_TOO_WEAK})


def error_of(value: int, function: str) -> CardError:
    """Return what a return value other than OK means, whatever was asked."""
    if value in CARD_IS_GONE:
        return CardGone()
    plain: dict[int, Callable[[], CardError]] = {
        PIN_INCORRECT: lambda: PinWrong(tries_left=None),
        PIN_LOCKED: PinBlocked,
        TOKEN_NOT_RECOGNISED: CardNotRecognised,
        USER_NOT_LOGGED_IN: PinNeeded,
        USER_ALREADY_LOGGED_IN: CardBusy,
        OTHER_USER_LOGGED_IN: CardBusy,
        FUNCTION_NOT_SUPPORTED: lambda: CardCannot(capability=function),
    }
    return plain.get(value, lambda: CardRefused(status=value, command=function))()


def error_of_pin(value: int, function: str, *, tries_left: int | None, rules: PinRules) -> CardError:
    """Return what a return value means after a PIN of the holder was shown.

    The value decides and never a flag: a lock is told by `PIN_LOCKED`. `tries_left` (at least 1) is what the
    flags told after the attempt, None when nothing.
    """
    if value == PIN_INCORRECT:
        return PinWrong(tries_left=tries_left)
    if value in UNFIT:
        return PinUnfit(shortest=rules.shortest, longest=rules.longest, digits_only=rules.digits_only)
    return error_of(value, function)


def error_of_puk(value: int, function: str, *, tries_left: int | None, rules: PinRules) -> CardError:
    """Return what a return value means after a PUK (the security officer's PIN) was shown."""
    if value == PIN_INCORRECT:
        return PukWrong(tries_left=tries_left)
    if value == PIN_LOCKED:
        return PukBlocked()
    if value in UNFIT:
        return PukUnfit(shortest=rules.shortest, longest=rules.longest, digits_only=rules.digits_only)
    return error_of(value, function)


def error_of_management(value: int, function: str) -> CardError:
    """Return what a return value means after a management key was shown as the security officer's PIN."""
    if value in UNFIT | {PIN_INCORRECT, PIN_LOCKED}:
        return ManagementKeyWrong()
    return error_of(value, function)


def is_locked(value: int, user: UserType, *, before: TokenFlags, after: TokenFlags) -> bool:
    """Tell whether an attempt found a PIN locked, or locked it.

    The last wrong try is often answered with `PIN_INCORRECT`; then the flag tells, if it rose by this
    attempt.
    """
    locked = TokenFlags.pin_locked if user is UserType.user else TokenFlags.puk_locked
    return value == PIN_LOCKED or (value == PIN_INCORRECT and locked in after and locked not in before)


def tries_told(flags: TokenFlags, user: UserType) -> int | None:
    """Return how many tries the flags tell of, for a PIN that an attempt did not find locked.

    Only "the last one" is a number; "few left" is not, and "locked" is not believed, since modules go on
    saying it after an unblocking elsewhere.
    """
    final = TokenFlags.pin_final_try if user is UserType.user else TokenFlags.puk_final_try
    return 1 if final in flags else None


EXCEPTIONS: Final[Mapping[str, int]] = {
    "AnotherUserAlreadyLoggedIn": OTHER_USER_LOGGED_IN,
    "DeviceRemoved": DEVICE_REMOVED,
    "FunctionNotSupported": FUNCTION_NOT_SUPPORTED,
    "PinIncorrect": PIN_INCORRECT,
    "PinInvalid": PIN_INVALID,
    "PinLenRange": PIN_LEN_RANGE,
    "PinLocked": PIN_LOCKED,
    "SessionClosed": SESSION_CLOSED,
    "SessionHandleInvalid": SESSION_HANDLE_INVALID,
    "SlotIDInvalid": SLOT_ID_INVALID,
    "TokenNotPresent": TOKEN_NOT_PRESENT,
    "TokenNotRecognised": TOKEN_NOT_RECOGNISED,
    "UserAlreadyLoggedIn": USER_ALREADY_LOGGED_IN,
    "UserNotLoggedIn": USER_NOT_LOGGED_IN,
    "UserPinNotInitialized": USER_PIN_NOT_INITIALISED,
}
"""What python-pkcs11 raises, which carries no number, with the return value that it stands for."""


def value_of(raised: Exception) -> int:
    """Return the return value that an exception of python-pkcs11 stands for."""
    return EXCEPTIONS.get(type(raised).__name__, UNTOLD)
