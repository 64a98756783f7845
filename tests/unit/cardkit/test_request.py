"""Requests that the card signs itself, and possession without a signature."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import AttributeOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.cardkit.builders import FACTORY_PIN, blank, managed, new_rsa_key

from cardkit.card import KeyAlgorithm, KeySlot
from cardkit.errors import CardRefused, PinNeeded, PossessionUnproven
from cardkit.possession import check_agreement, prove_agreement
from cardkit.request import build_request, public_key_info, read_challenge
from cardkit.virtual import Mode, VirtualCard, pooled_keys

RSA_KEY = new_rsa_key()


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def card(request):
    card = managed(VirtualCard(blank(request.param), key_source=pooled_keys([RSA_KEY])))
    card.verify_pin(FACTORY_PIN)
    return card


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.p256, KeyAlgorithm.p384, KeyAlgorithm.rsa2048])
def test_a_request_verifies_and_carries_its_challenge(card, algorithm):
    """CARD-5."""
    key = card.generate_key(KeySlot.authentication, algorithm)

    request = x509.load_der_x509_csr(build_request(card, key, "Şëf \u2019s kaart", "issuance 7, nonce 9"))

    assert request.is_signature_valid
    assert public_key_info(key) == request.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "Şëf \u2019s kaart"
    assert read_challenge(request) == "issuance 7, nonce 9"
    assert request.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD)


def test_the_signature_key_makes_its_request_after_a_verify_of_its_own(card):
    key = card.generate_key(KeySlot.signature, KeyAlgorithm.p256)
    first = build_request(card, key, "x", "first")
    with pytest.raises(PinNeeded):
        build_request(card, key, "x", "second")
    assert x509.load_der_x509_csr(first).is_signature_valid


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=255))
@settings(max_examples=30)
def test_any_text_can_be_the_challenge(challenge):
    card, key = SIGNING
    request = x509.load_der_x509_csr(build_request(card, key, "x", challenge))
    assert read_challenge(request) == challenge


def _signing():
    card = managed(VirtualCard(blank()))
    card.verify_pin(FACTORY_PIN)
    return card, card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)


SIGNING = _signing()


@pytest.mark.parametrize("challenge", ["", "x" * 256])
def test_a_challenge_has_a_length(card, challenge):
    key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    with pytest.raises(ValueError, match="255"):
        build_request(card, key, "x", challenge)


def test_a_request_without_a_challenge_has_none():
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    key = ec.generate_private_key(ec.SECP256R1())
    plain = x509.CertificateSigningRequestBuilder().subject_name(subject)
    assert read_challenge(plain.sign(key, hashes.SHA256())) is None


def test_a_challenge_that_is_no_text_is_none():
    card, key = SIGNING
    garbled = build_request(card, key, "x", "challenge").replace(b"challenge", b"\xff" * 9)
    assert read_challenge(x509.load_der_x509_csr(garbled)) is None


def test_a_strict_card_shows_possession_by_agreement_instead():
    card = managed(VirtualCard(blank(Mode.strict)))
    card.verify_pin(FACTORY_PIN)
    key = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.p256)
    with pytest.raises(CardRefused) as refused:
        build_request(card, key, "x", "challenge")
    assert refused.value.status == 0x6985

    verifier = ec.generate_private_key(ec.SECP256R1())
    proof = prove_agreement(card, key, verifier.public_key(), b"issuance 7")

    claimed = load_der_public_key(public_key_info(key))
    check_agreement(proof, claimed, verifier, b"issuance 7")


def test_a_proof_of_possession_is_good_for_one_key_one_verifier_and_one_context(card):
    key = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.p256)
    verifier, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    proof = prove_agreement(card, key, verifier.public_key(), b"this")

    check_agreement(proof, key.public_key, verifier, b"this")
    for wrong in (
        (proof, key.public_key, verifier, b"that"),
        (proof, key.public_key, other, b"this"),
        (proof, other.public_key(), verifier, b"this"),
        (proof[:-1] + bytes([proof[-1] ^ 1]), key.public_key, verifier, b"this"),
        (b"", key.public_key, verifier, b"this"),
        (proof, ec.generate_private_key(ec.SECP384R1()).public_key(), verifier, b"this"),
    ):
        with pytest.raises(PossessionUnproven):
            check_agreement(*wrong)


def test_an_rsa_key_agrees_on_nothing(card):
    key = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.rsa2048)
    with pytest.raises(ValueError, match="curve"):
        prove_agreement(card, key, ec.generate_private_key(ec.SECP256R1()).public_key(), b"")
