"""Builders that show only what matters: a test register with quick keys, changed certificates, an authority of ours."""

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from zorgid.demo.uzi_register.authorities import Authority
from zorgid.demo.uzi_register.register import Register
from zorgid.kernel.clock import Clock
from zorgid.pki.algorithms import KeyKind, PrivateKey, new_private_key, sign_with
from zorgid.pki.names import HolderNames
from zorgid.pki.prepare import (
    Addresses,
    CardHolder,
    Issuer,
    Prepared,
    assemble,
    authority_validity,
    card_validity,
    check_issued,
    new_serial,
    prepare_authority,
    prepare_card_certificate,
    prepare_responder,
    prepare_root,
    responder_validity,
)
from zorgid.pki.profiles import CARD_PROFILES, Profile

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

HOLDER = CardHolder(
    uzi_number="900000201",
    ura="90000382",
    agb="01000382",
    organisation_name="Huisartsenpraktijk De Linde",
    names=HolderNames("Sanne Elisabeth van der Berg", "van der Berg", "Sanne Elisabeth"),
)


def counted_bytes():
    """Return a random source that gives the same bytes in every run."""
    drawn = 0

    def draw(size_bytes: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_128(drawn.to_bytes(8)).digest(size_bytes)

    return draw


def open_register(
    folder: Path, clock: Clock = lambda: NOW, base_url: str = "http://127.0.0.1:8605"
) -> Register:
    return Register.open(folder, base_url=base_url, clock=clock, random=counted_bytes(), keys=KeyKind.p256)


@cache
def shared_register() -> Register:
    """Return a register for tests that change nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        return open_register(Path(folder))


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def reissued(
    certificate: x509.Certificate,
    issuer: Authority,
    *,
    without: Iterable[type[x509.ExtensionType]] = (),
    extensions: Iterable[x509.ExtensionType] = (),
    subject: x509.Name | None = None,
    not_before: datetime | None = None,
    signed_by: PrivateKey | None = None,
) -> x509.Certificate:
    """Return `certificate` as its issuer would have made it with these changes; an extension replaces its like."""
    replaced = (*without, *(type(extension) for extension in extensions))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(not_before or certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
    )
    for extension in certificate.extensions:
        if not isinstance(extension.value, replaced):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    for value in extensions:
        builder = builder.add_extension(value, critical=isinstance(value, x509.KeyUsage))
    key = signed_by or issuer.key
    return builder.sign(key, issuer.certificate.signature_hash_algorithm)


@dataclass(frozen=True)
class OwnAuthority:
    """A root and a Smartcard CA of ours with their keys, as the room `ca` makes them."""

    root_key: PrivateKey
    root: Issuer
    key: PrivateKey
    issuer: Issuer

    def card_certificate(self, profile: Profile = Profile.authentication, **changes) -> x509.Certificate:
        return issued(self.prepared(profile, **changes), self.key)

    def prepared(self, profile: Profile = Profile.authentication, **changes) -> Prepared:
        facts = {
            "issuer": self.issuer,
            "holder": HOLDER,
            "public_key": new_private_key(KeyKind.p256).public_key(),
            "serial": new_serial(counted_bytes()),
            "validity": card_validity(NOW),
            "attested": True,
        }
        return prepare_card_certificate(profile, **(facts | changes))

    def card(self) -> dict[Profile, x509.Certificate]:
        return {profile: self.card_certificate(profile) for profile in CARD_PROFILES}

    def responder(self, key: PrivateKey) -> x509.Certificate:
        prepared = prepare_responder(
            issuer=self.issuer,
            public_key=key.public_key(),
            serial=new_serial(counted_bytes()),
            validity=responder_validity(NOW),
        )
        return issued(prepared, self.key)


def issued(prepared: Prepared, key: PrivateKey) -> x509.Certificate:
    certificate = assemble(prepared.tbs, prepared.algorithm, sign_with(key)(prepared.tbs))
    return check_issued(certificate, prepared, key.public_key())


@cache
def own_authority(kind: KeyKind = KeyKind.p256) -> OwnAuthority:
    random = counted_bytes()
    root_key, key = new_private_key(kind), new_private_key(kind)
    root = issued(
        prepare_root(
            public_key=root_key.public_key(),
            serial=new_serial(random),
            validity=authority_validity(NOW - timedelta(days=1), years=20),
            stand_in=True,
        ),
        root_key,
    )
    base = "http://127.0.0.1:8604"
    root_issuer = Issuer(root, Addresses(f"{base}/crl/root.crl", f"{base}/ca/root.cer", None))
    below = issued(
        prepare_authority(
            Profile.smartcard_ca,
            issuer=root_issuer,
            public_key=key.public_key(),
            serial=new_serial(random),
            validity=authority_validity(NOW - timedelta(days=1), years=12),
            stand_in=True,
        ),
        root_key,
    )
    addresses = Addresses(f"{base}/crl/smartcard.crl", f"{base}/ca/smartcard.cer", f"{base}/ocsp")
    return OwnAuthority(root_key, root_issuer, key, Issuer(below, addresses))
