"""The bytes that a card signs, against vectors that were made with other tools, and everything changed in them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from zorgid.kernel.secrets import Secret
from zorgid.protocol.context import Context, Purpose
from zorgid.protocol.errors import ProofMalformed, ProofWrong
from zorgid.protocol.proof import (
    WebEidToken,
    algorithm_for,
    answer_of_confidentiality_key,
    bytes_for_signature_key,
    bytes_to_sign,
    nonce_for,
    token_for,
    verify_signature,
    verify_token,
)

VECTOR = json.loads(
    (Path(__file__).parents[2] / "vectors" / "desktop-proof.json").read_text(encoding="utf-8")
)
ORIGIN, NONCE = VECTOR["origin"], VECTOR["nonce"]
CHALLENGE = bytes.fromhex(VECTOR["challenge_hex"])
HANDLE = Secret(bytes.fromhex(VECTOR["handle_hex"]))
CONTEXT = Context.model_validate(VECTOR["context"])
each = pytest.mark.parametrize("proof", VECTOR["proofs"], ids=lambda proof: proof["algorithm"])


def token_of(proof: dict[str, str], **changes: Any) -> WebEidToken:
    fields = {
        "format": "web-eid:1.0",
        "unverifiedCertificate": proof["certificate"],
        "algorithm": proof["algorithm"],
        "signature": proof["signature"],
        "appVersion": "1",
    }
    return WebEidToken.model_validate({**fields, **changes})


def test_the_canonical_context_is_the_one_of_the_vector() -> None:
    assert CONTEXT.canonical().decode() == VECTOR["canonical"]


def test_the_nonce_is_the_one_of_the_vector() -> None:
    assert nonce_for(CHALLENGE, CONTEXT, HANDLE) == NONCE
    assert len(NONCE) == 44


@each
def test_the_signed_bytes_are_those_of_the_vector(proof: dict[str, str]) -> None:
    assert bytes_to_sign(ORIGIN, NONCE, proof["algorithm"]).hex() == VECTOR["signed_hex"]


@each
def test_a_proof_of_other_tools_is_good(proof: dict[str, str]) -> None:
    der = base64.b64decode(proof["certificate"])
    assert verify_token(token_of(proof), origin=ORIGIN, nonce=NONCE) == der
    assert algorithm_for(x509.load_der_x509_certificate(der).public_key()) == proof["algorithm"]


@each
def test_a_proof_for_another_origin_nonce_challenge_context_or_handle_is_wrong(proof: dict[str, str]) -> None:
    elsewhere = CONTEXT.model_copy(update={"purpose": Purpose.make_card})
    wrong = [
        (f"{ORIGIN}:443", NONCE),
        (f"{ORIGIN}/", NONCE),
        (ORIGIN.upper(), NONCE),
        (ORIGIN, nonce_for(bytes(32), CONTEXT, HANDLE)),
        (ORIGIN, nonce_for(CHALLENGE, elsewhere, HANDLE)),
        (ORIGIN, nonce_for(CHALLENGE, CONTEXT, Secret(bytes(16)))),
    ]
    for origin, nonce in wrong:
        with pytest.raises(ProofWrong):
            verify_token(token_of(proof), origin=origin, nonce=nonce)


def test_a_proof_with_the_certificate_of_another_key_is_wrong_or_malformed() -> None:
    elliptic, rsa = VECTOR["proofs"]
    for mine, other in ((elliptic, rsa), (rsa, elliptic)):
        with pytest.raises((ProofWrong, ProofMalformed)):
            verify_token(
                token_of(mine, unverifiedCertificate=other["certificate"]), origin=ORIGIN, nonce=NONCE
            )


@each
@pytest.mark.parametrize("algorithm", ["ES384", "ES512", "RS384", "RS512"])
def test_the_algorithm_must_be_the_one_of_the_key_and_the_hash(proof: dict[str, str], algorithm: str) -> None:
    with pytest.raises((ProofWrong, ProofMalformed)):
        verify_token(token_of(proof, algorithm=algorithm), origin=ORIGIN, nonce=NONCE)


@each
@given(data=st.data())
def test_one_changed_bit_of_a_signature_is_wrong(proof: dict[str, str], data: st.DataObject) -> None:
    signature = bytearray(base64.b64decode(proof["signature"]))
    at = data.draw(st.integers(0, len(signature) * 8 - 1))
    signature[at // 8] ^= 1 << at % 8
    changed = token_of(proof, signature=base64.b64encode(signature).decode())
    with pytest.raises(ProofWrong):
        verify_token(changed, origin=ORIGIN, nonce=NONCE)


@each
@pytest.mark.parametrize("signature", ["", "AA==", "not base64", "ÿ"])
def test_a_signature_of_another_form_is_refused(proof: dict[str, str], signature: str) -> None:
    with pytest.raises((ProofMalformed, ProofWrong)):
        verify_token(token_of(proof, signature=signature), origin=ORIGIN, nonce=NONCE)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "web-eid:2.0"},
        {"algorithm": "none"},
        {"algorithm": "HS256"},
        {"signature": None},
        {"nonce": NONCE},
        {"origin": ORIGIN},
    ],
)
def test_a_token_of_another_form_is_not_read(changes: dict[str, Any]) -> None:
    """Neither origin nor nonce travels: the platform rebuilds both."""
    good = token_of(VECTOR["proofs"][0]).model_dump()
    assert WebEidToken.model_validate(good)
    with pytest.raises(ValidationError):
        WebEidToken.model_validate({**good, **changes})


def test_what_the_signature_key_signs_is_no_proof_of_who_is_there() -> None:
    """A proof counts for its purpose only: 9C signs labelled bytes."""
    for proof in VECTOR["proofs"]:
        algorithm = proof["algorithm"]
        labelled = bytes_for_signature_key(ORIGIN, NONCE, algorithm)
        assert labelled != bytes_to_sign(ORIGIN, NONCE, algorithm)
        with pytest.raises(ProofWrong):
            verify_signature(
                base64.b64decode(proof["certificate"]),
                algorithm=algorithm,
                signature=base64.b64decode(proof["signature"]),
                data=labelled,
            )


@pytest.mark.parametrize(("algorithm", "size"), [("ES256", 32), ("ES384", 48), ("RS512", 64)])
def test_the_signed_bytes_are_two_hashes_of_the_algorithm(algorithm: str, size: int) -> None:
    assert len(bytes_to_sign(ORIGIN, NONCE, algorithm)) == 2 * size


def test_the_answer_of_the_confidentiality_key_depends_on_plain_text_and_nonce() -> None:
    answers = {
        answer_of_confidentiality_key(plain, nonce)
        for plain in (b"a", b"b")
        for nonce in (NONCE, NONCE[::-1])
    }
    assert len(answers) == 4


def test_a_token_is_written_as_it_is_read() -> None:
    proof = VECTOR["proofs"][0]
    certificate, signature = (base64.b64decode(proof[name]) for name in ("certificate", "signature"))
    assert token_for(certificate, proof["algorithm"], signature, "1") == token_of(proof)
