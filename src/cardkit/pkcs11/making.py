"""Personalising a token: keys and certificates, by whoever makes them on this kind of token.

Where the security officer's PIN is a PUK the holder makes keys, after `verify_pin`; where it is a management
key, that makes them (`codes.Officer`). A token knows one of the two at a time.
"""

from __future__ import annotations

from typing import Any, Final

from cryptography import x509
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass

from cardkit.card import (
    AttestationStatement,
    Capability,
    CardKey,
    Chuid,
    KeyAlgorithm,
    KeySlot,
    PinPolicy,
)
from cardkit.errors import CardAnswerMalformed, CardCannot, ManagementKeyNeeded, PinNeeded
from cardkit.pkcs11 import codes, objects
from cardkit.pkcs11.codes import KEY_IDS, OK, Officer, TokenAct, UserType
from cardkit.pkcs11.use import Pkcs11Use
from cardkit.secrets import ManagementKey

RSA_BITS: Final = {KeyAlgorithm.rsa2048: 2048, KeyAlgorithm.rsa3072: 3072, KeyAlgorithm.rsa4096: 4096}


class Pkcs11Making(Pkcs11Use):
    """A token in personalisation; see `cardkit.card.CardMaking` for what each method promises."""

    _management: ManagementKey | None = None

    def authenticate_management(self, key: ManagementKey) -> None:
        """Log in as security officer with the management key, where that is what the officer has.

        A token whose officer has a PUK is not asked: a wrong PUK would cost a try.

        Raises `CardCannot`, `ManagementKeyWrong`.
        """
        if self._officer is not Officer.management_key:
            raise CardCannot(capability=TokenAct.authenticate_management.value)
        value = self._log_in(UserType.security_officer, key.for_token())
        if value != OK:
            raise codes.error_of_management(value, "C_Login")
        self._management = key

    def set_management_key(self, new: ManagementKey) -> None:
        """Replace the management key. Raises `CardCannot`, `ManagementKeyNeeded`."""
        if self._officer is not Officer.management_key:
            raise CardCannot(capability=Capability.set_management_key.value)
        if self._role is not UserType.security_officer or self._management is None:
            raise ManagementKeyNeeded
        old = self._management.for_token()
        with self._calling("C_SetPIN"):
            value = self._module.cryptoki.set_pin(self._session.handle, old, new.for_token())
        if value != OK:
            raise codes.error_of_management(value, "C_SetPIN")
        self._management = new

    def generate_key(
        self, slot: KeySlot, algorithm: KeyAlgorithm, pin_policy: PinPolicy | None = None
    ) -> CardKey:
        """Make a new key pair; an old one for that slot is gone.

        Where the holder makes keys, one that is *always* to be used with the PIN is made so.
        Raises `PinNeeded`, `ManagementKeyNeeded`, `CardRefused`.
        """
        self._need_maker()
        with self._calling("C_GenerateKeyPair"):
            if self._officer is Officer.puk:
                self._destroy(slot, ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY)
            public, _ = self._generate(slot, algorithm, _private_template(self._officer, slot, pin_policy))
            key = CardKey(slot, objects.decode_public_key(public))
        if key.algorithm is not algorithm:
            raise CardAnswerMalformed("the key is of another kind than was asked for")
        return key

    def read_key(self, slot: KeySlot) -> CardKey | None:
        """Return the key that was made for `slot` here, else that of the certificate with its usage."""
        with self._calling("C_FindObjects"):
            public = objects.public_key(self._session, KEY_IDS[slot])
        if public is not None:
            return CardKey(slot, public)
        fitting = [found for found in self._certificates() if found.slot is slot]
        return fitting[0].key if fitting else None

    def attest(self, slot: KeySlot) -> AttestationStatement:  # noqa: ARG002 - the protocol has it
        """Raise `CardCannot`: PKCS#11 has no such function."""
        raise CardCannot(capability=Capability.attest.value)

    def write_certificate(self, slot: KeySlot, certificate: x509.Certificate) -> None:
        """Write the certificate that belongs to `slot`, in place of an older one.

        Raises `PinNeeded`, `ManagementKeyNeeded`.
        """
        self._need_maker()
        with self._calling("C_CreateObject"):
            self._destroy(slot, ObjectClass.CERTIFICATE)
            template = objects.certificate_template(KEY_IDS[slot], slot.value, certificate)
            self._session.create_object(template)

    def delete_certificate(self, slot: KeySlot) -> None:
        """Remove the certificate of `slot`. Raises `PinNeeded`, `ManagementKeyNeeded`."""
        self._need_maker()
        with self._calling("C_DestroyObject"):
            self._destroy(slot, ObjectClass.CERTIFICATE)

    def read_chuid(self) -> Chuid | None:
        """Return None: a token has no CHUID."""
        return None

    def write_chuid(self, chuid: Chuid) -> None:  # noqa: ARG002 - the protocol has it
        """Raise `CardCannot`: a token has no place for a CHUID."""
        raise CardCannot(capability=TokenAct.write_chuid.value)

    def reset(self) -> None:
        """Raise `CardCannot`: who makes a token blank needs its PUK (`Pkcs11Reader.initialise`)."""
        raise CardCannot(capability=Capability.reset.value)

    def _need_maker(self) -> None:
        if self._officer is Officer.puk and self._role is not UserType.user:
            raise PinNeeded
        if self._officer is Officer.management_key and self._role is not UserType.security_officer:
            raise ManagementKeyNeeded

    def _destroy(self, slot: KeySlot, *kinds: ObjectClass) -> None:
        for kind in kinds:
            for thing in objects.find_all(self._session, kind, KEY_IDS[slot]):
                thing.destroy()

    def _generate(self, slot: KeySlot, algorithm: KeyAlgorithm, private: dict[Any, Any]) -> tuple[Any, Any]:
        wanted = {
            "id": KEY_IDS[slot],
            "label": slot.value,
            "store": True,
            "capabilities": _capabilities(slot, algorithm),
            "private_template": private,
        }
        if algorithm in RSA_BITS:
            made = self._session.generate_keypair(KeyType.RSA, RSA_BITS[algorithm], **wanted)
        else:
            parameters = {Attribute.EC_PARAMS: objects.CURVE_PARAMETERS[algorithm]}
            curve = self._session.create_domain_parameters(KeyType.EC, parameters, local=True)
            made = curve.generate_keypair(**wanted)
        public, private_key = made
        return public, private_key


def _capabilities(slot: KeySlot, algorithm: KeyAlgorithm) -> MechanismFlag:
    """Return what a key is for; that of the confidentiality slot also signs its own request."""
    signing = MechanismFlag.SIGN | MechanismFlag.VERIFY
    if slot is not KeySlot.confidentiality:
        return signing
    if algorithm in RSA_BITS:
        return signing | MechanismFlag.DECRYPT | MechanismFlag.ENCRYPT
    return signing | MechanismFlag.DERIVE


def _private_template(officer: Officer, slot: KeySlot, policy: PinPolicy | None) -> dict[Any, Any]:
    """Return what a private key is besides its use: never readable.

    A module for PIV cards has its own rule for each slot and refuses to be told.
    """
    if officer is Officer.management_key:
        return {}
    is_always = policy is PinPolicy.always or (policy is None and slot is KeySlot.signature)
    return {Attribute.EXTRACTABLE: False, Attribute.ALWAYS_AUTHENTICATE: is_always}
