"""Using a token: reading, signing, decrypting, agreeing on a secret.

A key that wants the PIN before each use (CKA_ALWAYS_AUTHENTICATE) gets the one that was shown directly
before, once: a PIN that the token has just taken costs no try.
"""

from __future__ import annotations

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
from cardkit.certificates import the_one
from cardkit.errors import (
    CardAnswerMalformed,
    CardCannot,
    CardRefused,
    KeyMissing,
    PinNeeded,
)
from cardkit.piv.objects import uncompressed_point
from cardkit.piv.padding import check_digest, digest_info
from cardkit.pkcs11 import objects
from cardkit.pkcs11.codes import KEY_IDS, UserType
from cardkit.pkcs11.session import Pkcs11Session
from cardkit.signatures import check_signature, digest_for

# What modules answer to a ciphertext that is not one: many ways, told to nobody (RFC 8017, 7.2.2, note).
NOT_FOR_THIS_KEY: Final = (CardRefused, CardCannot)


class Act(StrEnum):
    """What is done with a private key, by the name of the function."""

    sign = "C_Sign"
    decrypt = "C_Decrypt"


class Pkcs11Use(Pkcs11Session):
    """A token in everyday use; see `cardkit.card.CardUse` for what each method promises."""

    def read_serial(self) -> str | None:
        """Return the token's serial number where it is a decimal one, else None."""
        return str(int(self._serial)) if Capability.serial in self.capabilities else None

    def read_certificates(self) -> list[CardCertificate]:
        """Return the holder's certificates, with the slot that their key usage stands for."""
        return [CardCertificate(found.slot, found.certificate) for found in self._certificates()]

    def certificate_for(self, usage: CertificateUsage) -> CardCertificate:
        """Return the one certificate with that usage, wherever it stands. Raises `CertificateMissing`."""
        return the_one(self.read_certificates(), usage)

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
