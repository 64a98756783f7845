"""Lets a new card show the use of all three keys, after which the platform makes it active."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cardkit.card import Card, CertificateUsage
from cardkit.possession import prove_agreement
from cardkit.secrets import Pin
from zorgid.kernel.secrets import Secret
from zorgid.protocol.context import Context, Purpose
from zorgid.protocol.messages import (
    IssuanceRequest,
    IssuanceView,
    NewCardProof,
    ProofTask,
    decode,
    encode,
)
from zorgid.protocol.proof import answer_of_confidentiality_key, nonce_for
from zorgid_desktop.flow.asking import Face, Said
from zorgid_desktop.flow.cards import FlowStopped, show_pin
from zorgid_desktop.flow.proof import prove_context, prove_signature_key
from zorgid_desktop.server import Platform


class PinOfNewCardBlocked(Exception):
    """The PIN of the written card is blocked before the card was in use; it can be made anew."""


def prove_new_card(
    platform: Platform, face: Face, card: Card, view: IssuanceView, handle: Secret
) -> IssuanceView:
    """Ask the PIN of the written card and let it prove itself. Raises `PinOfNewCardBlocked`."""
    if card.pin_tries_left() == 0:
        raise PinOfNewCardBlocked
    try:
        pin = show_pin(face, card, context=None, holder=view.full_name)
    except FlowStopped:
        raise PinOfNewCardBlocked from None
    return prove_with_pin(platform, card, view, handle, pin)


def prove_with_pin(
    platform: Platform, card: Card, view: IssuanceView, handle: Secret, pin: Pin
) -> IssuanceView:
    """Fetch the task and answer it with all three keys.

    The card's PIN state is cleared at the end.
    """
    task = platform.call("/issuance/proof-task", IssuanceRequest(issuance_id=view.issuance_id), ProofTask)
    _require_own_task(platform, task.context)
    try:
        proof = _proof(card, view, task, handle, pin)
    finally:
        card.log_out()
    return platform.call("/issuance/prove", proof, IssuanceView)


def _require_own_task(platform: Platform, context: Context) -> None:
    is_ours = context.origin == platform.origin and context.app_key == platform.app_key.thumbprint()
    if not is_ours or context.purpose is not Purpose.prove_new_card:
        raise FlowStopped(Said("context-not-trusted"))


def _proof(card: Card, view: IssuanceView, task: ProofTask, handle: Secret, pin: Pin) -> NewCardProof:
    challenge, context = decode(task.challenge), task.context
    nonce = nonce_for(challenge, context, handle)
    authentication = card.certificate_for(CertificateUsage.authentication)
    signature = card.certificate_for(CertificateUsage.signature)
    card.verify_pin(pin)
    token = prove_context(card, authentication, challenge=challenge, context=context, handle=handle)
    answer = _confidentiality_answer(card, decode(task.confidentiality_test), nonce)
    card.verify_pin(pin)
    signed = prove_signature_key(card, signature.key, origin=context.origin, nonce=nonce)
    return NewCardProof(
        issuance_id=view.issuance_id,
        token=token,
        signature_by_signature_key=encode(signed),
        confidentiality_answer=encode(answer),
    )


def _confidentiality_answer(card: Card, test: bytes, nonce: str) -> bytes:
    key = card.certificate_for(CertificateUsage.confidentiality).key
    if not isinstance(key.public_key, ec.EllipticCurvePublicKey):
        return answer_of_confidentiality_key(card.decrypt(key, test), nonce)
    verifier = load_der_public_key(test)
    assert isinstance(verifier, ec.EllipticCurvePublicKey)
    return prove_agreement(card, key, verifier, nonce.encode("ascii"))
