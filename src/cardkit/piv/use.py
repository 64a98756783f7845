"""Using a PIV card: reading, PIN, signing, decrypting, agreeing on a secret.

One VERIFY per act of the user, never a second one on its own: a retry in any layer burns a try.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cardkit import apdu, tlv
from cardkit.apdu import Command, Response
from cardkit.card import (
    Capability,
    CardCertificate,
    CardKey,
    CertificateUsage,
    KeyAlgorithm,
    KeySlot,
)
from cardkit.certificates import the_one
from cardkit.errors import (
    CardAnswerMalformed,
    CardCannot,
    CardNotRecognised,
    CardRefused,
    KeyMissing,
    ManagementKeyNeeded,
    PinBlocked,
    PinNeeded,
    PinWrong,
    PukBlocked,
    PukWrong,
)
from cardkit.piv import codes, objects
from cardkit.piv.channel import Channel
from cardkit.piv.padding import check_digest, pad_digest, unpad_message
from cardkit.secrets import Pin, PinRules, Puk, RandomBytes
from cardkit.signatures import check_signature, digest_for

NO_SUCH_KEY: Final = frozenset({apdu.WRONG_DATA, apdu.WRONG_P1_P2, apdu.REFERENCE_NOT_FOUND})
VERIFY_CLEARS: Final = 0xFF


class PivUse:
    """A selected PIV card in everyday use; see `cardkit.card.CardUse` for what each method promises."""

    def __init__(
        self,
        channel: Channel,
        *,
        pin_rules: PinRules,
        firmware: tuple[int, int, int] | None,
        random_bytes: RandomBytes,
    ) -> None:
        self._channel = channel
        self._random_bytes = random_bytes
        self.pin_rules = pin_rules
        self.firmware = firmware
        self.capabilities = _capabilities(firmware)

    # Reading

    def read_serial(self) -> str | None:
        """Return the chip's serial number in decimal, or None when this kind of card does not tell one."""
        if Capability.serial not in self.capabilities:
            return None
        answer = self._expect_ok("GET SERIAL", Command(0, codes.GET_SERIAL, 0, 0, le=256))
        return str(int.from_bytes(answer, "big"))

    def read_certificates(self) -> list[CardCertificate]:
        """Return the certificates of all slots that hold one, in the order of `KeySlot`."""
        return [found for slot in KeySlot if (found := self._read_certificate(slot)) is not None]

    def certificate_for(self, usage: CertificateUsage) -> CardCertificate:
        """Return the one certificate with that usage, wherever it stands. Raises `CertificateMissing`."""
        return the_one(self.read_certificates(), usage)

    def read_key(self, slot: KeySlot) -> CardKey | None:
        """Return the key in `slot` as the card tells, else as its certificate says, or None."""
        if Capability.metadata in self.capabilities:
            return self._key_by_metadata(slot)
        certificate = self._read_certificate(slot)
        return None if certificate is None else certificate.key

    # PIN and PUK

    def pin_tries_left(self) -> int | None:
        """Return the tries left for the PIN at no cost.

        None when a standard card is logged in and tells nothing.
        """
        if Capability.metadata in self.capabilities:
            return self._tries_by_metadata(codes.PIN_REFERENCE)
        status = self._channel.send(Command(0, codes.VERIFY, 0, codes.PIN_REFERENCE)).status
        return apdu.tries_left(status)

    def puk_tries_left(self) -> int | None:
        """Return the tries left for the PUK at no cost; a standard card does not tell them."""
        if Capability.metadata in self.capabilities:
            return self._tries_by_metadata(codes.PUK_REFERENCE)
        return None

    def verify_pin(self, pin: Pin) -> None:
        """Show the PIN to the card, in exactly one VERIFY. Raises `PinUnfit`, `PinWrong`, `PinBlocked`."""
        pin.check(self.pin_rules)
        self._use_pin("VERIFY", codes.VERIFY, pin.for_card())

    def change_pin(self, old: Pin, new: Pin) -> None:
        """Replace the PIN. Raises `PinUnfit`, `PinWrong`, `PinBlocked`."""
        old.check(self.pin_rules)
        new.check(self.pin_rules)
        self._use_pin("CHANGE REFERENCE DATA", codes.CHANGE_REFERENCE, old.for_card() + new.for_card())

    def change_puk(self, old: Puk, new: Puk) -> None:
        """Replace the PUK. Raises `PukWrong`, `PukBlocked`."""
        data = old.for_card() + new.for_card()
        self._use_puk("CHANGE REFERENCE DATA", codes.CHANGE_REFERENCE, codes.PUK_REFERENCE, data)

    def unblock_pin(self, puk: Puk, new: Pin) -> None:
        """Give the card a new PIN and all tries back. Raises `PinUnfit`, `PukWrong`, `PukBlocked`."""
        new.check(self.pin_rules)
        data = puk.for_card() + new.for_card()
        self._use_puk("RESET RETRY COUNTER", codes.RESET_RETRY, codes.PIN_REFERENCE, data)

    def log_out(self) -> None:
        """Clear the PIN state and select the application again.

        Cards from before SP 800-73-4 do not know the clearing VERIFY; there the reset at the end of the
        connection does it.
        """
        self._channel.send(Command(0, codes.VERIFY, VERIFY_CLEARS, codes.PIN_REFERENCE))
        select(self._channel)

    # Keys

    def sign(self, key: CardKey, message: bytes, hash_algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        """Return a signature over `message`; the hash is SHA-384 for P-384, else SHA-256, unless given."""
        return self.sign_digest(key, *digest_for(key, message, hash_algorithm))

    def sign_digest(self, key: CardKey, digest: bytes, hash_algorithm: hashes.HashAlgorithm) -> bytes:
        """Return a signature over `digest`, checked against the public key.

        Raises `PinNeeded`, `KeyMissing`.
        """
        check_digest(digest, hash_algorithm)
        signature = self._use_key(key, codes.CHALLENGE, _block_to_sign(key, digest, hash_algorithm))
        check_signature(key.public_key, signature, digest, hash_algorithm)
        return signature

    def decrypt(self, key: CardKey, ciphertext: bytes) -> bytes:
        """Return what was encrypted to an RSA key under PKCS#1 v1.5.

        Raises `PinNeeded`, `CardAnswerMalformed`.
        """
        if (
            not isinstance(key.public_key, rsa.RSAPublicKey)
            or len(ciphertext) != key.public_key.key_size // 8
        ):
            raise ValueError("only what was encrypted to this RSA key can be decrypted")
        return unpad_message(self._use_key(key, codes.CHALLENGE, ciphertext))

    def agree(self, key: CardKey, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Return the x coordinate shared with the peer. Raises `PinNeeded`, `KeyMissing`."""
        if KeyAlgorithm.of_public_key(peer_public_key) is not key.algorithm:
            raise ValueError("both keys have to be on the same curve")
        secret = self._use_key(key, codes.EXPONENTIATION, objects.uncompressed_point(peer_public_key))
        if len(secret) != (peer_public_key.curve.key_size + 7) // 8:
            raise CardAnswerMalformed("the shared secret has a wrong length")
        return secret

    # What the methods above share

    def _use_key(self, key: CardKey, tag: int, value: bytes) -> bytes:
        template = tlv.encode(
            codes.DYNAMIC_AUTHENTICATION, [tlv.encode(codes.RESPONSE), tlv.encode(tag, value)]
        )
        algorithm = codes.ALGORITHM_CODES[key.algorithm]
        answer = self._channel.send(
            Command(0, codes.GENERAL_AUTHENTICATE, algorithm, key.slot.reference, template, le=256)
        )
        if answer.status in NO_SUCH_KEY:
            raise KeyMissing(slot=key.slot.value)
        if answer.status == apdu.SECURITY_STATUS_UNSATISFIED:
            raise PinNeeded
        return authentication_value(_ok("GENERAL AUTHENTICATE", answer), codes.RESPONSE)

    def _use_pin(self, command: str, ins: int, data: bytes) -> None:
        answer = self._channel.send(Command(0, ins, 0, codes.PIN_REFERENCE, data))
        left = apdu.tries_left(answer.status)
        if left == 0:
            raise PinBlocked
        if left is not None:
            raise PinWrong(tries_left=left)
        _ok(command, answer)

    def _use_puk(self, command: str, ins: int, reference: int, data: bytes) -> None:
        answer = self._channel.send(Command(0, ins, 0, reference, data))
        left = apdu.tries_left(answer.status)
        if left == 0:
            raise PukBlocked
        if left is not None:
            raise PukWrong(tries_left=left)
        _ok(command, answer)

    def _read_certificate(self, slot: KeySlot) -> CardCertificate | None:
        content = self._read_object(codes.CERTIFICATE_OBJECTS[slot])
        return None if not content else CardCertificate(slot, objects.decode_certificate(content))

    def _read_object(self, name: int) -> bytes | None:
        query = tlv.encode(codes.OBJECT_NAME, name.to_bytes(3, "big"))
        answer = self._channel.send(Command(0, codes.GET_DATA, 0x3F, 0xFF, query, le=256))
        if answer.status == apdu.NOT_FOUND:
            return None
        return tlv.unwrap(_ok("GET DATA", answer), codes.OBJECT_DATA)

    def _metadata(self, reference: int) -> dict[int, bytes] | None:
        answer = self._channel.send(Command(0, codes.GET_METADATA, 0, reference, le=256))
        if answer.status == apdu.REFERENCE_NOT_FOUND:
            return None
        return tlv.by_tag(_ok("GET METADATA", answer))

    def _key_by_metadata(self, slot: KeySlot) -> CardKey | None:
        found = self._metadata(slot.reference)
        if found is None:
            return None
        code = tlv.required(found, codes.META_ALGORITHM)
        for algorithm, known in codes.ALGORITHM_CODES.items():
            if code == bytes([known]):
                template = tlv.required(found, codes.META_PUBLIC_KEY)
                return CardKey(slot, objects.decode_public_key(template, algorithm))
        raise CardAnswerMalformed("a key of an unknown kind")

    def _tries_by_metadata(self, reference: int) -> int | None:
        retries = (self._metadata(reference) or {}).get(codes.META_RETRIES, b"")
        return retries[1] if len(retries) > 1 else None

    def _expect_ok(self, name: str, command: Command) -> bytes:
        return _ok(name, self._channel.send(command))

    def _need(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise CardCannot(capability=capability.value)


def select(channel: Channel) -> None:
    """Select the PIV application. Raises `CardNotRecognised`."""
    answer = channel.send(Command(0, codes.SELECT, 4, 0, codes.PIV_AID_WITHOUT_VERSION, le=256))
    if answer.status != apdu.OK or not answer.data.startswith(b"\x61"):
        raise CardNotRecognised


def read_firmware(channel: Channel) -> tuple[int, int, int] | None:
    """Return the firmware of a card with Yubico's extensions, or None for a card without them."""
    answer = channel.send(Command(0, codes.GET_VERSION, 0, 0, le=256))
    if answer.status != apdu.OK or len(answer.data) != codes.VERSION_BYTES:
        return None
    major, minor, patch = answer.data
    return major, minor, patch


def authentication_value(template: bytes, tag: int) -> bytes:
    """Return the value under `tag` in an answer to GENERAL AUTHENTICATE. Raises `TlvMalformed`."""
    return tlv.required(tlv.by_tag(tlv.unwrap(template, codes.DYNAMIC_AUTHENTICATION)), tag)


def _ok(name: str, answer: Response) -> bytes:
    """Return the data of an answer with status 9000, and raise the error of any other."""
    if answer.status == apdu.SECURITY_STATUS_UNSATISFIED:
        raise ManagementKeyNeeded
    if answer.status != apdu.OK:
        raise CardRefused(status=answer.status, command=name)
    return answer.data


def _capabilities(firmware: tuple[int, int, int] | None) -> frozenset[Capability]:
    """Return what cards with this firmware can do; None is a card that knows the standard alone."""
    if firmware is None:
        return frozenset()
    since = {
        Capability.reset: (0, 0, 0),
        Capability.set_management_key: (0, 0, 0),
        Capability.attest: (4, 3, 0),
        Capability.serial: (5, 0, 3),
        Capability.metadata: (5, 3, 0),
    }
    return frozenset(capability for capability, first in since.items() if firmware >= first)


def _block_to_sign(key: CardKey, digest: bytes, hash_algorithm: hashes.HashAlgorithm) -> bytes:
    if isinstance(key.public_key, rsa.RSAPublicKey):
        return pad_digest(digest, hash_algorithm, key_bytes=key.public_key.key_size // 8)
    # FIPS 186-5, 6.4.1: the leftmost bits as many as the curve has, here always whole bytes.
    return digest[: key.public_key.curve.key_size // 8]
