"""A session with a token: the way of each call in it, and who is logged in, by PIN or PUK.

One C_Login per act of the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cardkit.card import Capability
from cardkit.errors import CardCannot, PinBlocked, PukBlocked
from cardkit.pkcs11 import codes
from cardkit.pkcs11.codes import OK, Officer, TokenAct, UserType
from cardkit.pkcs11.cryptoki import TokenInfo
from cardkit.pkcs11.module import Module
from cardkit.secrets import ANY_PUK, Pin, PinRules, Puk


class Pkcs11Session:
    """A token with its PINs and its login; see `cardkit.card.CardUse` for what each method promises."""

    def __init__(self, module: Module, slot_id: int, session: Any, *, pin_rules: PinRules) -> None:
        self._module = module
        self._slot_id = slot_id
        self._session = session
        self._role: UserType | None = None
        self._shown: Pin | None = None
        self._is_blocked = False
        info = module.token_info(slot_id)
        self._before = info.flags
        self._serial = info.serial
        self._officer = codes.officer_of(info.manufacturer)
        self.pin_rules = narrowed(pin_rules, info)
        self.firmware: tuple[int, int, int] | None = None
        self.capabilities = frozenset({Capability.serial} if self._serial.isdecimal() else ())

    def pin_tries_left(self) -> int | None:
        """Return the tries left for the PIN at no cost.

        They are 0 after an attempt that found it locked; else what the flags tell for sure, or None.
        """
        return 0 if self._is_blocked else self._tries(UserType.user)

    def puk_tries_left(self) -> int | None:
        """Return the tries left for the PUK at no cost, as far as the flags tell."""
        return self._tries(UserType.security_officer) if self._officer is Officer.puk else None

    def verify_pin(self, pin: Pin) -> None:
        """Show the PIN to the token, in exactly one C_Login.

        Raises `PinUnfit`, `PinWrong`, `PinBlocked`.
        """
        pin.check(self.pin_rules)
        value = self._log_in(UserType.user, pin.for_token())
        self._require_pin_taken(value, "C_Login")
        self._shown = pin

    def change_pin(self, old: Pin, new: Pin) -> None:
        """Replace the PIN. Raises `PinUnfit`, `PinWrong`, `PinBlocked`."""
        old.check(self.pin_rules)
        new.check(self.pin_rules)
        if self._role is UserType.security_officer:
            self.log_out()
        self._before = self._module.token_info(self._slot_id).flags
        with self._calling("C_SetPIN"):
            value = self._module.cryptoki.set_pin(self._session.handle, old.for_token(), new.for_token())
        self._shown = None
        self._require_pin_taken(value, "C_SetPIN")

    def change_puk(self, old: Puk, new: Puk) -> None:
        """Replace the security officer's PIN. Raises `CardCannot`, `PukUnfit`, `PukWrong`, `PukBlocked`."""
        self._log_in_with_puk(old, TokenAct.change_puk)
        try:
            with self._calling("C_SetPIN"):
                value = self._module.cryptoki.set_pin(self._session.handle, old.for_token(), new.for_token())
            self._require_puk_taken(value, "C_SetPIN")
        finally:
            self.log_out()

    def unblock_pin(self, puk: Puk, new: Pin) -> None:
        """Give the holder a new PIN, or the first one: the PUK logs in as security officer.

        Raises `CardCannot`, `PinUnfit`, `PukUnfit`, `PukWrong`, `PukBlocked`.
        """
        new.check(self.pin_rules)
        self._log_in_with_puk(puk, TokenAct.unblock_pin)
        try:
            with self._calling("C_InitPIN"):
                value = self._module.cryptoki.init_pin(self._session.handle, new.for_token())
            self._require_pin_taken(value, "C_InitPIN")
        finally:
            self.log_out()

    def log_out(self) -> None:
        """End the login. Raises nothing when nobody is logged in."""
        role, self._role, self._shown = self._role, None, None
        if role is None:
            return
        with self._calling("C_Logout"):
            value = self._module.cryptoki.logout(self._session.handle)
        if value not in {OK, codes.USER_NOT_LOGGED_IN}:
            raise codes.error_of(value, "C_Logout")

    @contextmanager
    def _calling(self, function: str) -> Iterator[None]:
        """Return a context for calls in the session. Raises `CardGone` when that is dead.

        It is asked first: python-pkcs11 writes a traceback about a search that could not even begin.
        """
        with self._module.calling(function):
            state = self._module.cryptoki.session_state(self._session.handle)
            if state != OK:
                raise codes.error_of(state, "C_GetSessionInfo")
            yield

    def _log_in(self, user: UserType, secret: bytes) -> int:
        self.log_out()
        self._before = self._module.token_info(self._slot_id).flags
        with self._calling("C_Login"):
            value = self._module.cryptoki.login(self._session.handle, user, secret)
        if value == OK:
            self._role = user
        return value

    def _log_in_with_puk(self, puk: Puk, act: TokenAct) -> None:
        if self._officer is not Officer.puk:
            raise CardCannot(capability=act.value)
        info = self._module.token_info(self._slot_id)
        puk.check(PinRules(info.shortest_pin, info.longest_pin, digits_only=False))
        self._require_puk_taken(self._log_in(UserType.security_officer, puk.for_token()), "C_Login")

    def _require_pin_taken(self, value: int, function: str) -> None:
        flags = self._module.token_info(self._slot_id).flags
        self._is_blocked = codes.is_locked(value, UserType.user, before=self._before, after=flags)
        if self._is_blocked:
            raise PinBlocked
        if value != OK:
            left = codes.tries_told(flags, UserType.user)
            raise codes.error_of_pin(value, function, tries_left=left, rules=self.pin_rules)

    def _require_puk_taken(self, value: int, function: str) -> None:
        user = UserType.security_officer
        flags = self._module.token_info(self._slot_id).flags
        if codes.is_locked(value, user, before=self._before, after=flags):
            raise PukBlocked
        if value != OK:
            left = codes.tries_told(flags, user)
            raise codes.error_of_puk(value, function, tries_left=left, rules=ANY_PUK)

    def _tries(self, user: UserType) -> int | None:
        return codes.tries_told(self._module.token_info(self._slot_id).flags, user)


def narrowed(rules: PinRules, info: TokenInfo) -> PinRules:
    """Return `rules` within the lengths that the token takes; lengths of 0 say nothing."""
    longest = info.longest_pin or rules.longest
    shortest = max(rules.shortest, min(info.shortest_pin, longest))
    return PinRules(shortest, max(shortest, min(rules.longest, longest)), digits_only=rules.digits_only)
