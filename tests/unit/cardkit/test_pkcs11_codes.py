"""What the return values and flags of PKCS#11 mean for a caller, as tables."""

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

GONE = (0x003, 0x032, 0x0B0, 0x0B3, 0x0E0)
UNFIT = (0x0A1, 0x0A2, 0x1B8)
ANYTHING_ELSE = (0x005, 0x006, 0x030, 0x102, 0x7FFFFFFF)

ALWAYS: list[tuple[int, type[CardError]]] = [
    *((value, CardGone) for value in GONE),
    *((value, CardRefused) for value in ANYTHING_ELSE),
    (0x054, CardCannot),
    (0x0E1, CardNotRecognised),
    (0x100, CardBusy),
    (0x101, PinNeeded),
    (0x104, CardBusy),
]


@pytest.mark.parametrize(("value", "kind"), [*ALWAYS, (0x0A0, PinWrong), (0x0A4, PinBlocked)])
def test_each_return_value_is_an_error_of_cards(value: int, kind: type[CardError]) -> None:
    """ALL-2: no trouble of a module is without a name."""
    error = codes.error_of(value, "C_Any")
    assert type(error) is kind
    if isinstance(error, CardRefused):
        assert (error.status, error.command) == (value, "C_Any")


@pytest.mark.parametrize(
    ("value", "kind"),
    [*ALWAYS, (0x0A0, PinWrong), (0x0A4, PinBlocked), *((value, PinUnfit) for value in UNFIT)],
)
def test_each_return_value_after_a_pin_was_shown(value: int, kind: type[CardError]) -> None:
    """PIN-1, PIN-3: wrong, locked and unfit are three things."""
    error = codes.error_of_pin(value, "C_Login", tries_left=1, rules=SMARTCARD_PIN)
    assert type(error) is kind
    if isinstance(error, PinWrong):
        assert error.tries_left == 1
    if isinstance(error, PinUnfit):
        assert (error.shortest, error.longest) == (6, 8)


@pytest.mark.parametrize(
    ("value", "kind"),
    [*ALWAYS, (0x0A0, PukWrong), (0x0A4, PukBlocked), *((value, PukUnfit) for value in UNFIT)],
)
def test_each_return_value_after_a_puk_was_shown(value: int, kind: type[CardError]) -> None:
    """PIN-2: the security officer's PIN is the PUK."""
    error = codes.error_of_puk(value, "C_Login", tries_left=None, rules=SMARTCARD_PIN)
    assert type(error) is kind
    if isinstance(error, PukWrong):
        assert error.tries_left is None


@pytest.mark.parametrize(
    ("value", "kind"), [*ALWAYS, *((value, ManagementKeyWrong) for value in (0x0A0, 0x0A4, *UNFIT))]
)
def test_each_return_value_after_a_management_key_was_shown(value: int, kind: type[CardError]) -> None:
    assert type(codes.error_of_management(value, "C_Login")) is kind


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
        (codes.OK, NONE, NONE, False),
        (codes.OK, LOCKED, LOCKED, False),  # the flag is stale: the token took the PIN
        (codes.PIN_INCORRECT, NONE, LOW, False),
        (codes.PIN_INCORRECT, FINAL, LOCKED, True),  # this very try locked it
        (codes.PIN_INCORRECT, LOCKED, LOCKED, False),  # a locked token would have said so
        (codes.PIN_LOCKED, NONE, NONE, True),
        (codes.PIN_LOCKED, LOCKED, LOCKED, True),
        (codes.PIN_LEN_RANGE, NONE, LOCKED, False),
    ],
)
def test_a_lock_is_told_by_the_attempt(
    value: int, before: TokenFlags, after: TokenFlags, is_locked: bool
) -> None:
    """PIN-1."""
    assert codes.is_locked(value, UserType.user, before=before, after=after) is is_locked


def test_a_locked_puk_is_not_a_locked_pin() -> None:
    puk = TokenFlags.puk_locked
    assert codes.is_locked(codes.PIN_INCORRECT, UserType.security_officer, before=NONE, after=puk)
    assert not codes.is_locked(codes.PIN_INCORRECT, UserType.user, before=NONE, after=puk)


def test_every_exception_of_the_binding_that_is_named_exists_and_has_its_number() -> None:
    """A name that python-pkcs11 no longer has would never match."""
    import pkcs11

    for name, value in codes.EXCEPTIONS.items():
        assert codes.value_of(getattr(pkcs11, name)()) == value
    assert codes.value_of(pkcs11.GeneralError()) == codes.UNTOLD


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
