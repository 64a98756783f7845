"""What the return values and flags of PKCS#11 mean for a caller, as tables."""

from typing import Any

import pytest

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
from cardkit.pkcs11 import codes
from cardkit.pkcs11.codes import Officer, TokenFlags, UserType
from cardkit.pkcs11.cryptoki import TokenInfo, _FunctionList, _TokenInfo
from cardkit.secrets import SMARTCARD_PIN, ManagementKey, ManagementKeyKind, Pin, PinRules, Puk

SAME_ALWAYS: list[tuple[str, int, type[CardError]]] = [
    ("CKR_SLOT_ID_INVALID", 0x003, CardGone),
    ("CKR_GENERAL_ERROR", 0x005, CardRefused),
    ("CKR_FUNCTION_FAILED", 0x006, CardRefused),
    ("CKR_ARGUMENTS_BAD", 0x007, CardRefused),
    ("CKR_DEVICE_ERROR", 0x030, CardRefused),
    ("CKR_DEVICE_REMOVED", 0x032, CardGone),
    ("CKR_FUNCTION_NOT_SUPPORTED", 0x054, CardCannot),
    ("CKR_KEY_FUNCTION_NOT_PERMITTED", 0x068, CardRefused),
    ("CKR_PIN_EXPIRED", 0x0A3, CardRefused),
    ("CKR_SESSION_CLOSED", 0x0B0, CardGone),
    ("CKR_SESSION_HANDLE_INVALID", 0x0B3, CardGone),
    ("CKR_SESSION_READ_ONLY", 0x0B5, CardRefused),
    ("CKR_TOKEN_NOT_PRESENT", 0x0E0, CardGone),
    ("CKR_TOKEN_NOT_RECOGNIZED", 0x0E1, CardNotRecognised),
    ("CKR_TOKEN_WRITE_PROTECTED", 0x0E2, CardRefused),
    ("CKR_USER_ALREADY_LOGGED_IN", 0x100, CardBusy),
    ("CKR_USER_NOT_LOGGED_IN", 0x101, PinNeeded),
    ("CKR_USER_PIN_NOT_INITIALIZED", 0x102, CardRefused),
    ("CKR_USER_ANOTHER_ALREADY_LOGGED_IN", 0x104, CardBusy),
    ("CKR_VENDOR_DEFINED", 0x80000000, CardRefused),
]
"""What means the same whatever was shown before it."""

OF_A_SECRET: list[tuple[str, int, type[CardError], type[CardError], type[CardError], type[CardError]]] = [
    ("CKR_PIN_INCORRECT", 0x0A0, PinWrong, PinWrong, PukWrong, ManagementKeyWrong),
    ("CKR_PIN_INVALID", 0x0A1, CardRefused, PinUnfit, PukUnfit, ManagementKeyWrong),
    ("CKR_PIN_LEN_RANGE", 0x0A2, CardRefused, PinUnfit, PukUnfit, ManagementKeyWrong),
    ("CKR_PIN_LOCKED", 0x0A4, PinBlocked, PinBlocked, PukBlocked, ManagementKeyWrong),
    ("CKR_PIN_TOO_WEAK", 0x1B8, CardRefused, PinUnfit, PukUnfit, ManagementKeyWrong),
]
"""What means something else when nothing, a PIN, a PUK or a management key was shown before it."""

STANDARD = {name: value for name, value, *_ in (*SAME_ALWAYS, *OF_A_SECRET)}
"""Return values by their names and numbers in the header of PKCS #11 v3.1 (pkcs11t.h)."""


def shown(place: int) -> list[Any]:
    """The rows for one of the four: nothing, a PIN, a PUK, a management key."""
    always = [pytest.param(value, kind, id=name) for name, value, kind in SAME_ALWAYS]
    return [*always, *(pytest.param(value, kinds[place], id=name) for name, value, *kinds in OF_A_SECRET)]


@pytest.mark.parametrize(("value", "kind"), shown(0))
def test_each_return_value_is_an_error_of_cards(value: int, kind: type[CardError]) -> None:
    """ALL-2: no trouble of a module is without a name."""
    error = codes.error_of(value, "C_Any")
    assert type(error) is kind
    if isinstance(error, CardRefused):
        assert (error.status, error.command) == (value, "C_Any")


