"""Checking the request that a card has signed for its key (CARD-5)."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AttributeOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from zorgid.kernel.errors import Refusal
from zorgid.pki.algorithms import KeyKind, key_fingerprint, new_private_key
from zorgid.pki.requests import check_request

CHALLENGE = "issuance 7f3a, try 1, authentication"
EVERY_CARD_KEY = frozenset({KeyKind.rsa2048, KeyKind.rsa3072, KeyKind.rsa4096, KeyKind.p256})


def request(key, challenge: bytes | None = CHALLENGE.encode(), hash_algorithm=hashes.SHA256()) -> bytes:  # noqa: B008
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anything")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if challenge is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge)
    return builder.sign(key, hash_algorithm).public_bytes(Encoding.DER)


def refused(unverified: bytes, *, challenge: str = CHALLENGE, admitted=EVERY_CARD_KEY) -> str:
    with pytest.raises(Refusal) as refusal:
        check_request(unverified, challenge=challenge, admitted=admitted)
    return refusal.value.code


@pytest.mark.parametrize("kind", [KeyKind.rsa2048, KeyKind.p256])
def test_a_request_for_exactly_this_try_gives_its_key(kind: KeyKind):
    key = new_private_key(kind)

    checked = check_request(request(key), challenge=CHALLENGE, admitted=EVERY_CARD_KEY)

    assert checked.kind is kind
    assert checked.public_key == key.public_key()
    assert checked.public_key_sha256 == key_fingerprint(key.public_key())


P256 = new_private_key(KeyKind.p256)


@pytest.mark.parametrize("challenge", [b"another try", CHALLENGE.encode() + b" ", b"", None])
def test_a_request_for_another_try_is_refused(challenge: bytes | None):
    assert refused(request(P256, challenge)) == "request-challenge"


@pytest.mark.parametrize("carried", [b"x", b"", None])
def test_a_caller_who_forgot_the_challenge_gets_no_key(carried: bytes | None):
    assert refused(request(P256, carried), challenge="") == "request-challenge"


WEAK = {
    "rsa1024": rsa.generate_private_key(65537, 1024),
    "rsa with exponent 3": rsa.generate_private_key(3, 2048),
    "rsa of an odd size": rsa.generate_private_key(65537, 2056),
    "p521": ec.generate_private_key(ec.SECP521R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
}


@pytest.mark.parametrize("key", WEAK)
def test_a_key_of_another_kind_is_refused(key: str):
    assert refused(request(WEAK[key])) == "key-unfit"


def test_an_ed25519_key_is_refused():
    assert refused(request(ed25519.Ed25519PrivateKey.generate(), hash_algorithm=None)) == "key-unfit"


def test_a_kind_that_the_kind_of_card_does_not_have_is_refused():
    assert refused(request(P256), admitted=frozenset({KeyKind.rsa2048})) == "key-unfit"


def test_a_request_whose_signature_was_changed_is_refused():
    sound = request(P256)

    assert refused(sound[:-1] + bytes([sound[-1] ^ 1])) == "request-signature"


def test_a_request_with_another_key_put_in_is_refused():
    other = request(new_private_key(KeyKind.p256))
    own_point = P256.public_key().public_numbers().x.to_bytes(32)
    other_point = (
        x509.load_der_x509_csr(other).public_key().public_numbers().x.to_bytes(32)  # type: ignore[union-attr]
    )

    assert refused(request(P256).replace(own_point, other_point)) in {
        "request-malformed",
        "request-signature",
    }


@given(st.binary(max_size=300))
def test_bytes_that_are_no_request_are_refused(unverified: bytes):
    assert refused(unverified) == "request-malformed"


SOUND = request(P256)


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_a_request_with_one_changed_byte_never_breaks_the_check(place: int, other: int):
    changed = SOUND[:place] + bytes([SOUND[place] ^ other]) + SOUND[place + 1 :]
    try:
        checked = check_request(changed, challenge=CHALLENGE, admitted=EVERY_CARD_KEY)
    except Refusal:
        return
    assert checked.public_key == P256.public_key()


def test_an_endless_request_is_refused_unread():
    assert refused(SOUND + b"\x00" * 10_000) == "request-malformed"
