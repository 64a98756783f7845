"""Personalising a PIV card: management key, keys, attestation, certificates, CHUID, reset."""

from __future__ import annotations

import hmac
from typing import Final

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cardkit import apdu, tlv
from cardkit.apdu import Command
from cardkit.card import (
    AttestationStatement,
    Capability,
    CardKey,
    Chuid,
    KeyAlgorithm,
    KeySlot,
    PinPolicy,
)
from cardkit.errors import (
    CardAnswerMalformed,
    CardRefused,
    KeyMissing,
    ManagementKeyWrong,
)
from cardkit.piv import codes, objects
from cardkit.piv.use import NO_SUCH_KEY, PivUse, authentication_value
from cardkit.secrets import ManagementKey, ManagementKeyKind

# No value that a person can type: PIN and PUK are ASCII.
NEVER_RIGHT: Final = b"\xff" * 8
# Tries are counted in one byte; more wrong ones than that and the card is not counting.
MOST_TRIES: Final = 255
# What cards answer to an authentication with a key of another kind, or with the wrong key.
WRONG_KEY: Final = NO_SUCH_KEY | {
    apdu.SECURITY_STATUS_UNSATISFIED,
    apdu.CONDITIONS_UNSATISFIED,
    apdu.WRONG_LENGTH,
    0x6300,
}