@pytest.mark.parametrize(("value", "kind"), shown(1))
def test_each_return_value_after_a_pin_was_shown(value: int, kind: type[CardError]) -> None:
    """PIN-1, PIN-3: wrong, locked and unfit are three things."""
    error = codes.error_of_pin(value, "C_Login", tries_left=1, rules=SMARTCARD_PIN)
    assert type(error) is kind
    if isinstance(error, PinWrong):
        assert error.tries_left == 1
    if isinstance(error, PinUnfit):
        assert (error.shortest, error.longest) == (6, 8)


@pytest.mark.parametrize(("value", "kind"), shown(2))
def test_each_return_value_after_a_puk_was_shown(value: int, kind: type[CardError]) -> None:
    """PIN-2: the security officer's PIN is the PUK."""
    error = codes.error_of_puk(value, "C_Login", tries_left=None, rules=SMARTCARD_PIN)
    assert type(error) is kind
    if isinstance(error, PukWrong):
        assert error.tries_left is None


@pytest.mark.parametrize(("value", "kind"), shown(3))
def test_each_return_value_after_a_management_key_was_shown(value: int, kind: type[CardError]) -> None:
    assert type(codes.error_of_management(value, "C_Login")) is kind


@pytest.mark.parametrize("value", [0x7FFFFFFF, 0x80000001, 0xFFFFFFFF])
def test_a_return_value_that_no_standard_has_is_a_refusal_that_names_it(value: int) -> None:
    error = codes.error_of(value, "C_Any")
    assert isinstance(error, CardRefused)
    assert error.status == value


LOW, FINAL, LOCKED = TokenFlags.pin_count_low, TokenFlags.pin_final_try, TokenFlags.pin_locked


@pytest.mark.parametrize(
    ("flags", "tries"),
    [
        (TokenFlags(0), None),
        (LOW, None),
        (FINAL, 1),
        (LOW | FINAL, 1),
        (LOCKED, None),
        (TokenFlags.puk_final_try, None),
    ],
)
def test_flags_tell_of_the_last_try_and_of_nothing_else(flags: TokenFlags, tries: int | None) -> None:
    """PIN-1: "few left" is no number, and "locked" may be stale."""
    assert codes.tries_told(flags, UserType.user) == tries


def test_the_flags_of_the_puk_are_its_own() -> None:
    assert codes.tries_told(TokenFlags.puk_final_try, UserType.security_officer) == 1
    assert codes.tries_told(FINAL, UserType.security_officer) is None


NONE = TokenFlags(0)


@pytest.mark.parametrize(
    ("value", "before", "after", "is_locked"),
    [
        (0x000, NONE, NONE, False),
        (0x000, LOCKED, LOCKED, False),  # the flag is stale: the token took the PIN
        (STANDARD["CKR_PIN_INCORRECT"], NONE, LOW, False),
        (STANDARD["CKR_PIN_INCORRECT"], FINAL, LOCKED, True),  # this very try locked it
        (STANDARD["CKR_PIN_INCORRECT"], LOCKED, LOCKED, False),  # a locked token would have said so
        (STANDARD["CKR_PIN_LOCKED"], NONE, NONE, True),
        (STANDARD["CKR_PIN_LOCKED"], LOCKED, LOCKED, True),
        (STANDARD["CKR_PIN_LEN_RANGE"], NONE, LOCKED, False),
    ],
)
def test_a_lock_is_told_by_the_attempt(
    value: int, before: TokenFlags, after: TokenFlags, is_locked: bool
) -> None:
    """PIN-1."""
    assert codes.is_locked(value, UserType.user, before=before, after=after) is is_locked


def test_a_locked_puk_is_not_a_locked_pin() -> None:
    puk = TokenFlags.puk_locked
    assert codes.is_locked(STANDARD["CKR_PIN_INCORRECT"], UserType.security_officer, before=NONE, after=puk)
    assert not codes.is_locked(STANDARD["CKR_PIN_INCORRECT"], UserType.user, before=NONE, after=puk)


def plain(name: str) -> str:
    """A name as the standard and the binding both have it."""
    return name.removeprefix("CKR_").replace("_", "").lower().replace("recognised", "recognized")


BY_PLAIN_NAME = {plain(name): value for name, value in STANDARD.items()} | {
    "anotheruseralreadyloggedin": STANDARD["CKR_USER_ANOTHER_ALREADY_LOGGED_IN"],  # the binding's own order
}


