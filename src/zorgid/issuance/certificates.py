"""The step to the certificates: check the keys, commit the intent, sign, hand over on hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_der_x509_csr

from cardkit.attestation import Attestation, verify_attestation
from cardkit.card import KeySlot, PinPolicy
from cardkit.errors import AttestationRefused
from cardkit.errors import PossessionUnproven as CardPossessionUnproven
from cardkit.possession import check_agreement
from zorgid.audit.actions import act, failures_told
from zorgid.audit.model import Actor, ActorKind, Event, Subject
from zorgid.ca import actions as ca
from zorgid.ca.model import Intent, IssuedCertificate
from zorgid.cards import actions as cards
from zorgid.issuance import rules, store
from zorgid.issuance.actions import holder, issuance_of_app, move, subject_of
from zorgid.issuance.errors import (
    AttestationMissing,
    AttestationUnfit,
    KeyOfferMalformed,
    OtherCardAttested,
    PossessionUnproven,
)
from zorgid.issuance.instructions import agreement_key, challenge_text
from zorgid.issuance.model import PROFILE_OF, Issuance, IssuanceAct, IssuanceSetup
from zorgid.login.setup import AppRequest
from zorgid.organisations import actions as organisations
from zorgid.pki.algorithms import PublicKey, admitted_key, key_fingerprint, key_kind_of
from zorgid.pki.identity import read_identity
from zorgid.pki.prepare import CardHolder, Validity, card_validity
from zorgid.pki.profiles import Profile
from zorgid.pki.reading import UNREADABLE
from zorgid.pki.recognise import RecognisedUziCard
from zorgid.pki.requests import check_request
from zorgid.protocol.messages import CertificatesRequest, IssuanceStep, KeyOffer, KeyUsage, decode
from zorgid.stock import actions as stock
from zorgid.stock.model import CardKind
from zorgid.storage.database import Database, Origin, Work

SLOTS = {
    KeyUsage.authentication: KeySlot.authentication,
    KeyUsage.signature: KeySlot.signature,
    KeyUsage.confidentiality: KeySlot.confidentiality,
}


@dataclass(frozen=True)
class CheckedKey:
    """A key that was made on the card in making, and the proof of it where the kind gives one."""

    usage: KeyUsage
    public_key: PublicKey
    attestation: Attestation | None
    offer: KeyOffer


async def certify(
    database: Database,
    setup: IssuanceSetup,
    origin: Origin,
    *,
    incoming: AppRequest,
    request: CertificatesRequest,
) -> list[IssuedCertificate]:
    """Return the three certificates for the keys on the card, on hold until the card has proved itself.

    UZI card, organisation and exclusivity are checked again first. The intent is committed before the CA key
    is used. The same keys again get the same certificates (ALL-8).

    Raises:
        Refusals of `issuance_of_app`, of recognising the UZI card, of `organisations`; `NotAtThisStep`; those
        of `checked_key`; `KeyAlreadySeen`; `IntentSpent` when an earlier try broke off while signing.
    """
    asking = Actor(ActorKind.app, reference=incoming.signature.thumbprint)
    on = Subject("issuance", request.issuance_id)
    async with act(database, origin, event=Event.issuance_step_taken, by=asking, on=on) as work:
        issuance = await issuance_of_app(work, setup, issuance_id=request.issuance_id, incoming=incoming)
        rules.next_step(issuance.step, IssuanceAct.certify)
        if issuance.step is IssuanceStep.kept:
            return await _issued_before(work, issuance, request)
    told = failures_told(
        database, origin, event=Event.issuance_step_taken, by=holder(issuance), on=subject_of(issuance.id)
    )
    async with told:
        return await _certify(database, setup, origin, issuance, request)


async def _certify(
    database: Database, setup: IssuanceSetup, origin: Origin, known: Issuance, request: CertificatesRequest
) -> list[IssuedCertificate]:
    uzi_card = await setup.login.recognise_uzi_card(known.proved.certificate_der)
    async with database.work(origin) as work:
        issuance = await _unchanged(work, known)
        intents = await _intend(work, setup, issuance, request, uzi_card)
    issued = await ca.sign_intents(database, setup.keys, setup.authority, intents, origin)
    async with database.work(origin) as work:
        issuance = await _unchanged(work, issuance)
        await move(work, issuance, rules.next_step(issuance.step, IssuanceAct.certify))
    return list(issued)


async def _unchanged(work: Work, known: Issuance) -> Issuance:
    """Return the making, locked, when no other request and no other app moved it meanwhile.

    Raises as `rules` does, and `KeyOfferMalformed` when the keys belong to what is no longer being made.
    """
    current = await store.by_id(work, known.id)
    assert current is not None
    rules.require_open(current, now=work.now)
    rules.next_step(current.step, IssuanceAct.certify)
    if (current.attempt, current.app_key) != (known.attempt, known.app_key):
        raise KeyOfferMalformed
    return current


async def _issued_before(
    work: Work, issuance: Issuance, request: CertificatesRequest
) -> list[IssuedCertificate]:
    assert issuance.card_id is not None
    by_profile = {one.profile: one for one in await ca.certificates_of_card(work, issuance.card_id)}
    issued = [by_profile[PROFILE_OF[usage]] for usage in KeyUsage]
    for offer, certificate in zip(request.keys, issued, strict=True):
        if key_fingerprint(_offered_key(offer)) != certificate.public_key_sha256:
            raise KeyOfferMalformed
    return issued


async def _intend(
    work: Work,
    setup: IssuanceSetup,
    issuance: Issuance,
    request: CertificatesRequest,
    uzi_card: RecognisedUziCard,
) -> list[Intent]:
    assert issuance.card_id is not None
    assert issuance.card_number is not None
    await organisations.require_registered_for_smartcards(
        work, ura=uzi_card.identity.ura, admitted_types=setup.admitted_types
    )
    blank = await stock.keep_alive(work, number=issuance.card_number, issuance_id=issuance.id)
    keys = [
        checked_key(offer, usage, setup=setup, issuance=issuance, kind=blank.kind, work=work)
        for offer, usage in zip(request.keys, KeyUsage, strict=True)
    ]
    for key in keys:
        await _keep_attestation(work, issuance, key)
    card = await cards.card(work, issuance.card_id)
    await ca.see_key(work, admitted_key(uzi_card.certificate.public_key()))
    return list(
        await ca.intend_certificates(
            work,
            authority=setup.authority,
            card_id=card.id,
            holder=_certificate_holder(uzi_card),
            public_keys=_by_profile(keys),
            validity=Validity(card_validity(work.now).not_before, card.valid_until),
            is_attested=blank.kind.attests,
        )
    )


def _by_profile(keys: list[CheckedKey]) -> Mapping[Profile, PublicKey]:
    return {PROFILE_OF[key.usage]: key.public_key for key in keys}


def _certificate_holder(uzi_card: RecognisedUziCard) -> CardHolder:
    """Return the subject of the new certificates: the same UZI number and URA as on the UZI card (CARD-5)."""
    identity = read_identity(uzi_card.certificate)
    return CardHolder(
        uzi_number=identity.uzi_number,
        ura=identity.ura,
        agb=identity.agb,
        organisation_name=uzi_card.organisation_name,
        names=uzi_card.names,
    )


def checked_key(
    offer: KeyOffer, usage: KeyUsage, *, setup: IssuanceSetup, issuance: Issuance, kind: CardKind, work: Work
) -> CheckedKey:
    """Return the key of an offer after every check: possession, kind, size, origin (CARD-5, CARD-10).

    Raises:
        KeyOfferMalformed: wrong usage, or neither a request nor a proof of agreement.
        RequestMalformed, RequestSignatureWrong, RequestKeyUnfit, RequestChallengeWrong: see `pki.requests`.
        PossessionUnproven: the proof of agreement does not hold.
        AttestationMissing, AttestationUnfit, OtherCardAttested: the key was not shown to be made on this
        card.
    """
    if offer.usage is not usage:
        raise KeyOfferMalformed
    public_key = _possessed_key(offer, setup, issuance, kind)
    attestation = _attested(offer, public_key, setup=setup, issuance=issuance, kind=kind, work=work)
    return CheckedKey(usage, public_key, attestation, offer)


def _possessed_key(offer: KeyOffer, setup: IssuanceSetup, issuance: Issuance, kind: CardKind) -> PublicKey:
    if offer.request is not None:
        checked = check_request(
            decode(offer.request), challenge=challenge_text(issuance), admitted=frozenset(kind.key_kinds)
        )
        return checked.public_key
    public_key = _offered_key(offer)
    if offer.usage is not KeyUsage.confidentiality or not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise KeyOfferMalformed
    if key_kind_of(public_key) not in kind.key_kinds or offer.agreement_proof is None:
        raise KeyOfferMalformed
    assert issuance.attempt is not None
    try:
        check_agreement(
            decode(offer.agreement_proof),
            public_key,
            agreement_key(setup, issuance.attempt),
            challenge_text(issuance).encode("ascii"),
        )
    except CardPossessionUnproven:
        raise PossessionUnproven from None
    return public_key


def _offered_key(offer: KeyOffer) -> PublicKey:
    """Return the key that an offer names, unchecked but for its kind."""
    try:
        if offer.request is not None:
            return admitted_key(load_der_x509_csr(decode(offer.request)).public_key())
        return admitted_key(load_der_public_key(decode(offer.public_key or "")))
    except UNREADABLE:
        raise KeyOfferMalformed from None


def _attested(
    offer: KeyOffer,
    public_key: PublicKey,
    *,
    setup: IssuanceSetup,
    issuance: Issuance,
    kind: CardKind,
    work: Work,
) -> Attestation | None:
    if kind.attestation_root is None:
        return None
    if offer.attestation is None or offer.attestation_issuer is None:
        raise AttestationMissing
    try:
        attestation = verify_attestation(
            decode(offer.attestation),
            decode(offer.attestation_issuer),
            setup.attestation_roots.get(kind.attestation_root, ()),
            expected_public_key=public_key,
            now=work.now,
            expected_slot=SLOTS[offer.usage],
            demand_pin_policy=PinPolicy.always if offer.usage is KeyUsage.signature else None,
        )
    except AttestationRefused as refused:
        raise AttestationUnfit(flaw=refused.reason) from None
    if attestation.serial != issuance.chip_serial:
        raise OtherCardAttested
    return attestation


async def _keep_attestation(work: Work, issuance: Issuance, key: CheckedKey) -> None:
    if key.attestation is None:
        return
    assert issuance.card_id is not None
    assert key.offer.attestation is not None
    assert key.offer.attestation_issuer is not None
    await store.keep_attestation(
        work,
        card_id=issuance.card_id,
        usage=key.usage,
        root_name=key.attestation.root_name,
        chip_serial=key.attestation.serial,
        firmware=".".join(map(str, key.attestation.firmware)),
        pin_policy=key.attestation.pin_policy,
        statement=decode(key.offer.attestation),
        issuer=decode(key.offer.attestation_issuer),
    )
