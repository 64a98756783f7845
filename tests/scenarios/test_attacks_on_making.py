"""Attacks on the making of a card: keys that are not on it, cards of colleagues, proofs that are not its own.

CARD-5, CARD-6, CARD-10, CARD-14; docs/security.md. Each is tried by an app that signs whatever it is told.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AttributeOID, NameOID
from tests.scenarios.attack_world import (
    COLLEAGUE,
    AttackWorld,
    attach_request,
    link_on,
    shared_world,
)

from cardkit.card import CardKey, KeySlot, PinPolicy
from cardkit.piv import PivCard
from cardkit.secrets import Pin
from cardkit.virtual import make_blank_card, make_test_attestation_root
from zorgid.demo.scripted import ScriptedPerson
from zorgid.protocol.messages import (
    BirthDateRequest,
    BlankCardRequest,
    CardInstructions,
    CertificatesRequest,
    HandleRequest,
    IssuanceRequest,
    IssuanceView,
    KeyOffer,
    NewCardProof,
    decode,
    encode,
)
from zorgid_desktop.flow import making, personalise
from zorgid_desktop.flow.asking import Cancelled
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.server import PlatformRefused

pytestmark = pytest.mark.asyncio(loop_scope="module")

Offers = tuple[KeyOffer, KeyOffer, KeyOffer]
MakeKeys = Callable[[PivCard, CardInstructions, Pin], Offers]
genuine: MakeKeys = personalise._make_keys


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        await world.require_smartcard()
        yield world


async def refused_code(world: AttackWorld, label: str = COLLEAGUE, blank: str = "leeg-2", **how: Any) -> str:
    """Try to make a card and return the code of the refusal."""
    person = how.pop("person", None) or world.maker(label, blank)
    try:
        view = await world.make(label, blank=blank, person=person, **how)
    except PlatformRefused as refused:
        return refused.problem.code if refused.problem.detail and refused.problem.next_step else "no sentence"
    except FlowStopped as stopped:
        return stopped.said.code
    except Cancelled:
        return person.troubles[-1].code if person.troubles else "cancelled"
    raise AssertionError(view)


@asynccontextmanager
async def no_certificate_comes_of_it(
    world: AttackWorld, *logged: tuple[str, str, str]
) -> AsyncIterator[None]:
    """Hold that no certificate is signed, no card becomes good and no key counts as seen."""
    tables = ("ca_certificate", "ca_status_change", "card_link", "ca_key_seen")
    before, length = await world.state(), len(await world.log())
    active = "select number from card where state = 'active' order by number"
    cards = await world.rows(active)
    yield
    after = await world.state()
    assert [name for name in tables if before[name] != after[name]] == []
    assert await world.rows(active) == cards
    for entry in logged:
        assert entry in (await world.log())[length:]


def software_request(instructions: CardInstructions, key: Any = None) -> str:
    """A certificate request by a key in memory, with the challenge of this making."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, instructions.view.card_number or "")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, instructions.challenge.encode())
    return encode(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def software_key(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    """A key in memory with the attestation of the key on the card."""
    first, second, third = genuine(card, instructions, pin)
    return first.model_copy(update={"request": software_request(instructions)}), second, third


def unattested_key(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    first, second, third = genuine(card, instructions, pin)
    nothing = {"attestation": None, "attestation_issuer": None}
    return first, second.model_copy(update=nothing), third


def attested_by_itself(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    """A key in memory, attested under a root of the attacker's own that calls itself as the real one does."""
    from cardkit.piv import codes
    from cardkit.virtual.attestation import attest_key, card_certificate
    from cardkit.virtual.state import StoredKey, TouchPolicy

    root = make_test_attestation_root(now=datetime(2026, 1, 1, tzinfo=UTC))
    state = make_blank_card(int(instructions.view.chip_serial or 0), attestation_root=root)
    key = ec.generate_private_key(ec.SECP256R1())
    stored = StoredKey.of(key, pin_policy=PinPolicy.once, touch_policy=TouchPolicy.never, was_generated=True)
    statement = attest_key(state, 0x9A, stored, state.keys[codes.ATTESTATION_REFERENCE].private_key)
    issuer = card_certificate(state).public_bytes(Encoding.DER)
    first, second, third = genuine(card, instructions, pin)
    changes = {
        "request": software_request(instructions, key),
        "attestation": encode(statement),
        "attestation_issuer": encode(issuer),
    }
    return first.model_copy(update=changes), second, third


def swapped_keys(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    """The signature key offered as authentication key, each with its own attestation."""
    first, second, third = genuine(card, instructions, pin)
    return (
        second.model_copy(update={"usage": first.usage}),
        first.model_copy(update={"usage": second.usage}),
        third,
    )


def other_order(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    first, second, third = genuine(card, instructions, pin)
    return second, first, third


def one_key_for_two(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    first, second, third = genuine(card, instructions, pin)
    return first, first.model_copy(update={"usage": second.usage}), third


def foreign_key(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    """A request with somebody else's public key in it, signed by whom does not hold it."""
    first, second, third = genuine(card, instructions, pin)
    request = decode(first.request or "")
    changed = request[:-8] + bytes([request[-8] ^ 1]) + request[-7:]
    return first.model_copy(update={"request": encode(changed)}), second, third


def other_challenge(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    return genuine(card, instructions.model_copy(update={"challenge": "another making"}), pin)


def weak_signature_key(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    """The signature key was made so that one PIN serves many signatures."""
    once = dict.fromkeys(personalise.PIN_POLICY, PinPolicy.once)
    with mock.patch.object(personalise, "PIN_POLICY", once):
        return genuine(card, instructions, pin)


def unpossessed_confidentiality_key(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    first, second, third = genuine(card, instructions, pin)
    return first, second, third.model_copy(update={"agreement_proof": encode(bytes(32))})


def other_confidentiality_key(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    """A key in memory for decryption: whoever holds a copy could read all that is sent."""
    first, second, third = genuine(card, instructions, pin)
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return first, second, third.model_copy(update={"public_key": encode(info)})


def other_curve(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    first, second, third = genuine(card, instructions, pin)
    key = ec.generate_private_key(ec.SECP256K1())
    return first.model_copy(update={"request": software_request(instructions, key)}), second, third


def no_request(card: PivCard, instructions: CardInstructions, pin: Pin) -> Offers:
    first, second, third = genuine(card, instructions, pin)
    return first.model_copy(update={"request": encode(b"no request at all")}), second, third


KEYS: dict[MakeKeys, str] = {
    software_key: "attestation-unfit",
    unattested_key: "attestation-missing",
    attested_by_itself: "attestation-unfit",
    swapped_keys: "attestation-unfit",
    other_order: "key-offer-malformed",
    one_key_for_two: "attestation-unfit",
    foreign_key: "request-signature",
    other_challenge: "request-challenge",
    weak_signature_key: "attestation-unfit",
    unpossessed_confidentiality_key: "possession-unproven",
    other_confidentiality_key: "possession-unproven",
    other_curve: "key-unfit",
    no_request: "request-malformed",
}


@pytest.mark.parametrize("make_keys", KEYS, ids=lambda make_keys: make_keys.__name__)
async def test_a_key_that_is_not_shown_to_be_on_the_reserved_card_gets_no_certificate(
    world: AttackWorld, make_keys: MakeKeys
) -> None:
    code = KEYS[make_keys]
    async with no_certificate_comes_of_it(world, ("issuance-step-taken", "refused", code)):
        with mock.patch.object(personalise, "_make_keys", make_keys):
            assert await refused_code(world) == code


async def test_keys_of_another_card_get_no_certificate(world: AttackWorld) -> None:
    """Attested by a card of the same maker, but not by the reserved one: the app reports a serial of its choice."""

    def lie(asked: BlankCardRequest) -> BlankCardRequest:
        return asked.model_copy(update={"chip_serial": "20000002", "guid": None})

    async with no_certificate_comes_of_it(world, ("issuance-step-taken", "refused", "other-card-attested")):
        with mock.patch.object(making, "_require_reserved"):
            code = await refused_code(world, blank="leeg-6", tampers={"/issuance/blank-card": lie})
    assert code == "other-card-attested"


async def test_a_card_that_is_not_the_reserved_one_is_not_touched(world: AttackWorld) -> None:
    """The platform reserved another card than the one in the reader: the app itself stops before the first write."""
    before = world.world.reader.card_state("leeg-6")

    def lie(asked: BlankCardRequest) -> BlankCardRequest:
        return asked.model_copy(update={"chip_serial": "20000002", "guid": None})

    assert await refused_code(world, blank="leeg-6", tampers={"/issuance/blank-card": lie}) == "other-card"
    assert world.world.reader.card_state("leeg-6") == before


async def test_keys_that_served_before_get_no_certificate(world: AttackWorld) -> None:
    """A used key: the first try broke off after its certificates; the app goes on without making new keys."""
    person = who_stops(world, COLLEAGUE, "leeg-3")
    assert await refused_code(world, blank="leeg-3", person=person) == "cancelled"

    def same_keys(card: PivCard, slot: KeySlot, *_: object) -> CardKey:
        held = world.world.reader.card_state("leeg-3").keys[slot.reference].private_key
        return CardKey(slot, held.public_key())

    length = len(await world.log())
    with (
        mock.patch.object(personalise, "_prepare"),
        mock.patch.object(PivCard, "generate_key", same_keys),
        mock.patch.object(making, "START_OVER", frozenset()),
    ):
        assert await refused_code(world, blank="leeg-3") == "key-already-seen"
    assert ("issuance-step-taken", "refused", "key-already-seen") in (await world.log())[length:]
    assert await world.rows("select from ca_certificate where status = 'good'") == await world.rows(
        "select from ca_certificate join card on card.id = ca_certificate.card_id where card.state = 'active'"
    )


def who_stops(world: AttackWorld, label: str, blank: str) -> ScriptedPerson:
    """Somebody who does not keep the PUK, so that the making breaks off with its certificates on hold."""
    person = world.maker(label, blank)

    def stop() -> None:
        raise Cancelled

    person.before_keeping = stop
    return person


# Colleagues


async def test_a_card_that_a_colleague_is_making_is_neither_reserved_nor_touched(world: AttackWorld) -> None:
    colleague = who_stops(world, "lange-naam", "leeg-4")
    assert await refused_code(world, "lange-naam", "leeg-4", person=colleague) == "cancelled"
    before = world.world.reader.card_state("leeg-4")
    async with no_certificate_comes_of_it(world):
        code = await refused_code(world, blank="leeg-4")
    assert code == "blank-card-in-making"  # the app asks for another card, and this person has none
    assert ("issuance-step-taken", "refused", "blank-card-in-making") in await world.log()
    assert world.world.reader.card_state("leeg-4") == before
    (blank,) = await world.rows("select state from blank_card where chip_serial = '20000004'")
    assert blank["state"] == "in_making"


async def test_a_colleagues_finished_card_is_neither_reserved_nor_touched(world: AttackWorld) -> None:
    before = world.world.reader.card_state("leeg-1")
    async with no_certificate_comes_of_it(world, ("issuance-step-taken", "refused", "blank-card-used")):
        assert await refused_code(world, blank="leeg-1") == "blank-card-used"
    assert world.world.reader.card_state("leeg-1") == before


async def open_making(world: AttackWorld, label: str = COLLEAGUE) -> tuple[Any, IssuanceView]:
    """Return the app that has a making open, and the making."""
    browser, app = world.browser(), world.app()
    link = link_on(await browser.begin("make-card"))
    code = await app.prove(link, world.card(label))
    assert (await browser.post_completion(link.handle, code)).status_code == 200
    answer = await app.send("/issuance/open", HandleRequest(handle=link.handle.text_for_wire()))
    return app, IssuanceView.model_validate_json(answer.content)


async def test_a_making_is_gone_on_with_by_its_own_app_only(world: AttackWorld) -> None:
    """Whoever knows the id of a making, an attached app of another login included, cannot speak for it."""
    app, view = await open_making(world)
    stranger = world.app()
    await stranger.send(
        "/attach", attach_request(link_on(await world.browser().begin_login()), stranger.app_key)
    )
    asked = IssuanceRequest(issuance_id=view.issuance_id)
    messages = {
        "/issuance/view": asked,
        "/issuance/birth-date": BirthDateRequest(issuance_id=view.issuance_id, birth_on="1976-09-30"),
        "/issuance/blank-card": BlankCardRequest(issuance_id=view.issuance_id, chip_serial="20000002"),
        "/issuance/kept": asked,
        "/issuance/proof-task": asked,
    }
    async with world.nothing_changes(("issuance-step-taken", "refused", "app-signature-wrong")):
        for path, message in messages.items():
            answer = await stranger.send(path, message)
            assert (answer.status_code, answer.json()["code"]) == (401, "app-signature-wrong"), path
    assert (await app.send("/issuance/view", asked)).status_code == 200


async def test_a_new_proof_of_the_person_takes_the_making_from_the_former_app(world: AttackWorld) -> None:
    """Going on needs a fresh proof; the app that was left behind has nothing to say any more."""
    former, view = await open_making(world)
    _, again = await open_making(world)
    assert again.issuance_id == view.issuance_id
    answer = await former.send("/issuance/view", IssuanceRequest(issuance_id=view.issuance_id))
    assert answer.status_code == 401


async def test_a_request_of_a_making_cannot_be_replayed_for_another_step(world: AttackWorld) -> None:
    app, view = await open_making(world)
    asked = IssuanceRequest(issuance_id=view.issuance_id)
    assert (await app.send("/issuance/view", asked, counter=50)).status_code == 200
    async with world.nothing_changes():
        for path in ("/issuance/kept", "/issuance/proof-task"):
            answer = await app.send(path, asked, counter=50)
            assert (answer.status_code, answer.json()["code"]) == (409, "app-request-replayed")


async def test_a_making_holds_one_blank_card_and_not_the_whole_box(world: AttackWorld) -> None:
    """Colleagues' serials, one after the other: whoever reserves another card lets go of the former."""
    app, view = await open_making(world, "lange-naam")
    born = world.world.card("lange-naam").person.born_on
    await app.send("/issuance/birth-date", BirthDateRequest(issuance_id=view.issuance_id, birth_on=born))
    reserved = "select chip_serial from blank_card where state = 'in_making' and issuance_id::text = %s"
    for serial in ("20000002", "20000003", "20000006"):
        asked = BlankCardRequest(issuance_id=view.issuance_id, chip_serial=serial)
        if (await app.send("/issuance/blank-card", asked)).status_code == 200:
            assert await world.rows(reserved, view.issuance_id) == [{"chip_serial": serial}]
    assert await world.rows(reserved, view.issuance_id) == [{"chip_serial": "20000006"}]


# The last proof


def proof_by(**changes: Any) -> Callable[[NewCardProof], NewCardProof]:
    return lambda proof: proof.model_copy(update=changes)


async def test_a_new_card_that_does_not_show_its_three_keys_never_becomes_good(world: AttackWorld) -> None:
    """CARD-14: wrong answers, another card's, and a login's; then the right one works."""
    seen: list[NewCardProof] = []
    other = world.key_on("leeg-1")

    def by_other_card(proof: NewCardProof) -> NewCardProof:
        seen.append(proof)
        return proof.model_copy(update={"token": other.token_over(b"anything")})

    def swapped(proof: NewCardProof) -> NewCardProof:
        return proof.model_copy(update={"signature_by_signature_key": proof.token.signature})

    attempts = [
        by_other_card,
        swapped,
        proof_by(signature_by_signature_key=encode(bytes(64))),
        proof_by(signature_by_signature_key=""),
        proof_by(confidentiality_answer=encode(bytes(32))),
        proof_by(confidentiality_answer=""),
    ]
    label = "lange-naam"
    world.clock.advance(timedelta(minutes=31))  # the reservation of another test lapses
    for attempt in attempts:
        length = len(await world.log())
        code = await refused_code(world, label, "leeg-5", tampers={"/issuance/prove": attempt})
        assert code == "new-card-unproven"
        assert ("issuance-step-taken", "refused", "new-card-unproven") in (await world.log())[length:]
        states = await world.rows(
            "select state from card where chip_serial = '20000005' and state <> 'failed'"
        )
        assert states == [{"state": "issuing"}]
    await no_login_yet(world, seen[0])
    made = await world.make(label, blank="leeg-5")
    assert made.chip_serial == "20000005"
    await world.log_in(world.key_on("leeg-5"))


async def no_login_yet(world: AttackWorld, proof: NewCardProof) -> None:
    """Hold that neither the unfinished card nor the proof that it gave for its making logs in."""
    link, app = link_on(await world.browser().begin_login()), world.app()
    reply = await app.attach(link)
    token = world.key_on("leeg-5").token(
        challenge=decode(reply.challenge), context=reply.context, handle=link.handle
    )
    async with world.nothing_changes(("login-proved", "refused", "proof-wrong")):
        refused = await app.try_prove(link, token)
        stolen = await app.try_prove(link, proof.token)
    assert refused.status_code == 403
    assert (stolen.status_code, stolen.json()["code"]) == (403, "proof-wrong")


async def test_what_was_proved_for_a_making_stays_true_until_its_end(world: AttackWorld) -> None:
    """CARD-3: the certificate request is not a way round what changed since the proof."""
    revoked = world.world.register
    person = world.maker(COLLEAGUE, "leeg-2")

    def then(asked: CertificatesRequest) -> CertificatesRequest:
        revoked.go_dark()
        return asked

    try:
        async with no_certificate_comes_of_it(world):
            world.clock.advance(timedelta(hours=5))
            code = await refused_code(world, person=person, tampers={"/issuance/certificates": then})
    finally:
        revoked.recover()
    assert code in {"uzi-status-unavailable", "uzi-status-too-old"}
