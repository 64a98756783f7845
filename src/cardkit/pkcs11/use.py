"""Using a token: reading, PIN, signing, decrypting, agreeing on a secret.

One C_Login per act of the user. A key that wants the PIN before each use (CKA_ALWAYS_AUTHENTICATE) gets the
one that was shown directly before, once: a PIN that the token has just taken costs no try.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from pkcs11 import KDF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, PKCS11Error
from pkcs11._pkcs11 import (  # type: ignore[attr-defined]  # its stubs leave these out
    DecryptMixin,
    DeriveMixin,
    SignMixin,
)

from cardkit.card import Capability, CardCertificate, CardKey, CertificateUsage, KeyAlgorithm
from cardkit.errors import (
    CardAnswerMalformed,
    CardCannot,
    CardRefused,
    CertificateMissing,
    KeyMissing,
    PinBlocked,
    PinNeeded,
    PukBlocked,
)
from cardkit.piv.objects import uncompressed_point
from cardkit.piv.padding import check_digest, digest_info
from cardkit.pkcs11 import codes, objects
from cardkit.pkcs11.codes import KEY_IDS, OK, Officer, TokenAct, UserType
from cardkit.pkcs11.cryptoki import TokenInfo
from cardkit.pkcs11.module import Module
from cardkit.secrets import ANY_PUK, Pin, PinRules, Puk
from cardkit.signatures import check_signature, digest_for

# What modules answer to a ciphertext that is not one: many ways, told to nobody (RFC 8017, 7.2.2, note).
NOT_FOR_THIS_KEY: Final = (CardRefused, CardCannot)


class Act(StrEnum):
    """What is done with a private key, by the name of the function."""

    sign = "C_Sign"
    decrypt = "C_Decrypt"


class Pkcs11Use:
    """A token in everyday use; see `cardkit.card.CardUse` for what each method promises."""

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

    # Reading

    def read_serial(self) -> str | None:
        """Return the token's serial number where it is a decimal one, else None."""
        return str(int(self._serial)) if Capability.serial in self.capabilities else None

    def read_certificates(self) -> list[CardCertificate]:
        """Return the holder's certificates, with the slot that their key usage stands for."""
        return [CardCertificate(found.slot, found.certificate) for found in self._certificates()]

    def certificate_for(self, usage: CertificateUsage) -> CardCertificate:
        """Return the one certificate with that usage, wherever it stands. Raises `CertificateMissing`."""
        fitting = [each for each in self.read_certificates() if each.usage is usage]
        if len(fitting) != 1:
            raise CertificateMissing(usage=usage.value)
        return fitting[0]

    # PIN and PUK

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

    # Keys

    def sign(self, key: CardKey, message: bytes, hash_algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        """Return a signature over `message`; the hash is SHA-384 for P-384, else SHA-256, unless given."""
        return self.sign_digest(key, *digest_for(key, message, hash_algorithm))

    def sign_digest(self, key: CardKey, digest: bytes, hash_algorithm: hashes.HashAlgorithm) -> bytes:
        """Return a signature over `digest`, checked against the public key.

        Raises `PinNeeded`, `KeyMissing`.
        """
        check_digest(digest, hash_algorithm)
        if isinstance(key.public_key, rsa.RSAPublicKey):
            signature = self._with_key(key, Act.sign, digest_info(digest, hash_algorithm), Mechanism.RSA_PKCS)
        else:
            # FIPS 186-5, 6.4.1: the leftmost bits as many as the curve has, here always whole bytes.
            block = digest[: key.public_key.curve.key_size // 8]
            signature = _as_der(self._with_key(key, Act.sign, block, Mechanism.ECDSA))
        check_signature(key.public_key, signature, digest, hash_algorithm)
        return signature

    def decrypt(self, key: CardKey, ciphertext: bytes) -> bytes:
        """Return what was encrypted to an RSA key under PKCS#1 v1.5.

        Raises `PinNeeded`, `KeyMissing`, `CardAnswerMalformed`.
        """
        public = key.public_key
        if not isinstance(public, rsa.RSAPublicKey) or len(ciphertext) != public.key_size // 8:
            raise ValueError("only what was encrypted to this RSA key can be decrypted")
        try:
            return self._with_key(key, Act.decrypt, ciphertext, Mechanism.RSA_PKCS)
        except NOT_FOR_THIS_KEY as error:
            raise CardAnswerMalformed("the message was not encrypted for this key") from error

    def agree(self, key: CardKey, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Return the x coordinate shared with the peer. Raises `PinNeeded`, `KeyMissing`."""
        if KeyAlgorithm.of_public_key(peer_public_key) is not key.algorithm:
            raise ValueError("both keys have to be on the same curve")
        with self._calling("C_DeriveKey"):
            secret = _able(self._private_key(key), DeriveMixin).derive_key(
                KeyType.GENERIC_SECRET,
                (peer_public_key.curve.key_size + 7) // 8 * 8,
                capabilities=MechanismFlag(0),
                mechanism=Mechanism.ECDH1_DERIVE,
                mechanism_param=(KDF.NULL, None, uncompressed_point(peer_public_key)),
                # Session objects only, and readable: the secret is what was asked for.
                template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True},
            )
            value = bytes(secret[Attribute.VALUE])
            secret.destroy()
        if len(value) != (peer_public_key.curve.key_size + 7) // 8:
            raise CardAnswerMalformed("the shared secret has a wrong length")
        return value

    # What the methods above share

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

    def _certificates(self) -> list[objects.Found]:
        with self._calling("C_FindObjects"):
            return objects.certificates(self._session)

    def _with_key(self, key: CardKey, act: Act, data: bytes, mechanism: Mechanism) -> bytes:
        with self._calling(act.value):
            private = self._private_key(key)
            again = self._pin_again() if _wants_pin_each_time(private) else None
            self._shown = None
            if act is Act.sign:
                return bytes(_able(private, SignMixin).sign(data, mechanism=mechanism, pin=again))
            return bytes(_able(private, DecryptMixin).decrypt(data, mechanism=mechanism, pin=again))

    def _private_key(self, key: CardKey) -> Any:
        """Return the private key object. Raises `PinNeeded` before a login, when nobody sees such objects."""
        if self._role is not UserType.user:
            raise PinNeeded
        for key_id in self._ids_of(key):
            for found in objects.find_all(self._session, ObjectClass.PRIVATE_KEY, key_id):
                return found
        for found in objects.find_by_modulus(self._session, key.public_key):
            return found
        raise KeyMissing(slot=key.slot.value)

    def _ids_of(self, key: CardKey) -> list[bytes]:
        """Return the CKA_IDs under which the key can be: that of its certificate, or the one given here."""
        found = [each.key_id for each in self._certificates() if each.key.public_key == key.public_key]
        made_here = KEY_IDS[key.slot]
        if not found and objects.public_key(self._session, made_here) == key.public_key:
            return [made_here]
        return found

    def _pin_again(self) -> str:
        if self._shown is None:
            raise PinNeeded
        return self._shown.for_token().decode("ascii")

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


def _wants_pin_each_time(private: Any) -> bool:
    try:
        return bool(private[Attribute.ALWAYS_AUTHENTICATE])
    except PKCS11Error:  # a module from before PKCS #11 2.20 does not know the attribute
        return False


def _able(private: Any, mixin: type[Any]) -> Any:
    """Return the key with an act that its attributes deny; ykcs11 denies CKA_DERIVE and derives."""
    if isinstance(private, mixin):
        return private
    return type("PrivateKey", (mixin, type(private)), {})(private.wrapper)


def _as_der(raw: bytes) -> bytes:
    """Return r ‖ s (PKCS #11 2.40 mechanisms, 2.3.1) as DER."""
    half = len(raw) // 2
    return utils.encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
