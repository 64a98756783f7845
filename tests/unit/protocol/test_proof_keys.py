"""Which keys sign a proof with which algorithm, in which form, and that each part of what was shown counts (LOGIN-5)."""

import base64
import datetime as dt
import hashlib
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from zorgid.kernel.secrets import Secret
from zorgid.protocol.context import Context, MeansUsed, Purpose, sha256_of_act
from zorgid.protocol.errors import ProofMalformed, ProofWrong
from zorgid.protocol.proof import WebEidToken, algorithm_for, nonce_for, token_for, verify_token

NOW = dt.datetime(2026, 6, 15, 10, tzinfo=dt.UTC)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])
CHALLENGE = bytes(range(32))
HANDLE = Secret(bytes(range(16)))
ACT = "U maakt een ZORG-ID Smartcard op uw eigen naam."
SHOWN: dict[str, Any] = {
    "origin": "https://id.example",
    "care_application": "Demo-HIS",
    "organisation": "De Linde",
    "purpose": Purpose.make_card,
    "act": ACT,
    "act_sha256": sha256_of_act(ACT),
    "acr": "http://eidas.europa.eu/LoA/substantial",
    "accepts": tuple(MeansUsed),
    "expires_at": NOW + dt.timedelta(minutes=5),
    "app_key": "A" * 43,
}
CONTEXT = Context(**SHOWN)
CURVES: dict[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}
HASHES: dict[str, Any] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512")
CARDS = (*CURVES, "RS256")
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def key_of(card: str) -> Key:
    return ec.generate_private_key(CURVES[card]) if card in CURVES else rsa.generate_private_key(65537, 2048)


@cache
def certificate_of(card: str) -> bytes:
    key = key_of(card)
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), 1, NOW, NOW + dt.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def signed(card: str, *, algorithm: str = "", origin: str = "https://id.example", nonce: str) -> bytes:
    """The signature of a card as its middleware gives it (DER for a curve); what is signed is computed here."""
    key, bits = key_of(card), (algorithm or card)[-3:]
    data = b"".join(hashlib.new(f"sha{bits}", part.encode()).digest() for part in (origin, nonce))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), HASHES[bits])
    return key.sign(data, ec.ECDSA(HASHES[bits]))


def as_r_and_s(card: str, der: bytes) -> bytes:
    if card not in CURVES:
        return der
    size = (CURVES[card].key_size + 7) // 8
    return b"".join(number.to_bytes(size, "big") for number in utils.decode_dss_signature(der))


NONCE = nonce_for(CHALLENGE, CONTEXT, HANDLE)


def proof(card: str, *, algorithm: str = "", nonce: str = NONCE, **others: Any) -> WebEidToken:
    signature = as_r_and_s(card, signed(card, algorithm=algorithm, nonce=nonce, **others))
    return token_for(certificate_of(card), algorithm or card, signature, "0.1.0")


def test_the_nonce_follows_from_challenge_context_and_handle() -> None:
    """Computed here with hashlib and base64 alone."""
    shown = hashlib.sha256(CONTEXT.canonical() + bytes(range(16))).digest()
    expected = base64.b64encode(hashlib.sha256(CHALLENGE + shown).digest()).decode()
    assert expected == NONCE
    assert len(NONCE) == 44


@pytest.mark.parametrize("card", CARDS)
def test_a_proof_of_each_kind_of_key_is_good(card: str) -> None:
    token = proof(card)
    assert verify_token(token, origin="https://id.example", nonce=NONCE) == certificate_of(card)
    public = key_of(card).public_key()
    assert algorithm_for(public) == card


@pytest.mark.parametrize("algorithm", ["RS384", "RS512"])
def test_an_rsa_key_may_sign_with_a_longer_hash(algorithm: str) -> None:
    assert verify_token(proof("RS256", algorithm=algorithm), origin="https://id.example", nonce=NONCE)


@pytest.mark.parametrize("card", CURVES)
def test_a_signature_of_a_curve_in_der_is_refused(card: str) -> None:
    """RFC 7518, section 3.4: r followed by s, both as long as the curve."""
    der = signed(card, nonce=NONCE)
    token = token_for(certificate_of(card), card, der, "0.1.0")
    with pytest.raises(ProofMalformed):
        verify_token(token, origin="https://id.example", nonce=NONCE)


@pytest.mark.parametrize("card", CURVES)
@pytest.mark.parametrize("defect", ["one byte short", "one byte long", "only r", "s before r", "nothing"])
def test_r_and_s_in_any_other_shape_are_refused(card: str, defect: str) -> None:
    good = as_r_and_s(card, signed(card, nonce=NONCE))
    half = len(good) // 2
    shapes = {
        "one byte short": good[:-1],
        "one byte long": good + b"\0",
        "only r": good[:half],
        "s before r": good[half:] + good[:half],
        "nothing": b"",
    }
    token = token_for(certificate_of(card), card, shapes[defect], "0.1.0")
    with pytest.raises(ProofWrong if defect == "s before r" else ProofMalformed):
        verify_token(token, origin="https://id.example", nonce=NONCE)


