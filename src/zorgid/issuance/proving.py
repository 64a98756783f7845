"""The last step of a making: the new card shows the use of all three keys and becomes active."""

import hmac
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardkit.errors import PossessionUnproven as CardPossessionUnproven
from cardkit.possession import check_agreement
from zorgid.audit.actions import record
from zorgid.audit.model import Event
from zorgid.ca import actions as ca
from zorgid.ca.model import IssuedCertificate
from zorgid.cards import actions as cards
from zorgid.clients.model import PORTAL_NAME
from zorgid.issuance import rules, store
from zorgid.issuance.actions import holder, move, subject_of
from zorgid.issuance.errors import NewCardUnproven
from zorgid.issuance.instructions import agreement_key
from zorgid.issuance.model import PROFILE_OF, Issuance, IssuanceAct, IssuanceSetup
from zorgid.kernel.secrets import Secret
from zorgid.protocol.context import Context, MeansUsed, Purpose, still_open
from zorgid.protocol.errors import ProofMalformed, ProofWrong
from zorgid.protocol.messages import IssuanceStep, KeyUsage, NewCardProof, ProofTask, decode, encode
from zorgid.protocol.proof import (
    CHALLENGE_BYTES,
    algorithm_for,
    answer_of_confidentiality_key,
    bytes_for_signature_key,
    nonce_for,
    verify_signature,
    verify_token,
)
from zorgid.stock import actions as stock
from zorgid.storage.database import Work


async def proof_task(work: Work, setup: IssuanceSetup, issuance: Issuance) -> ProofTask:
    """Return what the new card must show; the same task until its ten minutes have passed.

    Raises:
        NotAtThisStep: the certificates are not written yet, or the PUK was not kept.
    """
    rules.next_step(issuance.step, IssuanceAct.prove)
    if issuance.context is None or not still_open(issuance.context, now=work.now):
        issuance = replace(
            issuance, challenge=work.random(CHALLENGE_BYTES), context=_context(work, setup, issuance)
        )
        assert issuance.challenge is not None
        assert issuance.context is not None
        await store.set_challenge(work, issuance.id, challenge=issuance.challenge, context=issuance.context)
    certificates = await _certificates(work, issuance)
    assert issuance.challenge is not None
    assert issuance.context is not None
    return ProofTask(
        challenge=encode(issuance.challenge),
        context=issuance.context,
        confidentiality_test=encode(
            _test_for(setup, issuance, certificates[KeyUsage.confidentiality].certificate)
        ),
    )


def _context(work: Work, setup: IssuanceSetup, issuance: Issuance) -> Context:
    return Context(
        origin=setup.login.origin,
        care_application=PORTAL_NAME,
        purpose=Purpose.prove_new_card,
        accepts=(MeansUsed.smartcard,),
        expires_at=work.now + rules.PROOF_LASTS,
        app_key=issuance.app_key.thumbprint(),
    )


async def _certificates(work: Work, issuance: Issuance) -> dict[KeyUsage, IssuedCertificate]:
    assert issuance.card_id is not None
    by_profile = {one.profile: one for one in await ca.certificates_of_card(work, issuance.card_id)}
    return {usage: by_profile[PROFILE_OF[usage]] for usage in KeyUsage}


def _test_for(setup: IssuanceSetup, issuance: Issuance, certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.encrypt(_plain_test(setup, issuance), padding.PKCS1v15())
    assert issuance.challenge is not None
    own = agreement_key(setup, issuance.challenge).public_key()
    return own.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _plain_test(setup: IssuanceSetup, issuance: Issuance) -> bytes:
    assert issuance.challenge is not None
    return setup.derive(b"zid-confidentiality-test-v1" + issuance.challenge, 32).reveal()


async def prove_new_card(
    work: Work, setup: IssuanceSetup, issuance: Issuance, *, proof: NewCardProof
) -> Issuance:
    """Check the new card's proof and make it active (CARD-14, CARD-15).

    Its certificates become good, it is linked, and an older card of the person is revoked.

    Raises:
        NotAtThisStep: the making waits for something else.
        NewCardUnproven: one of the three answers is wrong, too late, or by another certificate.
    """
    step = rules.next_step(issuance.step, IssuanceAct.prove)
    if issuance.step is IssuanceStep.done:
        return issuance
    try:
        await _require_all_keys(work, setup, issuance, proof)
    except (ProofWrong, ProofMalformed, CardPossessionUnproven) as wrong:
        raise NewCardUnproven from wrong
    return await _activate(work, issuance, step)


async def _require_all_keys(
    work: Work, setup: IssuanceSetup, issuance: Issuance, proof: NewCardProof
) -> None:
    if (
        issuance.challenge is None
        or issuance.context is None
        or not still_open(issuance.context, now=work.now)
    ):
        raise NewCardUnproven
    certificates = await _certificates(work, issuance)
    origin = setup.login.origin
    nonce = nonce_for(issuance.challenge, issuance.context, Secret(issuance.id.bytes))
    if verify_token(proof.token, origin=origin, nonce=nonce) != certificates[KeyUsage.authentication].der:
        raise NewCardUnproven
    _require_signature_key(certificates[KeyUsage.signature].certificate, origin, nonce, proof)
    _require_confidentiality_key(
        setup, issuance, certificates[KeyUsage.confidentiality].certificate, nonce, proof
    )


def _require_signature_key(
    certificate: x509.Certificate, origin: str, nonce: str, proof: NewCardProof
) -> None:
    algorithm = algorithm_for(_public(certificate))
    verify_signature(
        certificate.public_bytes(Encoding.DER),
        algorithm=algorithm,
        signature=decode(proof.signature_by_signature_key),
        data=bytes_for_signature_key(origin, nonce, algorithm),
    )


def _public(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    return key


def _require_confidentiality_key(
    setup: IssuanceSetup, issuance: Issuance, certificate: x509.Certificate, nonce: str, proof: NewCardProof
) -> None:
    answer = decode(proof.confidentiality_answer)
    key = _public(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        expected = answer_of_confidentiality_key(_plain_test(setup, issuance), nonce)
        if not hmac.compare_digest(expected, answer):
            raise NewCardUnproven
        return
    assert issuance.challenge is not None
    check_agreement(answer, key, agreement_key(setup, issuance.challenge), nonce.encode("ascii"))


async def _activate(work: Work, issuance: Issuance, step: IssuanceStep) -> Issuance:
    assert issuance.card_id is not None
    assert issuance.card_number is not None
    # The blank card first, as at its reservation: one order of locks for all.
    await stock.mark_used(work, number=issuance.card_number, issuance_id=issuance.id, by=holder(issuance))
    await cards.activate_card(work, card_id=issuance.card_id, by=holder(issuance))
    await record(
        work,
        event=Event.issuance_completed,
        by=holder(issuance),
        on=subject_of(issuance.id),
        organisation_id=issuance.organisation_id,
        facts={"card_number": issuance.card_number},
    )
    return await move(work, issuance, step)
