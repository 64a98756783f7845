"""The calls of a module that carry a PIN, or that python-pkcs11 does not have, by ctypes.

python-pkcs11 logs in while it opens a session, and loses the session when the PIN was wrong: the next login
of the security officer is then refused. Here a login is made on a session that is open, so nothing is lost,
and a PIN never becomes a text of the interpreter. Source: PKCS #11 2.40, 3.1, 5.5 and 5.6.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from cardkit.errors import ModuleFlaw, ModuleUnusable
from cardkit.pkcs11.codes import OK, TokenFlags, UserType

Ulong = ctypes.c_ulong
Bytes = ctypes.c_char_p
# PKCS #11 2.40, 2.1: on Windows structures have no gaps; elsewhere they are as the compiler lays them out.
PACKING: Final = 1 if sys.platform == "win32" else 0
FUNCTIONS: Final = 68
LABEL_BYTES: Final = 32
# CK_SESSION_INFO: slot, state, flags and the device's own error, all of one size.
SESSION_INFO_FIELDS: Final = 4
# The places of functions in CK_FUNCTION_LIST (pkcs11f.h).
INITIALISE: Final = 0
FINALISE: Final = 1
GET_TOKEN_INFO: Final = 6
INIT_TOKEN: Final = 9
INIT_PIN: Final = 10
SET_PIN: Final = 11
GET_SESSION_INFO: Final = 15
LOGIN: Final = 18
LOGOUT: Final = 19


ALL_FLAGS: Final = sum(TokenFlags)
"""Flags that nobody here asks about are left out."""


class _Version(ctypes.Structure):
    _fields_: ClassVar = [("major", ctypes.c_ubyte), ("minor", ctypes.c_ubyte)]


class _FunctionList(ctypes.Structure):
    _pack_ = PACKING
    _fields_: ClassVar = [("version", _Version), ("functions", ctypes.c_void_p * FUNCTIONS)]


class _TokenInfo(ctypes.Structure):
    _pack_ = PACKING
    _fields_: ClassVar = [
        ("label", ctypes.c_char * LABEL_BYTES),
        ("manufacturer", ctypes.c_char * 32),
        ("model", ctypes.c_char * 16),
        ("serial", ctypes.c_char * 16),
        ("flags", Ulong),
        ("most_sessions", Ulong),
        ("sessions", Ulong),
        ("most_rw_sessions", Ulong),
        ("rw_sessions", Ulong),
        ("longest_pin", Ulong),
        ("shortest_pin", Ulong),
        ("total_public_memory", Ulong),
        ("free_public_memory", Ulong),
        ("total_private_memory", Ulong),
        ("free_private_memory", Ulong),
        ("hardware_version", _Version),
        ("firmware_version", _Version),
        ("utc_time", ctypes.c_char * 16),
    ]


@dataclass(frozen=True)
class TokenInfo:
    """What a token says of itself now. Lengths of PINs are in bytes, both ends count."""

    label: str
    manufacturer: str
    model: str
    serial: str
    flags: TokenFlags
    shortest_pin: int
    longest_pin: int


class Cryptoki:
    """The calls, each answering the return value of the module as it is.

    The module must be loaded and initialised already; `path` finds that same one again.
    """

    def __init__(self, path: str) -> None:
        try:
            library = ctypes.CDLL(path)
            listed = ctypes.POINTER(_FunctionList)()
            value = library.C_GetFunctionList(ctypes.byref(listed))
        except (OSError, AttributeError) as error:
            raise ModuleUnusable(module=path, flaw=ModuleFlaw.unfit) from error
        if value != OK or not listed:
            raise ModuleUnusable(module=path, flaw=ModuleFlaw.unfit)
        self._library = library  # stays loaded as long as its functions are used
        self._functions = listed.contents.functions

    def start(self) -> int:
        """Start the module (C_Initialize)."""
        return self._call(INITIALISE, None)

    def end(self) -> int:
        """End everything that the module does (C_Finalize).

        python-pkcs11 has all other threads of the interpreter wait meanwhile, be it for a card.
        """
        return self._call(FINALISE, None)

    def token_info(self, slot_id: int) -> tuple[int, TokenInfo | None]:
        """Return what the token in a slot says of itself, or None with the value that says why not."""
        found = _TokenInfo()
        value = self._call(GET_TOKEN_INFO, Ulong(slot_id), ctypes.byref(found))
        return value, _told(found) if value == OK else None

    def init_token(self, slot_id: int, puk: bytes, label: str) -> int:
        """Make the token blank, and `puk` its security officer's PIN; one that it has already must be right.

        The label may have 32 bytes and is filled with blanks.
        """
        padded = label.encode("utf-8").ljust(LABEL_BYTES, b" ")
        if len(padded) != LABEL_BYTES:
            raise ValueError("a label has at most 32 bytes")
        return self._call(INIT_TOKEN, Ulong(slot_id), Bytes(puk), Ulong(len(puk)), Bytes(padded))

    def session_state(self, session: int) -> int:
        """Tell whether a session still lives: OK, or the value that says why not."""
        return self._call(GET_SESSION_INFO, Ulong(session), ctypes.byref((Ulong * SESSION_INFO_FIELDS)()))

    def login(self, session: int, user: UserType, pin: bytes) -> int:
        """Show a PIN, once."""
        return self._call(LOGIN, Ulong(session), Ulong(user), Bytes(pin), Ulong(len(pin)))

    def logout(self, session: int) -> int:
        """End the login of all sessions with this token in this process."""
        return self._call(LOGOUT, Ulong(session))

    def init_pin(self, session: int, pin: bytes) -> int:
        """Give the holder a PIN; the security officer must be logged in."""
        return self._call(INIT_PIN, Ulong(session), Bytes(pin), Ulong(len(pin)))

    def set_pin(self, session: int, old: bytes, new: bytes) -> int:
        """Replace the PIN of whoever is logged in; of the holder when nobody is."""
        return self._call(SET_PIN, Ulong(session), Bytes(old), Ulong(len(old)), Bytes(new), Ulong(len(new)))

    def _call(self, place: int, *arguments: Any) -> int:
        return int(ctypes.CFUNCTYPE(Ulong)(self._functions[place])(*arguments))


def _told(found: _TokenInfo) -> TokenInfo:
    return TokenInfo(
        label=_text(found.label),
        manufacturer=_text(found.manufacturer),
        model=_text(found.model),
        serial=_text(found.serial),
        flags=TokenFlags(found.flags & ALL_FLAGS),
        shortest_pin=found.shortest_pin,
        longest_pin=found.longest_pin,
    )


def _text(padded: bytes) -> str:
    return padded.split(b"\0")[0].decode("utf-8", errors="replace").rstrip()