def test_every_exception_of_the_binding_means_what_its_return_value_means() -> None:
    """A name that python-pkcs11 no longer has would never match; one that it is given anew would be missed."""
    import pkcs11

    kinds = vars(pkcs11.exceptions).values()
    raised = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, pkcs11.PKCS11Error)]
    decided = set()
    for kind in raised:
        told = codes.value_of(kind())
        value = BY_PLAIN_NAME.get(plain(kind.__name__))
        if told != codes.UNTOLD:
            decided.add(kind.__name__)
            assert told == value, kind
        elif value is not None:
            assert type(codes.error_of(value, "C_Any")) is CardRefused, kind
    assert decided == set(codes.EXCEPTIONS)


def test_flags_and_users_have_the_numbers_of_the_standard() -> None:
    """PKCS #11 3.1, CK_TOKEN_INFO and CK_USER_TYPE, as the binding has them."""
    from pkcs11 import TokenFlag
    from pkcs11 import UserType as Users

    pin = (TokenFlags.pin_count_low, FINAL, LOCKED, TokenFlags.pin_to_be_changed)
    puk = (
        TokenFlags.puk_count_low,
        TokenFlags.puk_final_try,
        TokenFlags.puk_locked,
        TokenFlags.puk_to_be_changed,
    )
    for whose, flags in (("USER", pin), ("SO", puk)):
        for flag, name in zip(flags, ("COUNT_LOW", "FINAL_TRY", "LOCKED", "TO_BE_CHANGED"), strict=True):
            assert flag == TokenFlag[f"{whose}_PIN_{name}"]
    assert TokenFlags.write_protected == TokenFlag.WRITE_PROTECTED
    assert TokenFlags.login_required == TokenFlag.LOGIN_REQUIRED
    assert TokenFlags.user_pin_set == TokenFlag.USER_PIN_INITIALIZED
    assert TokenFlags.pin_pad == TokenFlag.PROTECTED_AUTHENTICATION_PATH
    assert TokenFlags.initialised == TokenFlag.TOKEN_INITIALIZED
    assert (UserType.security_officer, UserType.user) == (int(Users.SO), int(Users.USER))


@pytest.mark.parametrize(
    ("manufacturer", "officer"),
    [
        ("Yubico (www.yubico.com)", Officer.management_key),
        ("SoftHSM project", Officer.puk),
        ("A.E.T. Europe B.V.", Officer.puk),
        ("", Officer.puk),
    ],
)
def test_what_the_security_officer_has_follows_from_the_token(manufacturer: str, officer: Officer) -> None:
    assert codes.officer_of(manufacturer) is officer


@pytest.mark.parametrize(
    ("shortest", "longest", "rules"),
    [
        (4, 255, PinRules(6, 8, digits_only=False)),
        (6, 6, PinRules(6, 6, digits_only=False)),
        (7, 15, PinRules(7, 8, digits_only=False)),
        (0, 0, PinRules(6, 8, digits_only=False)),
        (8, 12, PinRules(8, 8, digits_only=False)),
        (10, 12, PinRules(10, 10, digits_only=False)),
    ],
)
def test_our_rules_are_narrowed_to_what_the_token_takes(shortest: int, longest: int, rules: PinRules) -> None:
    """PIN-3: what the token would refuse is refused before it hears of it."""
    from cardkit.pkcs11.session import narrowed

    info = TokenInfo("", "", "", "", NONE, shortest, longest)
    assert narrowed(SMARTCARD_PIN, info) == rules


def test_secrets_go_to_a_module_as_they_are_typed() -> None:
    """PKCS #11: no filling; a management key in hexadecimal."""
    assert Pin("Linde24").for_token() == b"Linde24"
    assert Puk("1234 5678").for_token() == b"12345678"
    key = ManagementKey(bytes(range(24)), ManagementKeyKind.tdes)
    assert key.for_token() == b"000102030405060708090a0b0c0d0e0f1011121314151617"


def test_structures_are_laid_out_as_the_standard_says() -> None:
    """PKCS #11 2.40, 3.2: four texts of 96 bytes together, eleven numbers, two versions, a time."""
    import ctypes

    assert _TokenInfo.flags.offset == 96
    assert _TokenInfo.hardware_version.offset == 96 + 11 * ctypes.sizeof(ctypes.c_ulong)
    assert _TokenInfo.utc_time.offset == _TokenInfo.hardware_version.offset + 4
    assert _FunctionList.functions.offset == ctypes.sizeof(ctypes.c_void_p)
