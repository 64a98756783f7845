"""The tools of others on cards that we made, through the real PC/SC service, with nothing of ours in between."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.interop.readers.made_cards import MANAGEMENT_KEY, PIN, MadeCard, made_card
from tests.interop.readers.service import YUBIKEY, Service, answers, eventually

from cardkit.card import KeyAlgorithm, KeySlot
from cardkit.secrets import ManagementKeyKind, factory_management_key
from cardkit.virtual import ATR_NIST, ATR_YUBIKEY, Mode, make_blank_card

pytestmark = pytest.mark.xdist_group("pcscd")

OPENSC = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
YKMAN = "/usr/bin/ykman"
"""Debian's, whatever else has that name on the path."""
IDS = {KeySlot.authentication: "01", KeySlot.signature: "02", KeySlot.confidentiality: "03"}
MESSAGE = b"what is signed"


def run(*command: str | Path, given: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        list(map(str, command)),
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        env=None if env is None else {**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"{command}: {done.returncode}\n{said}"
    return said


def pkcs11_tool(*arguments: str | Path) -> str:
    return run("pkcs11-tool", "--module", OPENSC, "--login", "--pin", PIN, *arguments)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("atr", [ATR_NIST, ATR_YUBIKEY], ids=["nist", "yubikey"])
@pytest.mark.parametrize("algorithm", [KeyAlgorithm.p256, KeyAlgorithm.rsa2048])
def test_opensc_finds_no_error(
    plain_reader: Service, mode: Mode, atr: bytes, algorithm: KeyAlgorithm
) -> None:
    """CARD-5, LOGIN-6. The card's management key is of the kind in whose name OpenSC asks for random numbers."""
    key = factory_management_key(ManagementKeyKind.tdes)
    blank = make_blank_card(1, mode=mode, atr=atr, management_key=key)
    plain_reader.insert(made_card(blank, algorithm).virtual)
    said = pkcs11_tool("--test")
    assert "No errors" in said, said


def test_opensc_misses_nothing_but_random_numbers_on_a_card_with_an_aes_key(plain_reader: Service) -> None:
    """LOGIN-6: this OpenSC knows one kind of management key only; nobody asks a card for random numbers."""
    plain_reader.insert(made_card().virtual)
    said = pkcs11_tool("--test")
    assert "1 errors" in said
    assert "ERR: C_GenerateRandom failed" in said


@pytest.mark.parametrize("slot", [KeySlot.authentication, KeySlot.signature])
@pytest.mark.parametrize(
    ("algorithm", "mechanism"),
    [(KeyAlgorithm.p256, "ECDSA-SHA256"), (KeyAlgorithm.rsa2048, "SHA256-RSA-PKCS")],
)
def test_openssl_takes_a_signature_that_opensc_asked_for(
    plain_reader: Service, tmp_path: Path, slot: KeySlot, algorithm: KeyAlgorithm, mechanism: str
) -> None:
    """CARD-5."""
    made = made_card(algorithm=algorithm)
    plain_reader.insert(made.virtual)
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(MESSAGE)
    form = ("--signature-format", "openssl")
    pkcs11_tool("--sign", "--id", IDS[slot], "-m", mechanism, "-i", message, "-o", signature, *form)
    key = made.write_public_key(slot, tmp_path)
    assert "Verified OK" in run(
        "openssl", "dgst", "-sha256", "-verify", key, "-signature", signature, message
    )


def test_a_shared_secret_is_that_of_openssl(plain_reader: Service, tmp_path: Path) -> None:
    """CARD-5: the key for confidentiality."""
    made = made_card()
    plain_reader.insert(made.virtual)
    ours, theirs, peer = tmp_path / "ours", tmp_path / "theirs", tmp_path / "peer.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    peer.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = tmp_path / "peer.der"
    public.write_bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    pkcs11_tool("--derive", "--id", "03", "-m", "ECDH1-DERIVE", "-i", public, "-o", ours)
    card_key = made.write_public_key(KeySlot.confidentiality, tmp_path)
    run("openssl", "pkeyutl", "-derive", "-inkey", peer, "-peerkey", card_key, "-out", theirs)
    assert ours.read_bytes() == theirs.read_bytes()


def test_ykman_knows_what_we_wrote(yubikey_reader: Service) -> None:
    """CARD-5, LOGIN-6."""
    made = made_card()
    yubikey_reader.insert(made.virtual, YUBIKEY)
    said = run(YKMAN, "--reader", yubikey_reader.slot_name(YUBIKEY), "piv", "info")
    assert "PIV version: 5.7.1" in said
    assert "PIN tries remaining: 3/3" in said
    assert "Using default" not in said
    assert said.count("J. de Vries") == 3


def test_ykman_finds_that_a_certificate_and_our_key_belong_together(
    yubikey_reader: Service, tmp_path: Path
) -> None:
    """CARD-5: the card signs with the key that we made, for a certificate that comes back unchanged."""
    made = made_card()
    yubikey_reader.insert(made.virtual, YUBIKEY)
    piv = (YKMAN, "--reader", yubikey_reader.slot_name(YUBIKEY), "piv", "certificates")
    path = tmp_path / "certificate.pem"
    run(*piv, "export", "9a", path)
    secrets = ("--pin", PIN, "--management-key", MANAGEMENT_KEY.hex())
    run(*piv, "import", "--verify", *secrets, "9a", path)
    again = tmp_path / "again.pem"
    run(*piv, "export", "9a", again)
    assert again.read_bytes() == path.read_bytes()


@pytest.fixture
def ssh_key(plain_reader: Service) -> str:
    """The key for authentication of a card that is in, as OpenSSH writes it."""
    made = made_card()
    plain_reader.insert(made.virtual)
    return ssh_form(made)


def ssh_form(made: MadeCard) -> str:
    public = made.keys[KeySlot.authentication].public_key
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def test_ssh_reads_the_key(ssh_key: str) -> None:
    """LOGIN-6."""
    assert ssh_key in run("ssh-keygen", "-D", OPENSC)


def test_an_ssh_agent_signs_with_the_card(ssh_key: str, tmp_path: Path) -> None:
    """LOGIN-6."""
    asks = tmp_path / "asks"
    asks.write_text(f"#!/bin/sh\necho {PIN}\n")
    asks.chmod(0o700)
    public, message = tmp_path / "key.pub", tmp_path / "message"
    public.write_text(f"{ssh_key} card\n")
    message.write_bytes(MESSAGE)
    (tmp_path / "allowed").write_text(f"somebody {ssh_key}\n")
    with ssh_agent(tmp_path) as env:
        run("ssh-add", "-s", OPENSC, env={**env, "SSH_ASKPASS": str(asks), "SSH_ASKPASS_REQUIRE": "force"})
        run("ssh-keygen", "-Y", "sign", "-f", public, "-n", "test", message, env=env)
    verify = ("ssh-keygen", "-Y", "verify", "-f", tmp_path / "allowed", "-I", "somebody", "-n", "test")
    assert "Good" in run(*verify, "-s", tmp_path / "message.sig", given=MESSAGE)


@contextmanager
def ssh_agent(folder: Path) -> Iterator[dict[str, str]]:
    place = folder / "agent"
    agent = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL
    )
    try:
        eventually(lambda: answers(place), "ssh-agent listens")
        yield {"SSH_AUTH_SOCK": str(place)}
    finally:
        agent.terminate()
        agent.wait(60)
