"""Our readers and our PIV driver through the computer's own PC/SC service."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from tests.interop.readers.service import PLAIN, YUBIKEY, Service, eventually

from cardkit.card import KeyAlgorithm, KeySlot
from cardkit.errors import (
    CardBusy,
    CardGone,
    CardMute,
    PinWrong,
    ReaderAbsent,
    ReaderEmpty,
    ReaderServiceAbsent,
)
from cardkit.pcsc import PcscReader, PcscReaders, Verdict, check_reader
from cardkit.secrets import Pin, factory_management_key
from cardkit.virtual import ATR_NIST, ATR_YUBIKEY, Mode, VirtualCard, make_blank_card

pytestmark = pytest.mark.xdist_group("pcscd")

PIN = Pin("123456")
HOLDER = """
import sys
from cardkit.pcsc import PcscReaders
from cardkit.secrets import Pin
with PcscReaders().present()[0].open_card() as card:
    if sys.argv[1:]:
        card.verify_pin(Pin(sys.argv[1]))
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_service_is_told_from_the_reader_and_the_reader_from_the_card(pcscd: Service) -> None:
    """Three troubles, three errors (ALL-2)."""
    readers = PcscReaders()
    with pytest.raises(ReaderServiceAbsent):
        readers.present()
    assert not readers.wait(0.1)
    pcscd.start()
    assert readers.wait(60)
    assert readers.present() == []


def test_a_reader_without_a_card_says_so(plain_reader: Service) -> None:
    """ALL-2."""
    reader = PcscReaders().present()[0]
    assert reader.name == plain_reader.slot_name()
    assert not reader.has_card()
    with pytest.raises(ReaderEmpty), reader.open_card():
        pass


def test_a_reader_that_is_not_there_is_absent(plain_reader: Service) -> None:
    """ALL-2."""
    gone = PcscReader("a reader that was unplugged")
    assert not gone.has_card()
    with pytest.raises(ReaderAbsent), gone.connect():
        pass


def test_a_card_that_goes_in_and_out_is_noticed(plain_reader: Service) -> None:
    """LOGIN-2: the app goes on by itself when the card is there."""
    readers = PcscReaders()
    reader = readers.present()[0]
    plugged = plain_reader.insert(make_blank_card(1))
    assert readers.wait(60)
    assert reader.has_card()
    assert not readers.wait(0)
    plugged.pull()
    assert readers.wait(60)
    eventually(lambda: not reader.has_card(), "the card is out")


def test_a_card_that_is_used_is_no_event(plain_reader: Service) -> None:
    """LOGIN-10: whoever watches a card may look at it."""
    plain_reader.insert(make_blank_card(1))
    readers = PcscReaders()
    with readers.present()[0].open_card() as card:
        card.verify_pin(PIN)
        assert not readers.wait(0)
    assert not readers.wait(0.5)


def test_a_card_that_goes_in_wakes_whoever_waits(plain_reader: Service) -> None:
    """LOGIN-2."""
    readers = PcscReaders()
    readers.present()
    noticed = threading.Event()
    waiting = threading.Thread(target=lambda: readers.wait(60) and noticed.set())
    waiting.start()
    plain_reader.insert(make_blank_card(1))
    waiting.join(60)
    assert noticed.is_set()


def test_a_card_that_was_swapped_unseen_is_noticed(plain_reader: Service) -> None:
    """Several at one desk: the next one's card is never taken for the one before."""
    readers = PcscReaders()
    plugged = plain_reader.insert(make_blank_card(1))
    readers.present()
    plugged.pull()
    eventually(lambda: not readers.present()[0].has_card(), "the first card is out")
    plain_reader.insert(make_blank_card(2))
    assert readers.wait(0)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("atr", [ATR_NIST, ATR_YUBIKEY], ids=["nist", "yubikey"])
@pytest.mark.parametrize("algorithm", [KeyAlgorithm.p256, KeyAlgorithm.rsa2048])
def test_a_key_is_made_and_signs(
    plain_reader: Service, mode: Mode, atr: bytes, algorithm: KeyAlgorithm
) -> None:
    """CARD-5; the driver checks each signature against the key."""
    plain_reader.insert(make_blank_card(1, mode=mode, atr=atr))
    with PcscReaders().present()[0].open_card() as card:
        card.authenticate_management(factory_management_key())
        key = card.generate_key(KeySlot.authentication, algorithm)
        card.verify_pin(PIN)
        assert card.sign(key, b"what is signed")


def test_nothing_of_the_pin_stays_at_the_end(plain_reader: Service) -> None:
    """PIN-1: the next program has to ask again."""
    virtual = VirtualCard(make_blank_card(1))
    plain_reader.insert(virtual)
    with PcscReaders().present()[0].open_card() as card:
        card.verify_pin(PIN)
        assert virtual._chip.session.pin_is_verified
    assert not virtual._chip.session.pin_is_verified


