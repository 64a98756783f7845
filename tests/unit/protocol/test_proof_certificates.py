"""LOGIN-4, ALL-2: a proof that comes with a strange certificate is refused; it never becomes a fault."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from zorgid.protocol.errors import ProofMalformed, ProofWrong
from zorgid.protocol.proof import token_for, verify_token

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])


def certificate_for(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    hash_algorithm = hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), 1, NOW, NOW + dt.timedelta(days=1))
    return builder.sign(key, hash_algorithm).public_bytes(Encoding.DER)


WHOLE = certificate_for(ec.generate_private_key(ec.SECP256R1()))
VERSION_3, VERSION_5 = bytes.fromhex("a003020102"), bytes.fromhex("a003020104")
EC_KEY, NO_KEY = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0277")
P_256, NO_CURVE = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d030177")


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(WHOLE[:-1], id="cut off"),
        pytest.param(WHOLE.replace(VERSION_3, VERSION_5), id="a version that does not exist"),
        pytest.param(WHOLE.replace(EC_KEY, NO_KEY), id="a kind of key that does not exist"),
        pytest.param(WHOLE.replace(P_256, NO_CURVE), id="a curve that does not exist"),
        pytest.param(certificate_for(ed25519.Ed25519PrivateKey.generate()), id="a key of another kind"),
    ],
)
def test_a_proof_with_a_certificate_that_cannot_be_used_is_malformed(certificate):
    token = token_for(certificate, "ES256", bytes(64), "1.0")
    with pytest.raises(ProofMalformed):
        verify_token(token, origin="https://id.example", nonce="n")


def test_a_proof_that_another_key_signed_is_wrong():
    token = token_for(WHOLE, "ES256", bytes(63) + b"\x01", "1.0")
    with pytest.raises(ProofWrong):
        verify_token(token, origin="https://id.example", nonce="n")
