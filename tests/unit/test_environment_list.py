"""The operator signs the list of environments with a key of its own; what no app would believe is not signed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from zorgid.cli import main
from zorgid.protocol.environments import verify_environments

NOW = datetime.now(UTC)


def words(folder: Path, *command: str) -> list[str]:
    home = ["--signing-keys", str(folder / "keys"), "--signing-passphrase-file", str(folder / "passphrase")]
    return ["environments", *command, *home]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "passphrase").write_text("a long passphrase of the tests")
    return tmp_path


def unsigned(folder: Path, **changed: object) -> Path:
    listed = {
        "serial": 3,
        "valid_from": NOW.isoformat(),
        "valid_until": (NOW + timedelta(days=365)).isoformat(),
        "environments": [{"id": "production", "origin": "https://zorg-id.example"}],
        **changed,
    }
    path = folder / "list.json"
    path.write_text(json.dumps(listed))
    return path


def test_a_signed_list_is_one_that_apps_believe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(folder, "key")) == 0
    key = capsys.readouterr().out.strip()
    signed = folder / "environments.json"
    assert main(words(folder, "sign", str(unsigned(folder)), "--output", str(signed))) == 0
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    listed = verify_environments(signed.read_bytes(), [public], now=datetime.now(UTC), least_serial=3)
    assert [one.origin for one in listed.environments] == ["https://zorg-id.example"]
    capsys.readouterr()
    assert main(words(folder, "key")) == 0
    assert capsys.readouterr().out.strip() == key, "the key stays the same"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"valid_until": (NOW - timedelta(days=1)).isoformat()}, "environments-expired"),
        ({"environments": [{"id": "production", "origin": "http://zorg-id.example"}]}, "https"),
        ({"environments": []}, "environments"),
        ({"serial": 0}, "serial"),
        ({"extra": 1}, "extra"),
    ],
)
def test_what_no_app_would_believe_is_not_signed(
    folder: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, object], told: str
) -> None:
    signed = folder / "environments.json"
    assert main(words(folder, "sign", str(unsigned(folder, **changed)), "--output", str(signed))) == 1
    assert told in capsys.readouterr().err
    assert not signed.exists()


def test_a_file_that_is_not_there_and_a_short_passphrase_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(folder, "sign", str(folder / "none"), "--output", str(folder / "out"))) == 1
    assert "cannot be read" in capsys.readouterr().err
    (folder / "passphrase").write_text("short")
    assert main(words(folder, "key")) == 1
    assert "short" in capsys.readouterr().err


def test_the_private_key_lies_encrypted_in_a_folder_of_its_owner(folder: Path) -> None:
    assert main(words(folder, "key")) == 0
    assert (folder / "keys").stat().st_mode & 0o077 == 0
    (pem,) = (folder / "keys").glob("*.pem")
    assert b"ENCRYPTED" in pem.read_bytes()