class PivMaking(PivUse):
    """A selected PIV card in personalisation; see `cardkit.card.CardMaking` for what each method promises."""

    def authenticate_management(self, key: ManagementKey) -> None:
        """Show each other that both know the management key (SP 800-73-4 part 2, A.2).

        Raises `ManagementKeyWrong`.
        """
        cipher = management_cipher(key)
        witness = self._exchange(key.kind, tlv.encode(codes.WITNESS), codes.WITNESS)
        block = _block_bytes(key.kind)
        if len(witness) != block:
            raise CardAnswerMalformed("the witness is not one block")
        decryptor = cipher.decryptor()
        shown = decryptor.update(witness) + decryptor.finalize()
        challenge = self._random_bytes(block)
        question = tlv.encode(codes.WITNESS, shown) + tlv.encode(codes.CHALLENGE, challenge)
        answer = self._exchange(key.kind, question, codes.RESPONSE)
        encryptor = cipher.encryptor()
        if not hmac.compare_digest(answer, encryptor.update(challenge) + encryptor.finalize()):
            raise ManagementKeyWrong

    def set_management_key(self, new: ManagementKey) -> None:
        """Replace the management key. Raises `CardCannot`, `ManagementKeyNeeded`."""
        self._need(Capability.set_management_key)
        data = bytes([codes.MANAGEMENT_CODES[new.kind]]) + tlv.encode(
            codes.MANAGEMENT_REFERENCE, new.for_card()
        )
        self._expect_ok("SET MANAGEMENT KEY", Command(0, codes.SET_MANAGEMENT_KEY, 0xFF, 0xFF, data))

    def generate_key(
        self, slot: KeySlot, algorithm: KeyAlgorithm, pin_policy: PinPolicy | None = None
    ) -> CardKey:
        """Make a new key in `slot`.

        The PIN policy is asked for only where the card knows such a thing; a card that holds strictly to the
        standard has its own, fixed by the slot. Raises `ManagementKeyNeeded`, `CardRefused`.
        """
        wanted = tlv.encode(codes.ALGORITHM, bytes([codes.ALGORITHM_CODES[algorithm]]))
        if pin_policy is not None and self.firmware is not None:
            wanted += tlv.encode(codes.PIN_POLICY, bytes([codes.PIN_POLICY_CODES[pin_policy]]))
        data = tlv.encode(codes.GENERATE_TEMPLATE, wanted)
        answer = self._expect_ok("GENERATE", Command(0, codes.GENERATE, 0, slot.reference, data, le=256))
        template = tlv.unwrap(answer, codes.PUBLIC_KEY)
        return CardKey(slot, objects.decode_public_key(template, algorithm))

    def attest(self, slot: KeySlot) -> AttestationStatement:
        """Return the card's proof that the key in `slot` was made on it.

        Raises `CardCannot`, `KeyMissing`.
        """
        self._need(Capability.attest)
        answer = self._channel.send(Command(0, codes.ATTEST, slot.reference, 0, le=256))
        if answer.status in NO_SUCH_KEY:
            raise KeyMissing(slot=slot.value)
        if answer.status != apdu.OK:
            raise CardRefused(status=answer.status, command="ATTEST")
        content = self._read_object(codes.ATTESTATION_CERTIFICATE_OBJECT)
        if not content:
            raise KeyMissing(slot="attestation")
        return AttestationStatement(
            statement_der=answer.data,
            intermediate_der=tlv.required(tlv.by_tag(content), objects.CERTIFICATE),
        )

    def write_certificate(self, slot: KeySlot, certificate: x509.Certificate) -> None:
        """Write the certificate that belongs to `slot`. Raises `ManagementKeyNeeded`."""
        self._write_object(codes.CERTIFICATE_OBJECTS[slot], objects.encode_certificate(certificate))

    def delete_certificate(self, slot: KeySlot) -> None:
        """Empty the certificate object of `slot`. Raises `ManagementKeyNeeded`."""
        self._write_object(codes.CERTIFICATE_OBJECTS[slot], b"")

    def read_chuid(self) -> Chuid | None:
        """Return the card's CHUID, or None on a blank card."""
        content = self._read_object(codes.CHUID_OBJECT)
        return objects.decode_chuid(content) if content else None

    def write_chuid(self, chuid: Chuid) -> None:
        """Write the card's CHUID. Raises `ManagementKeyNeeded`."""
        self._write_object(codes.CHUID_OBJECT, objects.encode_chuid(chuid))

    def reset(self) -> None:
        """Make the card blank: block PIN and PUK on purpose, then let it empty itself.

        Raises `CardCannot`.
        """
        self._need(Capability.reset)
        self._use_up(Command(0, codes.VERIFY, 0, codes.PIN_REFERENCE, NEVER_RIGHT))
        self._use_up(Command(0, codes.RESET_RETRY, 0, codes.PIN_REFERENCE, NEVER_RIGHT * 2))
        self._expect_ok("RESET", Command(0, codes.RESET, 0, 0))

    def _use_up(self, wrong: Command) -> None:
        for _ in range(MOST_TRIES + 1):
            status = self._channel.send(wrong).status
            left = apdu.tries_left(status)
            if left is None:
                raise CardRefused(status=status, command="blocking before RESET")
            if left == 0:
                return
        raise CardAnswerMalformed("the card does not count wrong tries")

    def _exchange(self, kind: ManagementKeyKind, question: bytes, tag: int) -> bytes:
        template = tlv.encode(codes.DYNAMIC_AUTHENTICATION, question)
        code = codes.MANAGEMENT_CODES[kind]
        answer = self._channel.send(
            Command(0, codes.GENERAL_AUTHENTICATE, code, codes.MANAGEMENT_REFERENCE, template, le=256)
        )
        if answer.status in WRONG_KEY:
            raise ManagementKeyWrong
        if answer.status != apdu.OK:
            raise CardRefused(status=answer.status, command="GENERAL AUTHENTICATE")
        return authentication_value(answer.data, tag)

    def _write_object(self, name: int, content: bytes) -> None:
        data = tlv.encode(codes.OBJECT_NAME, name.to_bytes(3, "big")) + tlv.encode(codes.OBJECT_DATA, content)
        self._expect_ok("PUT DATA", Command(0, codes.PUT_DATA, 0x3F, 0xFF, data))


def management_cipher(key: ManagementKey) -> Cipher[modes.ECB]:
    """Return the cipher of one block that management authentication uses.

    ECB is what SP 800-73-4 part 2, A.2 prescribes; it only ever covers one random block.
    """
    kind = TripleDES if key.kind is ManagementKeyKind.tdes else algorithms.AES
    return Cipher(kind(key.for_card()), modes.ECB())  # noqa: S305


def _block_bytes(kind: ManagementKeyKind) -> int:
    return 8 if kind is ManagementKeyKind.tdes else 16