@pytest.mark.parametrize("fill", [b"\x00", b"\xff"], ids=["zero", "more than the order"])
@pytest.mark.parametrize("card", CARDS)
def test_numbers_outside_the_field_are_wrong(card: str, fill: bytes) -> None:
    size = len(as_r_and_s(card, signed(card, nonce=NONCE)))
    token = token_for(certificate_of(card), card, fill * size, "0.1.0")
    with pytest.raises(ProofWrong):
        verify_token(token, origin="https://id.example", nonce=NONCE)


@pytest.mark.parametrize(
    ("card", "algorithm"),
    [
        (card, other)
        for card in CARDS
        for other in ALGORITHMS
        if other != card and (card, other[:2]) != ("RS256", "RS")
    ],
)
def test_an_algorithm_that_is_not_of_the_key_is_malformed(card: str, algorithm: str) -> None:
    token = proof(card).model_copy(update={"algorithm": algorithm})
    with pytest.raises(ProofMalformed):
        verify_token(token, origin="https://id.example", nonce=NONCE)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512"])
def test_a_signature_with_another_hash_than_it_says_is_wrong(algorithm: str) -> None:
    token = proof("RS256").model_copy(update={"algorithm": algorithm})
    with pytest.raises(ProofWrong):
        verify_token(token, origin="https://id.example", nonce=NONCE)


OTHER: dict[str, Any] = {
    "origin": "https://evil.example",
    "care_application": "Demo-HIS 2",
    "organisation": None,
    "purpose": Purpose.login,
    "act": ACT + " ",
    "act_sha256": None,
    "acr": None,
    "accepts": (MeansUsed.smartcard, MeansUsed.uzi_card),
    "expires_at": NOW + dt.timedelta(minutes=5, microseconds=1),
    "app_key": "B" * 43,
}


def test_no_field_of_the_context_is_left_without_a_test() -> None:
    assert set(OTHER) == set(SHOWN) == set(Context.model_fields)


@pytest.mark.parametrize("field", OTHER)
def test_a_proof_for_another_context_is_wrong_whatever_part_is_another(field: str) -> None:
    """docs/desktop-protocol.md, chapter 4: what was shown is what was signed."""
    shown_elsewhere = Context(**{**SHOWN, field: OTHER[field]})
    token = proof("ES256", nonce=nonce_for(CHALLENGE, shown_elsewhere, HANDLE))
    with pytest.raises(ProofWrong):
        verify_token(token, origin="https://id.example", nonce=NONCE)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("part", ["origin", "challenge", "handle"])
def test_a_proof_for_another_origin_challenge_or_handle_is_wrong(card: str, part: str) -> None:
    elsewhere = {
        "origin": proof(card, origin="https://evil.example"),
        "challenge": proof(card, nonce=nonce_for(bytes(32), CONTEXT, HANDLE)),
        "handle": proof(card, nonce=nonce_for(CHALLENGE, CONTEXT, Secret(bytes(16)))),
    }
    with pytest.raises(ProofWrong):
        verify_token(elsewhere[part], origin="https://id.example", nonce=NONCE)


def test_origin_and_nonce_cannot_be_moved_into_each_other() -> None:
    token = proof("ES256", origin="https://id.example1", nonce=NONCE)
    with pytest.raises(ProofWrong):
        verify_token(token, origin="https://id.example", nonce="1" + NONCE)


def certificate_with(public_key: Any) -> bytes:
    """A certificate for a key that no card has, under the signature of another."""
    builder = x509.CertificateBuilder(NAME, NAME, public_key, 1, NOW, NOW + dt.timedelta(days=1))
    return builder.sign(key_of("ES256"), hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(certificate_of("ES256") * 2, id="two in a row"),
        pytest.param(certificate_of("ES256") + b"\0" * 100_000, id="a hundred thousand bytes behind it"),
        pytest.param(b"\x30\x84\x7f\xff\xff\xff" + b"\0" * 1000, id="longer than it is"),
        pytest.param(b"\xff" * 5000, id="no DER at all"),
        pytest.param(b"-----BEGIN CERTIFICATE-----", id="PEM"),
        pytest.param(
            certificate_with(ec.generate_private_key(ec.SECP256K1()).public_key()), id="foreign curve"
        ),
        pytest.param(certificate_with(dsa.generate_private_key(2048).public_key()), id="DSA"),
    ],
)
def test_an_oversized_or_garbled_certificate_is_malformed(certificate: bytes) -> None:
    signature = as_r_and_s("ES256", signed("ES256", nonce=NONCE))
    token = token_for(certificate, "ES256", signature, "0.1.0")
    with pytest.raises(ProofMalformed):
        verify_token(token, origin="https://id.example", nonce=NONCE)


@pytest.mark.parametrize("text", ["not base64", "AAA", "ÄÄÄÄ", "AAAA\n", "-_-_"])
@pytest.mark.parametrize("field", ["unverifiedCertificate", "signature"])
def test_a_token_that_is_not_base64_is_malformed(field: str, text: str) -> None:
    token = proof("ES256").model_copy(update={field: text})
    with pytest.raises(ProofMalformed):
        verify_token(token, origin="https://id.example", nonce=NONCE)
