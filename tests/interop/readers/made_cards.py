"""Cards that our own driver personalised, for the tools of others to judge."""

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from cardkit.card import CardKey, Chuid, KeyAlgorithm, KeySlot
from cardkit.piv import PivCard
from cardkit.secrets import ManagementKey, Pin, factory_management_key
from cardkit.virtual import CardState, Mode, VirtualCard, make_blank_card

PIN = "135790"
MANAGEMENT_KEY = bytes(range(0x40, 0x58))
TOMORROW = dt.timedelta(days=1)
USAGES: Mapping[KeySlot, frozenset[str]] = {
    KeySlot.authentication: frozenset({"digital_signature"}),
    KeySlot.signature: frozenset({"content_commitment"}),
    KeySlot.confidentiality: frozenset({"key_encipherment", "data_encipherment"}),
}
AGREEMENT: Mapping[KeySlot, frozenset[str]] = {KeySlot.confidentiality: frozenset({"key_agreement"})}
USAGE_NAMES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class MadeCard:
    """A personalised card and its keys."""

    virtual: VirtualCard
    keys: Mapping[KeySlot, CardKey]

    def write_public_key(self, slot: KeySlot, folder: Path) -> Path:
        """Write the public key as OpenSSL reads it."""
        path = folder / f"{slot}.pub"
        public = self.keys[slot].public_key
        path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return path


def made_card(blank: CardState | None = None, algorithm: KeyAlgorithm = KeyAlgorithm.p256) -> MadeCard:
    """Personalise a blank card as the Desktop App does: PIN, management key, CHUID, three keys and certificates."""
    virtual = VirtualCard(blank or make_blank_card(20212223))
    card = PivCard.open(virtual)
    card.change_pin(Pin("123456"), Pin(PIN))
    card.authenticate_management(factory_management_key(virtual.state.management_key.kind))
    card.write_chuid(Chuid.random(os.urandom, dt.date(2029, 11, 21)))
    keys = {slot: card.generate_key(slot, algorithm) for slot in KeySlot}
    usages = USAGES if algorithm is KeyAlgorithm.rsa2048 else {**USAGES, **AGREEMENT}
    for slot, key in keys.items():
        card.write_certificate(slot, certificate_for(key, usages[slot]))
    if virtual.state.mode is Mode.extended:
        card.set_management_key(ManagementKey(MANAGEMENT_KEY, virtual.state.management_key.kind))
    virtual.power_cycle()
    return MadeCard(virtual, keys)


def certificate_for(key: CardKey, usages: frozenset[str]) -> x509.Certificate:
    """Return a certificate for a card's key by an issuer of the moment; only what is in it matters here."""
    now = dt.datetime.now(dt.UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuer of the tests")])
    holder = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "J. de Vries")])
    return (
        x509.CertificateBuilder()
        .subject_name(holder)
        .issuer_name(issuer)
        .public_key(key.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - TOMORROW)
        .not_valid_after(now + TOMORROW)
        .add_extension(
            x509.KeyUsage(**{name: name in usages for name in USAGE_NAMES}),
            critical=True,
        )
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
