"""`zorgid-desktop` as a person starts it, at the readers of the computer."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.interop.readers.made_cards import made_card
from tests.interop.readers.service import Service, card_is_in, eventually
from tests.interop.readers.terminal import HEARS_CTRL_C
from tests.interop.readers.test_foreign_tools import OPENSC, run

from cardkit.pcsc import PcscReader
from cardkit.virtual import VirtualReader

pytestmark = pytest.mark.xdist_group("pcscd")

DESKTOP = (sys.executable, "-m", "zorgid_desktop.cli")
DUTCH = {"LC_ALL": "nl_NL.UTF-8"}


def plugging(folder: Path, service: Service, *words: str) -> subprocess.Popen[str]:
    command = [*HEARS_CTRL_C, *DESKTOP, "--cards-folder", str(folder), "virtual-card", *words]
    return subprocess.Popen(
        [*command, "--port", str(service.port())],
        env={**os.environ, **DUTCH},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(("mode", "atr"), [("extended", "nist"), ("strict", "yubikey")])
def test_a_virtual_card_is_in_as_long_as_its_command_runs(
    plain_reader: Service, tmp_path: Path, mode: str, atr: str
) -> None:
    """LOGIN-6: a supplier's program finds a card in a reader."""
    slot, tray = plain_reader.slot_name(), tmp_path / "cards"
    command = plugging(tray, plain_reader, "proef", "--new", "--mode", mode, "--atr", atr)
    eventually(lambda: card_is_in(slot), "the card is in")
    said = run("opensc-tool", "--reader", slot, "--atr").replace(":", "").replace("\n", "").upper()
    assert ("597562694B6579" in said) is (atr == "yubikey")
    assert "PIV" in run("pkcs11-tool", "--module", OPENSC, "--list-slots")
    command.send_signal(signal.SIGINT)
    told, _ = command.communicate(timeout=60)
    assert command.returncode == 0, told
    assert "TESTKAART" in told
    assert "Kaart proef zit in de virtuele paslezer." in told
    assert "Kaart proef is eruit." in told
    eventually(lambda: not card_is_in(slot), "the card is out")


def test_what_is_done_to_a_plugged_card_stays_on_it_also_after_a_kill(
    plain_reader: Service, tmp_path: Path
) -> None:
    """CARD-9: the try that was used is used."""
    slot, tray = plain_reader.slot_name(), tmp_path / "cards"
    command = plugging(tray, plain_reader, "proef", "--new")
    eventually(lambda: card_is_in(slot), "the card is in")
    with PcscReader(slot).connect() as card:
        card.transmit(bytes.fromhex("00A4040009A00000030800001000"))
        assert card.transmit(bytes.fromhex("0020008008393939393939FFFF")) == b"\x63\xc2"
    command.kill()
    command.communicate(timeout=60)
    assert VirtualReader(tray).card_state("proef").pin.tries_left == 2
    eventually(lambda: not card_is_in(slot), "the card is out")


def test_a_second_card_for_the_same_slot_hears_that_it_is_taken(
    plain_reader: Service, tmp_path: Path
) -> None:
    """ALL-2."""
    plain_reader.insert(made_card().virtual)
    command = plugging(tmp_path / "cards", plain_reader, "proef", "--new")
    assert command.stdout
    lines = [command.stdout.readline(), command.stdout.readline()]
    assert "vraagt niet naar de kaart" in lines[1]
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=60)


def test_the_cards_in_the_readers_are_listed(plain_reader: Service) -> None:
    """ALL-2."""
    plain_reader.insert(made_card().virtual)
    (first, second) = json.loads(run(*DESKTOP, "cards", "--json"))
    assert (first["holder"], first["serial"], first["pin_tries_left"]) == ("J. de Vries", "20212223", 3)
    assert (second["trouble"]["code"], second["holder"]) == ("reader-empty", None)


def test_a_reader_is_checked_before_a_making(plain_reader: Service) -> None:
    """INFO-4."""
    virtual = made_card().virtual
    plain_reader.insert(virtual)
    state = virtual.state
    said = run(*DESKTOP, "reader-check", env=DUTCH)
    assert f"Paslezer {plain_reader.slot_name()} is geschikt." in said
    assert virtual.state == state
