"""How the virtual card proves that a key was made on it, under a root that calls itself a test root.

The form is the one YubiKeys use: a certificate for the key, signed by the card's own key in F9, whose
certificate the maker signed. Nobody but the demo and acceptance environments may trust such a root.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cardkit import der
from cardkit.attestation import FIRMWARE, FORM_FACTOR, POLICIES, SERIAL, STATEMENT_NAME
from cardkit.card import PrivateKey
from cardkit.piv import codes
from cardkit.piv.objects import decode_certificate
from cardkit.virtual.state import CardState, StoredKey

TEST_ROOT_NAME: Final = "TEST ONLY virtual card attestation root"
LIFE_OF_ROOT: Final = timedelta(days=30 * 365)
USB_A_KEYCHAIN: Final = b"\x01"


@dataclass(frozen=True)
class AttestationRoot:
    """The maker's key and certificate of virtual cards; a test root, and named so."""

    private_key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def certificate_der(self) -> bytes:
        """The root certificate, to hand to whoever verifies."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def to_pem(self) -> bytes:
        """Return key and certificate as PEM, unencrypted: they are worth nothing outside a test."""
        key = self.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return key + self.certificate.public_bytes(serialization.Encoding.PEM)

    @classmethod
    def from_pem(cls, pem: bytes) -> AttestationRoot:
        """Return what `to_pem` wrote. Raises `ValueError`."""
        key = serialization.load_pem_private_key(pem, None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return cls(key, x509.load_pem_x509_certificate(pem))
        raise ValueError("not a test attestation root")

    def issue_card_certificate(self, public_key: ec.EllipticCurvePublicKey, serial: int) -> x509.Certificate:
        """Return the certificate of a card's attestation key, valid as long as the root itself."""
        builder = (
            _builder(self.certificate, f"TEST ONLY virtual card {serial}", self.certificate.subject)
            .public_key(public_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        )
        return builder.sign(self.private_key, hashes.SHA256())


def make_test_attestation_root(*, now: datetime) -> AttestationRoot:
    """Return a new test root, valid from `now` (aware) for thirty years."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(TEST_ROOT_NAME)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + LIFE_OF_ROOT)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .sign(key, hashes.SHA256())
    )
    return AttestationRoot(key, certificate)


def attest_key(state: CardState, reference: int, key: StoredKey, attesting_key: PrivateKey) -> bytes:
    """Return the statement (a certificate, DER) that `key` in slot `reference` was made on the card.

    Raises:
        ValueError: the card holds no certificate for its attesting key.
    """
    issuer = card_certificate(state)
    policies = bytes([codes.PIN_POLICY_CODES[key.pin_policy], codes.TOUCH_POLICY_CODES[key.touch_policy]])
    builder = _builder(issuer, f"{STATEMENT_NAME}{reference:02x}", issuer.subject).public_key(key.public_key)
    for oid, value in (
        (FIRMWARE, bytes(state.firmware)),
        (SERIAL, der.integer(state.serial)),
        (POLICIES, policies),
        (FORM_FACTOR, USB_A_KEYCHAIN),
    ):
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(attesting_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def card_certificate(state: CardState) -> x509.Certificate:
    """Return the certificate in the card's attestation object. Raises `ValueError` when there is none."""
    content = state.objects.get(codes.ATTESTATION_CERTIFICATE_OBJECT)
    if content is None:
        raise ValueError("no attestation certificate")
    return decode_certificate(content)


def _builder(validity_of: x509.Certificate, subject: str, issuer: x509.Name) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity_of.not_valid_before_utc)
        .not_valid_after(validity_of.not_valid_after_utc)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
