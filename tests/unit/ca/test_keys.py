"""The home of keys in encrypted files."""

import hashlib
import hmac
import stat
import threading

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from zorgid.ca.keys import (
    SIGNS_WITH,
    EncryptedFileKeys,
    KeyKind,
    KeyMisused,
    KeyName,
    KeysUnreadable,
    KeyUnknown,
    SigningAlgorithm,
)
from zorgid.kernel.secrets import Secret

PASSPHRASE = Secret(b"a passphrase of the operator")
NAME = KeyName("ca-smartcard")


@pytest.fixture
def keys(tmp_path):
    return EncryptedFileKeys(tmp_path / "keys", PASSPHRASE)


def test_a_p256_key_signs_and_its_public_key_agrees(keys):
    keys.create_key(NAME, KeyKind.p256)

    signature = keys.sign(NAME, b"data", SigningAlgorithm.ecdsa_sha256)

    keys.public_key(NAME).verify(signature, b"data", ec.ECDSA(hashes.SHA256()))


def test_an_rsa_key_signs_in_both_paddings(keys):
    keys.create_key(NAME, KeyKind.rsa2048)
    public_key = keys.public_key(NAME)

    plain = keys.sign(NAME, b"data", SigningAlgorithm.rsa_sha256)
    pss = keys.sign(NAME, b"data", SigningAlgorithm.rsa_pss_sha256)

    public_key.verify(plain, b"data", padding.PKCS1v15(), hashes.SHA256())
    public_key.verify(pss, b"data", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def test_an_ed25519_key_signs(keys):
    keys.create_key(NAME, KeyKind.ed25519)

    keys.public_key(NAME).verify(keys.sign(NAME, b"data", SigningAlgorithm.ed25519), b"data")


def test_a_secret_gives_the_same_mac_and_derivation_after_a_restart(keys, tmp_path):
    keys.create_key(NAME, KeyKind.secret)
    again = EncryptedFileKeys(tmp_path / "keys", PASSPHRASE)

    assert keys.mac(NAME, b"data") == again.mac(NAME, b"data")
    assert keys.derive(NAME, b"info", 24) == again.derive(NAME, b"info", 24)
    assert keys.derive(NAME, b"info", 24) != keys.derive(NAME, b"other", 24)
    assert len(keys.derive(NAME, b"info", 24).reveal()) == 24
    assert keys.mac(NAME, b"data") != hmac.digest(b"", b"data", hashlib.sha256)


@pytest.mark.parametrize("kind", [KeyKind.rsa2048, KeyKind.p256, KeyKind.ed25519, KeyKind.secret])
@pytest.mark.parametrize("algorithm", list(SigningAlgorithm))
def test_a_key_signs_with_what_the_table_says_and_nothing_else(keys, kind, algorithm):
    keys.create_key(NAME, kind)

    if algorithm in SIGNS_WITH[kind]:
        assert keys.sign(NAME, b"data", algorithm)
    else:
        with pytest.raises(KeyMisused):
            keys.sign(NAME, b"data", algorithm)


def test_a_key_is_no_secret_and_a_secret_has_no_public_key(keys):
    keys.create_key(NAME, KeyKind.p256)
    keys.create_key(KeyName("audit"), KeyKind.secret)

    with pytest.raises(KeyMisused):
        keys.mac(NAME, b"data")
    with pytest.raises(KeyMisused):
        keys.public_key(KeyName("audit"))


def test_creating_a_key_again_leaves_the_key_as_it_was(keys):
    keys.create_key(NAME, KeyKind.p256)
    before = keys.public_key(NAME)

    keys.create_key(NAME, KeyKind.p256)

    assert keys.public_key(NAME) == before
    assert keys.names() == [NAME]


def test_a_key_of_another_kind_is_not_taken_for_the_one_asked(keys):
    keys.create_key(NAME, KeyKind.p256)

    with pytest.raises(KeyMisused):
        keys.create_key(NAME, KeyKind.ed25519)


def test_nodes_that_make_the_same_key_at_once_end_with_one_key(tmp_path):
    homes = [EncryptedFileKeys(tmp_path / "keys", PASSPHRASE) for _ in range(4)]
    threads = [threading.Thread(target=home.create_key, args=(NAME, KeyKind.p256)) for home in homes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (
        len(
            {
                home.sign(NAME, b"", "ecdsa_sha256") and home.public_key(NAME).public_numbers()
                for home in homes
            }
        )
        == 1
    )
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["ca-smartcard.pem", "salt"]


def test_a_wrong_passphrase_opens_nothing(keys, tmp_path):
    keys.create_key(NAME, KeyKind.p256)

    with pytest.raises(KeysUnreadable):
        EncryptedFileKeys(tmp_path / "keys", Secret(b"another")).sign(
            NAME, b"", SigningAlgorithm.ecdsa_sha256
        )


def test_a_file_put_in_the_place_of_another_is_not_opened(keys, tmp_path):
    keys.create_key(NAME, KeyKind.p256)
    (tmp_path / "keys" / "ca-root.pem").write_bytes((tmp_path / "keys" / "ca-smartcard.pem").read_bytes())

    with pytest.raises(KeysUnreadable):
        keys.public_key(KeyName("ca-root"))


def test_files_and_folder_are_for_their_owner_only_and_encrypted(keys, tmp_path):
    keys.create_key(NAME, KeyKind.p256)
    file = tmp_path / "keys" / "ca-smartcard.pem"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    with pytest.raises(TypeError):
        load_pem_private_key(file.read_bytes(), None)


def test_a_folder_that_others_may_enter_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)  # whatever the umask

    with pytest.raises(KeysUnreadable):
        EncryptedFileKeys(tmp_path / "open", PASSPHRASE)


def test_a_lost_salt_is_never_replaced_while_there_are_keys(keys, tmp_path):
    keys.create_key(NAME, KeyKind.p256)
    (tmp_path / "keys" / "salt").unlink()

    with pytest.raises(KeysUnreadable):
        EncryptedFileKeys(tmp_path / "keys", PASSPHRASE)


@pytest.mark.parametrize("name", ["../ca", "", "CA", "a/b", "a.pem", "-a"])
def test_a_name_that_could_leave_the_folder_is_refused(keys, name):
    with pytest.raises(KeyMisused):
        keys.create_key(KeyName(name), KeyKind.p256)


def test_an_unknown_key_is_said_to_be_unknown(keys):
    with pytest.raises(KeyUnknown):
        keys.sign(NAME, b"", SigningAlgorithm.ecdsa_sha256)


def test_the_home_says_loudly_that_it_is_a_stand_in(keys):
    assert keys.is_stand_in
    assert "STAND-IN" in keys.description