def test_a_card_that_another_program_holds_is_busy_and_then_free(plain_reader: Service) -> None:
    """ALL-2: the holder of the PIN alone uses the card, and a killed one leaves no PIN state."""
    virtual = VirtualCard(make_blank_card(1))
    plain_reader.insert(virtual)
    reader = PcscReader(plain_reader.slot_name(), turn_seconds=0.3)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, "123456"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(CardBusy), reader.connect():
            pass
        with pytest.raises(CardBusy):
            check_reader(reader)
        assert virtual._chip.session.pin_is_verified
        os.kill(other.pid, signal.SIGKILL)
    finally:
        other.kill()
        other.communicate()
    eventually(lambda: not virtual._chip.session.pin_is_verified, "the killed holder's PIN state is gone")
    with PcscReader(plain_reader.slot_name()).connect():
        pass
    assert virtual.state.pin.tries_left == 3


def test_whoever_waited_in_vain_does_not_keep_the_card(plain_reader: Service) -> None:
    """ALL-2: a card that comes free too late is let go again."""
    plain_reader.insert(make_blank_card(1))
    name = plain_reader.slot_name()
    with PcscReader(name).connect(), pytest.raises(CardBusy), PcscReader(name, turn_seconds=0.1).connect():
        pass
    eventually(lambda: "card wanted" not in [each.name for each in threading.enumerate()], "nobody waits")
    with PcscReader(name).connect() as connection:
        assert connection.transmit(bytes.fromhex("00FD000000"))[-2:] == b"\x90\x00"


def test_a_card_that_is_pulled_is_gone_for_good(plain_reader: Service) -> None:
    """CARD-9: a card that is put in again needs a new beginning."""
    plugged = plain_reader.insert(make_blank_card(1))
    with PcscReaders().present()[0].open_card() as card:
        plugged.pull()
        with pytest.raises(CardGone):
            card.read_serial()
        plain_reader.insert(plugged.card)
        with pytest.raises(CardGone):
            card.verify_pin(PIN)


def test_a_card_that_is_pulled_at_the_pin_costs_no_try(plain_reader: Service) -> None:
    """PIN-1: nothing sends the PIN a second time."""
    virtual = VirtualCard(make_blank_card(1))
    plugged = plain_reader.insert(virtual)
    with PcscReaders().present()[0].open_card() as card, pytest.raises(CardGone):
        plugged.pull()
        card.verify_pin(Pin("999999"))
    plain_reader.insert(virtual)
    with PcscReaders().present()[0].open_card() as card:
        assert card.pin_tries_left() == 3
        with pytest.raises(PinWrong) as wrong:
            card.verify_pin(Pin("999999"))
    assert wrong.value.tries_left == virtual.state.pin.tries_left == 2


def test_a_service_that_ends_takes_the_card_along(pcscd: Service) -> None:
    """ALL-2: a trouble with a name, and a new start finds everything again."""
    pcscd.start(PLAIN)
    pcscd.insert(make_blank_card(1))
    readers = PcscReaders()
    with readers.present()[0].open_card() as card:
        pcscd.stop()
        with pytest.raises(CardGone):
            card.read_serial()
    assert readers.wait(60)
    with pytest.raises(ReaderServiceAbsent):
        readers.present()


def test_a_reader_that_was_unplugged_is_absent_and_another_one_is_found(pcscd: Service) -> None:
    """ALL-2."""
    pcscd.start(PLAIN)
    readers = PcscReaders()
    (before, _) = readers.present()
    pcscd.stop()
    pcscd.start(YUBIKEY)
    assert readers.wait(60)
    assert not before.has_card()
    with pytest.raises(ReaderAbsent), before.open_card():
        pass
    assert readers.present()[0].name == pcscd.slot_name(YUBIKEY)


def test_two_readers_are_two_places_for_a_card(pcscd: Service) -> None:
    """ALL-2: the card in the one is not the card in the other."""
    pcscd.start(PLAIN, YUBIKEY)
    pcscd.insert(make_blank_card(1), PLAIN)
    pcscd.insert(make_blank_card(2), YUBIKEY)
    serials = {}
    for reader in PcscReaders().present():
        if reader.has_card():
            with reader.open_card() as card:
                serials[reader.name] = card.read_serial()
    assert serials == {pcscd.slot_name(PLAIN): "1", pcscd.slot_name(YUBIKEY): "2"}


def test_the_reader_check_leaves_the_card_as_it_is(plain_reader: Service) -> None:
    """INFO-4."""
    virtual = VirtualCard(make_blank_card(1))
    reader = PcscReader(plain_reader.slot_name())
    assert check_reader(reader).verdict is Verdict.no_card
    plain_reader.insert(virtual)
    state = virtual.state
    check = check_reader(reader)
    assert (check.verdict, check.writes, check.takes_extended) == (Verdict.fits, True, True)
    assert virtual.state == state


class MuteCard(VirtualCard):
    """A card the wrong way round: something is in, and it says nothing that a card says."""

    @property
    def atr(self) -> bytes:
        return b"\x00"


def test_a_card_the_wrong_way_round_is_mute(plain_reader: Service) -> None:
    """ALL-2."""
    plain_reader.insert(MuteCard(make_blank_card(1)))
    reader = PcscReaders().present()[0]
    assert reader.has_card()
    with pytest.raises(CardMute), reader.open_card():
        pass
