"""Tokens by others for the tests of the PKCS#11 driver, and the walks that both of them make.

SoftHSM2 has its tokens in a folder of the test; ykcs11 has the virtual card, in a reader of the test's PC/SC service.
Modules read where they are when they start (C_Initialize), so each is ended with its test.
"""

import datetime as dt
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from tests.unit.cardkit.builders import USAGE_NAMES, USAGES

from cardkit.card import Card, CardKey, KeyAlgorithm, KeySlot, PublicKey
from cardkit.pkcs11.module import module_at
from cardkit.pkcs11.places import Modules
from cardkit.pkcs11.readers import Pkcs11Reader, Pkcs11Readers
from cardkit.request import build_request
from cardkit.secrets import Pin, Puk

SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
YKCS11 = "/usr/lib/x86_64-linux-gnu/libykcs11.so.2"
PUK = Puk("87654321")
NEW_PUK = Puk("11223344")
PIN = Pin("Linde24")
NEW_PIN = Pin("Nieuw123")
WRONG_PIN = Pin("Fout999")
CA_KEY = ec.generate_private_key(ec.SECP256R1())


@contextmanager
def softhsm(folder: Path) -> Iterator[Pkcs11Readers]:
    """Start SoftHSM2 with its tokens in `folder`, which has none yet."""
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    try:
        with module(SOFTHSM) as readers:
            yield readers
    finally:
        del os.environ["SOFTHSM2_CONF"]
        if before is not None:
            os.environ["SOFTHSM2_CONF"] = before


@contextmanager
def module(path: str) -> Iterator[Pkcs11Readers]:
    """Name a module to the driver, and end it afterwards."""
    assert Path(path).exists(), "make test installs softhsm2 and ykcs11"
    try:
        yield Pkcs11Readers(Modules((path,), are_named=True))
    finally:
        module_at(path).close()
        module_at.cache_clear()


def blank_token(readers: Pkcs11Readers, label: str = "ZORG-ID test") -> Pkcs11Reader:
    """Make a token with a PUK, and no PIN yet."""
    empty = next(reader for reader in readers.present() if not reader.module.token_info(reader.slot_id).label)
    return empty.initialise(PUK, label)


def personalise(
    card: Card, become_maker: Callable[[], None], pin: Pin, algorithm: KeyAlgorithm
) -> dict[KeySlot, CardKey]:
    """Make three keys, let each ask for its certificate, and write that."""
    keys = {}
    for slot in KeySlot:
        become_maker()
        key = card.generate_key(slot, algorithm)
        card.verify_pin(pin)
        request = x509.load_der_x509_csr(build_request(card, key, "J. de Vries", "the making"))
        assert request.is_signature_valid
        assert request.public_key() == key.public_key
        become_maker()
        card.write_certificate(slot, certified(key.public_key, usage_for(slot, algorithm)))
        keys[slot] = key
    return keys


def usage_for(slot: KeySlot, algorithm: KeyAlgorithm) -> str:
    """Return the key usage that a certificate in the slot has."""
    is_agreement = slot is KeySlot.confidentiality and not algorithm.startswith("rsa")
    return "agreement" if is_agreement else slot.value


def certified(public_key: PublicKey, usage: str, name: str = "J. de Vries") -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    asserted = {each: each in USAGES[usage] for each in USAGE_NAMES}
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST CA")]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.KeyUsage(**asserted), critical=True)
        .sign(CA_KEY, hashes.SHA256())
    )


def openssl_takes(
    folder: Path, key: CardKey, message: bytes, signature: bytes, digest: str = "sha256"
) -> bool:
    """Whether openssl finds the signature in order."""
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(signature)
    pem = key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(pem)
    command = ["openssl", "dgst", f"-{digest}", "-verify", "public.pem", "-signature", "signature", "message"]
    told = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
    return told.returncode == 0 and "Verified OK" in told.stdout
