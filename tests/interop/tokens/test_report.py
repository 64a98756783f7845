"""The card report for the support desk: everything of readers, modules and tokens, and nothing of a person."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.interop.readers.service import YUBIKEY, Service
from tests.interop.tokens.tokens import PIN, SOFTHSM, YKCS11, module, personalise

from cardkit.card import KeyAlgorithm, KeySlot
from cardkit.pkcs11.readers import Pkcs11Reader
from cardkit.secrets import ManagementKeyKind, factory_management_key
from cardkit.virtual import VirtualCard
from zorgid_desktop.cli import main
from zorgid_desktop.modules import MODULE_VARIABLE

SECRETS = ("Linde24", "87654321")
HOLDER = "J. de Vries"


@pytest.fixture
def full_token(token: Pkcs11Reader) -> Pkcs11Reader:
    """A token of J. de Vries."""
    with token.open_card() as card:
        personalise(card, lambda: card.verify_pin(PIN), PIN, KeyAlgorithm.p256)
    return token


def reported(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[str, dict[str, Any]]:
    assert main(["report", *options]) == 0
    text = capsys.readouterr().out
    return text, json.loads(text)


def test_the_report_tells_what_a_token_is_and_not_whose(
    full_token: Pkcs11Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ALL-2: for a module that nobody here could run. Names only when asked for (ALL-10)."""
    monkeypatch.setenv(MODULE_VARIABLE, SOFTHSM)
    text, report = reported(capsys)
    (told,) = report["modules"]
    assert (told["manufacturer"], told["description"]) == ("SoftHSM", "Implementation of PKCS11")
    slot = next(one for one in told["slots"] if one["id"] == full_token.slot_id)
    assert "USER_PIN_INITIALIZED" in slot["token"]["flags"]
    assert slot["mechanisms"]["ECDSA"].endswith("SIGN VERIFY")
    certificates = [one["certificate"] for one in slot["token"]["objects"] if one["class"] == "CERTIFICATE"]
    assert {one["usage"] for one in certificates} == {"authentication", "signature", "confidentiality"}
    assert {one["key"] for one in certificates} == {"p256"}
    with full_token.open_card() as card:
        number = f"{card.read_certificates()[0].certificate.serial_number:x}"
    serial = full_token.module.token_info(full_token.slot_id).serial
    for personal in (HOLDER, "ZORG-ID test", serial, number, *SECRETS):
        assert personal not in text
    assert not any("VALUE" in one for one in slot["token"]["objects"])


def test_whose_card_it_is_is_told_when_asked_for(
    full_token: Pkcs11Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(MODULE_VARIABLE, SOFTHSM)
    text, report = reported(capsys, "--with-names")
    assert report["with_names"]
    assert HOLDER in text
    assert "ZORG-ID test" in text
    assert not any(secret in text for secret in SECRETS)


def test_modules_that_cannot_be_used_are_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report is written for when something does not work."""
    text = tmp_path / "text.so"
    text.write_text("no library")
    monkeypatch.setenv(MODULE_VARIABLE, f"{tmp_path / 'absent.so'}:{text}:half.so")
    _, report = reported(capsys)
    assert [one["trouble"] for one in report["modules"]] == [
        "module-missing",
        "module-unfit",
        "module-not-whole",
    ]


def test_the_report_goes_into_a_file_or_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(MODULE_VARIABLE, "")
    file = tmp_path / "report.json"
    assert main(["report", "--output", str(file)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert str(file) in told.err
    assert json.loads(file.read_text(encoding="utf-8"))["modules"] == []
    assert main(["report", "--output", str(tmp_path / "nowhere" / "report.json")]) == 1
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.xdist_group("pcscd")
def test_readers_with_their_cards_are_in_the_report(
    yubikey_reader: Service,
    virtual_card: VirtualCard,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the card said first, what PIV finds on it, and the same card behind a module."""
    yubikey_reader.insert(virtual_card, YUBIKEY)
    with module(YKCS11) as readers:
        key = factory_management_key(ManagementKeyKind.tdes)
        (found,) = readers.at(yubikey_reader.slot_name(YUBIKEY))
        with found.open_card() as card:
            card.authenticate_management(key)
            card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
        monkeypatch.setenv(MODULE_VARIABLE, YKCS11)
        text, report = reported(capsys)
    by_name = {reader["name"]: reader for reader in report["pcsc"]["readers"]}
    reader = by_name[yubikey_reader.slot_name(YUBIKEY)]
    assert reader["atr"] == virtual_card.atr.hex()
    assert reader["piv"]["firmware"] == [5, 7, 1]
    assert reader["piv"]["pin_tries_left"] == 3
    (told,) = report["modules"]
    assert told["slots"][0]["token"]["model"] == "YubiKey YK5"
    assert "12345678" not in text
    assert virtual_card.state.pin.tries_left == 3
