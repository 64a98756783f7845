"""`zorgid-desktop` in a real terminal with real readers: what the person sees, types and pulls (PIN-2, LOGIN-10)."""

from pathlib import Path

import pytest
from tests.interop.readers.service import PLAIN, YUBIKEY, Service
from tests.interop.readers.terminal import running
from tests.unit.desktop.builders import HOLDER, PIN, PUK, a_card_in, a_named_card

from cardkit.piv import PivCard
from cardkit.secrets import Pin
from cardkit.virtual import CardState, VirtualCard, VirtualReader

pytestmark = pytest.mark.xdist_group("pcscd")

NEW = "Linde25"


@pytest.fixture
def anna(tmp_path: Path) -> CardState:
    return a_card_in(tmp_path / "tray").card_state("anna")


def test_a_pin_is_changed_at_a_real_reader(plain_reader: Service, anna: CardState, tmp_path: Path) -> None:
    """From an empty reader on, with a wrong PIN on the way."""
    with running("pin", "change", folder=tmp_path) as terminal:
        terminal.read_until("Druk op Enter:")
        terminal.type("")
        terminal.read_until("Er zit geen kaart in de paslezer.")
        terminal.read_until("Druk op Enter:")
        plugged = plain_reader.insert(anna)
        terminal.type("")
        terminal.read_until("Pincode (nog 3 keer):")
        terminal.type("999999")
        terminal.read_until("Pincode (nog 2 keer):")
        terminal.type(PIN)
        for prompt in ("Nieuwe pincode:", "Nieuwe pincode, nog een keer:"):
            terminal.read_until(prompt)
            terminal.type(NEW)
        terminal.read_until("De kaart heeft een nieuwe pincode.")
        assert terminal.ended() == 0
    assert HOLDER in terminal.screen
    assert [secret for secret in (PIN, NEW, "999999") if secret in terminal.screen] == []
    assert isinstance(plugged.card, VirtualCard)
    plugged.pull()
    PivCard.open(plugged.card).verify_pin(Pin(NEW))


def test_a_card_that_is_in_is_used_at_once_and_unblocked(
    plain_reader: Service, anna: CardState, tmp_path: Path
) -> None:
    plain_reader.insert(anna)
    with running("pin", "unblock", folder=tmp_path) as terminal:
        terminal.read_until("Pukcode (nog 3 keer):")
        terminal.type(PUK)
        for prompt in ("Nieuwe pincode:", "Nieuwe pincode, nog een keer:"):
            terminal.read_until(prompt)
            terminal.type(NEW)
        assert terminal.ended() == 0
    assert PUK not in terminal.screen


def test_of_two_real_readers_the_person_chooses(pcscd: Service, tmp_path: Path) -> None:
    tray = VirtualReader(tmp_path / "tray")
    a_named_card(tray, "anna", "Anna de Vries", "900000101", serial=1)
    a_named_card(tray, "bas", "Bas Jansen", "900000102", serial=2)
    pcscd.start(PLAIN, YUBIKEY)
    pcscd.insert(tray.card_state("anna"), PLAIN)
    bas = pcscd.insert(tray.card_state("bas"), YUBIKEY)
    with running("pin", "change", folder=tmp_path) as terminal:
        choice = terminal.read_until("Typ het nummer:")
        lines = {line.split()[0]: line for line in choice.splitlines() if " van " in line}
        place = next(number for number, line in lines.items() if "Bas Jansen" in line)
        assert "900000102" in lines[place]
        assert YUBIKEY in lines[place]
        terminal.type(place)
        terminal.read_until("Typ de pincode van de kaart van Bas Jansen")
        terminal.read_until("Pincode (nog 3 keer):")
        terminal.type(PIN)
        for prompt in ("Nieuwe pincode:", "Nieuwe pincode, nog een keer:"):
            terminal.read_until(prompt)
            terminal.type(NEW)
        assert terminal.ended() == 0
    assert isinstance(bas.card, VirtualCard)
    bas.pull()
    PivCard.open(bas.card).verify_pin(Pin(NEW))


def test_who_stops_or_presses_ctrl_c_sees_a_sentence(
    plain_reader: Service, anna: CardState, tmp_path: Path
) -> None:
    plain_reader.insert(anna)
    for stop in ("stop", None):
        with running("pin", "change", folder=tmp_path) as terminal:
            terminal.read_until("Pincode (nog 3 keer):")
            terminal.type(stop) if stop else terminal.interrupt()
            terminal.read_until("U hebt het veranderen van de pincode afgebroken.")
            assert terminal.ended() == 1
        assert "Traceback" not in terminal.screen


def test_a_service_that_is_not_there_is_said_with_a_way_on(pcscd: Service, tmp_path: Path) -> None:
    with running("pin", "change", folder=tmp_path) as terminal:
        terminal.read_until("Druk op Enter:")
        terminal.type("")
        terminal.read_until("De dienst voor paslezers van deze computer werkt niet.")
        terminal.read_until("Druk op Enter:")
        pcscd.start(PLAIN)
        terminal.type("")
        terminal.read_until("Er zit geen kaart in de paslezer.")
        terminal.type("stop")
        assert terminal.ended() == 1
    assert "Traceback" not in terminal.screen
