"""Writes one reserved card: PIN, management key, keys, certificates, PUK, proof. All in one exclusive hold.

The order is that of docs/desktop-protocol.md, chapter 7. A card that is not as it left stock is emptied
first, which the platform allowed for this card and this making only.
"""

import os
from datetime import date
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from cardkit.card import Capability, Card, CardKey, Chuid, KeyAlgorithm, KeySlot, PinPolicy
from cardkit.errors import CardCannot, CardRefused, ManagementKeyWrong, PinBlocked, PinWrong
from cardkit.possession import prove_agreement
from cardkit.request import build_request, public_key_info
from cardkit.secrets import ManagementKey, ManagementKeyKind, Pin, Puk
from zorgid.kernel.secrets import Secret
from zorgid.protocol.messages import (
    CardInstructions,
    CertificatesReply,
    CertificatesRequest,
    IssuanceRequest,
    IssuanceView,
    KeyOffer,
    KeyUsage,
    decode,
    encode,
)
from zorgid_desktop.flow.asking import Cancelled, Face, KeepPuk, Said
from zorgid_desktop.flow.new_card import prove_with_pin
from zorgid_desktop.server import Platform

SLOTS: Final = {usage: KeySlot(usage.value) for usage in KeyUsage}
PIN_POLICY: Final = {
    KeyUsage.authentication: PinPolicy.once,
    KeyUsage.signature: PinPolicy.always,
    KeyUsage.confidentiality: PinPolicy.once,
}


class CannotBeEmptied(Exception):
    """The card is not as it left stock, and cannot be brought back: it will be barred."""


def personalise(
    platform: Platform, face: Face, card: Card, instructions: CardInstructions, pin: Pin
) -> IssuanceView:
    """Make the card in the reader this person's card; returns the state after its proof.

    Raises:
        CannotBeEmptied: see there; nothing was written.
        CardError, PlatformRefused, PlatformUnreachable: it broke off; nothing of it is valid.
        Cancelled: the person did not confirm that the PUK is kept.
    """
    face.tell(Said("step-preparing"))
    _prepare(card, instructions, pin)
    face.tell(Said("step-keys"))
    offers = _make_keys(card, instructions, pin)
    face.tell(Said("step-certificates"))
    issuance_id = instructions.view.issuance_id
    reply = platform.call(
        "/issuance/certificates",
        CertificatesRequest(issuance_id=issuance_id, keys=offers),
        CertificatesReply,
    )
    _write_certificates(card, reply)
    face.tell(Said("step-puk"))
    _replace_puk(face, card, instructions)
    view = platform.call("/issuance/kept", IssuanceRequest(issuance_id=issuance_id), IssuanceView)
    face.tell(Said("step-proving"))
    return prove_with_pin(platform, card, view, Secret(bytes.fromhex(issuance_id.replace("-", ""))), pin)


def _prepare(card: Card, instructions: CardInstructions, pin: Pin) -> None:
    """Bring the card to its stock state where needed, then give it the new PIN, management key and CHUID."""
    kind = ManagementKeyKind(instructions.management_key_kind)
    transport_key = ManagementKey(decode(instructions.transport_management_key), kind)
    transport_pin = Pin(instructions.transport_pin)
    if not _is_pristine(card, transport_key, transport_pin):
        if not instructions.may_reset:
            raise CannotBeEmptied
        _empty(card)
        card.authenticate_management(transport_key)
    card.change_pin(transport_pin, pin)
    card.set_management_key(ManagementKey(decode(instructions.management_key), kind))
    card.write_chuid(Chuid(bytes.fromhex(instructions.guid), _chuid_expiry(instructions)))


def _empty(card: Card) -> None:
    """Bring the card back to its factory state. Raises `CannotBeEmptied` when it cannot or refuses."""
    try:
        card.reset()
    except (CardCannot, CardRefused) as refused:
        raise CannotBeEmptied from refused


def _chuid_expiry(instructions: CardInstructions) -> date:
    assert instructions.view.valid_until is not None
    return instructions.view.valid_until.date()


def _is_pristine(card: Card, transport_key: ManagementKey, transport_pin: Pin) -> bool:
    """Tell whether the card is as it left stock: transport values, no CHUID, no certificates.

    The transport PIN is tried only on a card that the platform reserved for this making.
    """
    if card.read_chuid() is not None or card.read_certificates():
        return False
    try:
        card.authenticate_management(transport_key)
        card.verify_pin(transport_pin)
    except (ManagementKeyWrong, PinWrong, PinBlocked):
        return False
    return True


def _make_keys(card: Card, instructions: CardInstructions, pin: Pin) -> tuple[KeyOffer, KeyOffer, KeyOffer]:
    algorithm = KeyAlgorithm(instructions.key_algorithm)
    keys = {usage: card.generate_key(SLOTS[usage], algorithm, _policy(card, usage)) for usage in KeyUsage}
    first, second, third = (_offer(card, instructions, usage, key, pin) for usage, key in keys.items())
    return first, second, third


def _policy(card: Card, usage: KeyUsage) -> PinPolicy | None:
    """Return the PIN policy to ask for; a strict card knows only its own."""
    return PIN_POLICY[usage] if Capability.metadata in card.capabilities else None


def _offer(card: Card, instructions: CardInstructions, usage: KeyUsage, key: CardKey, pin: Pin) -> KeyOffer:
    """Return one key with proof of possession, and of where it was made when the kind gives that."""
    statement = card.attest(key.slot) if instructions.attests else None
    card.verify_pin(pin)
    attestation = encode(statement.statement_der) if statement else None
    attestation_issuer = encode(statement.intermediate_der) if statement else None
    if usage is KeyUsage.confidentiality and isinstance(key.public_key, ec.EllipticCurvePublicKey):
        verifier = load_der_public_key(decode(instructions.agreement_key))
        assert isinstance(verifier, ec.EllipticCurvePublicKey)
        proof = prove_agreement(card, key, verifier, instructions.challenge.encode("ascii"))
        return KeyOffer(
            usage=usage,
            public_key=encode(public_key_info(key)),
            agreement_proof=encode(proof),
            attestation=attestation,
            attestation_issuer=attestation_issuer,
        )
    request = build_request(card, key, instructions.view.card_number or "", instructions.challenge)
    return KeyOffer(
        usage=usage,
        request=encode(request),
        attestation=attestation,
        attestation_issuer=attestation_issuer,
    )


def _write_certificates(card: Card, reply: CertificatesReply) -> None:
    """Write the certificates and read them back; a card that gives back something else is refused."""
    for usage, text in reply.certificates.items():
        card.write_certificate(SLOTS[usage], x509.load_der_x509_certificate(decode(text)))
    written = {one.slot: one.certificate.public_bytes(Encoding.DER) for one in card.read_certificates()}
    if written != {SLOTS[usage]: decode(text) for usage, text in reply.certificates.items()}:
        raise CardRefused(status=0, command="read back of certificates")


def _replace_puk(face: Face, card: Card, instructions: CardInstructions) -> None:
    """Give the card a random PUK and show it once.

    Raises `Cancelled` when the person does not keep it (CARD-8).
    """
    puk = Puk.generate(os.urandom)
    card.change_puk(Puk(instructions.transport_puk), puk)
    if not face.ask(KeepPuk(None, puk)):
        raise Cancelled
