"""CARD-9 from the card's side: pulled, swapped or killed at any command, a card is whole, and a foreign one is never touched."""

import json
import stat
import sys
import threading

import pytest
from tests.unit.cardkit.builders import FACTORY_PIN, FACTORY_PUK, NOW, WRONG_PIN, blank, self_signed

from cardkit.card import Chuid, KeyAlgorithm, KeySlot
from cardkit.errors import CardBusy, CardGone, PinWrong, ReaderEmpty
from cardkit.piv import PivCard
from cardkit.secrets import ManagementKey, Pin, Puk, factory_management_key
from cardkit.virtual import CardFile, Mode, VirtualCard, VirtualReader, make_test_attestation_root
from cardkit.virtual.store import WARNING, CardFileUnreadable

ROOT = make_test_attestation_root(now=NOW)
CERTIFICATE = self_signed()
NEW_PIN, NEW_PUK = Pin("geheim1"), Puk("86427531")


class Killed(BaseException):
    """The program ends here."""


@pytest.fixture
def reader(tmp_path):
    reader = VirtualReader(tmp_path)
    reader.add("mine", blank(serial=1, attestation_root=ROOT))
    reader.add("foreign", blank(serial=2, attestation_root=ROOT))
    reader.insert("mine")
    return reader


def make(reader: VirtualReader) -> None:
    """A making in short: every kind of command that changes the card."""
    with reader.connect() as transport:
        card = PivCard.open(transport)
        card.authenticate_management(factory_management_key())
        card.set_management_key(ManagementKey(b"k" * 24))
        card.change_pin(FACTORY_PIN, NEW_PIN)
        for slot in KeySlot:
            card.generate_key(slot, KeyAlgorithm.p256)
            card.attest(slot)
            card.write_certificate(slot, CERTIFICATE)
        card.write_chuid(Chuid(bytes(16), NOW.date()))
        card.change_puk(FACTORY_PUK, NEW_PUK)
        card.log_out()


def count_of_a_making(folder) -> int:
    reader = VirtualReader(folder / "counting")
    reader.add("card", blank(attestation_root=ROOT))
    reader.insert("card")
    make(reader)
    return reader.apdu_count


def test_a_reader_tells_what_is_in_it(reader):
    assert reader.cards == ["foreign", "mine"]
    assert reader.inserted == "mine"
    assert reader.has_card()
    reader.remove()
    assert not reader.has_card()
    with pytest.raises(ReaderEmpty), reader.connect():
        pass


def test_names_are_simple_and_known(reader):
    with pytest.raises(KeyError):
        reader.insert("unknown")
    with pytest.raises(FileExistsError):
        reader.add("mine", blank())
    for name in ("../mine", "Mine", "", "a" * 100, ".mine"):
        with pytest.raises(ValueError, match="name"):
            reader.insert(name)


def test_a_file_whose_name_no_card_can_have_is_none(reader, tmp_path):
    make(reader)
    (tmp_path / "Mine (copy).card.json").write_text("{}")
    assert "Mine (copy)" not in reader.cards
    for name in reader.cards:
        reader.insert(name)


def test_a_card_survives_the_program(reader, tmp_path):
    make(reader)
    again = VirtualReader(tmp_path)
    again.insert("mine")
    with again.connect() as transport:
        card = PivCard.open(transport)
        assert len(card.read_certificates()) == 3
        card.verify_pin(NEW_PIN)


def test_no_pin_state_outlives_a_connection(reader):
    with reader.connect() as transport:
        PivCard.open(transport).verify_pin(FACTORY_PIN)
    with reader.connect() as transport:
        assert transport.transmit(bytes.fromhex("00200080")) == b"\x63\xc3"


def test_a_wrong_pin_counts_across_connections(reader):
    for left in (2, 1):
        with reader.connect() as transport, pytest.raises(PinWrong) as wrong:
            PivCard.open(transport).verify_pin(WRONG_PIN)
        assert wrong.value.tries_left == left


def test_a_card_has_one_user_at_a_time(reader, tmp_path):
    elsewhere = VirtualReader(tmp_path)
    elsewhere.insert("mine")
    with reader.connect():
        with pytest.raises(CardBusy), reader.connect():
            pass
        with pytest.raises(CardBusy), elsewhere.connect():
            pass
    with elsewhere.connect() as transport:
        PivCard.open(transport)


def test_a_connection_ends_with_its_context(reader):
    with reader.connect() as transport:
        pass
    with pytest.raises(CardGone):
        transport.transmit(b"\x00\x20\x00\x80")


@pytest.mark.parametrize("comes_back", ["mine", "foreign", None])
def test_a_connection_is_dead_once_the_card_was_out(reader, comes_back):
    with reader.connect() as transport:
        card = PivCard.open(transport)
        reader.remove()
        if comes_back:
            reader.insert(comes_back)
        with pytest.raises(CardGone):
            card.pin_tries_left()
        with pytest.raises(CardGone):
            card.verify_pin(FACTORY_PIN)


def test_a_card_that_is_swapped_while_it_is_opened_is_not_the_one_that_is_in(reader, monkeypatch):
    """A thread opens the card while somebody moves it: what it holds is dead, and of no other card."""
    held = CardFile.held

    def swapped_meanwhile(file):
        reader.insert("foreign")
        return held(file)

    monkeypatch.setattr(CardFile, "held", swapped_meanwhile)
    with reader.connect() as transport, pytest.raises(CardGone):
        PivCard.open(transport)


def test_whoever_opens_a_card_at_the_moment_that_another_lets_go_keeps_it(reader):
    """Nobody moves the card, so that nobody hears that it went: it is free, or another thread has it."""
    is_over, wrong = threading.Event(), list[Exception]()

    def look_again_and_again():
        while not is_over.is_set():
            try:
                with reader.connect() as transport:
                    PivCard.open(transport)
            except CardBusy:
                pass
            except Exception as error:  # noqa: BLE001 - told by the test's own thread
                wrong.append(error)

    threads = [threading.Thread(target=look_again_and_again) for _ in range(2)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        threads[0].join(1)
    finally:
        sys.setswitchinterval(before)
        is_over.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_commands_are_counted_and_shown_to_the_hooks(reader):
    seen = []
    reader.before_apdu = lambda n, apdu: seen.append((n, apdu[1]))
    reader.after_apdu = lambda n, _apdu, answer: seen.append((n, answer[-2:].hex()))
    with reader.connect() as transport:
        transport.transmit(bytes.fromhex("00200080"))
        transport.transmit(bytes.fromhex("00FD000000"))
    assert seen == [(1, 0x20), (1, "63c3"), (2, 0xFD), (2, "9000")]
    assert reader.apdu_count == 2


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("accident", ["pulled", "swapped", "killed"])
def test_a_making_that_breaks_at_any_command_leaves_a_whole_card(tmp_path, moment, accident):
    """CARD-9: every position, before and after the card did the command."""
    total = count_of_a_making(tmp_path)
    assert total > 30
    reader = VirtualReader(tmp_path / "breaking")
    reader.add("foreign", blank(serial=2, attestation_root=ROOT))
    untouched = reader.card_state("foreign")
    for position in range(1, total + 1):
        name = f"card-{position}"
        reader.add(name, blank(serial=100 + position, attestation_root=ROOT))
        reader.insert(name)

        break_at(reader, reader.apdu_count + position, moment, accident)
        with pytest.raises((CardGone, Killed)):
            make(reader)
        reader.before_apdu = reader.after_apdu = None

        assert reader.card_state("foreign") == untouched
        reader.insert(name)
        with reader.connect() as transport:
            card = PivCard.open(transport)
            assert card.read_serial() == str(100 + position)
            card.reset()
        make(reader)


def break_at(reader: VirtualReader, position: int, moment: str, accident: str) -> None:
    def strike(n, *_):
        if n == position:
            if accident == "killed":
                raise Killed
            reader.remove()
            if accident == "swapped":
                reader.insert("foreign")

    if moment == "before":
        reader.before_apdu = strike
    else:
        reader.after_apdu = strike


# The file


def test_a_card_file_is_private_and_says_what_it_is(tmp_path):
    file = CardFile(tmp_path / "x.card.json")
    file.save(blank())
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert json.loads(file.path.read_text())["warning"] == WARNING
    assert "TEST CARD" in file.path.read_text().splitlines()[1]


@pytest.mark.parametrize("mode", Mode)
def test_everything_a_card_keeps_is_in_its_file(tmp_path, mode):
    file = CardFile(tmp_path / "x.card.json")
    file.save(blank(mode, attestation_root=ROOT))
    virtual = VirtualCard(file.load(), store=file)
    card = PivCard.open(virtual)
    card.authenticate_management(factory_management_key())
    card.generate_key(KeySlot.signature, KeyAlgorithm.p384)
    card.write_certificate(KeySlot.signature, CERTIFICATE)
    with pytest.raises(PinWrong):
        card.verify_pin(WRONG_PIN)

    assert file.load() == virtual.state


def test_a_save_that_fails_leaves_the_old_card_on_disk_and_in_the_chip(tmp_path, monkeypatch):
    file = CardFile(tmp_path / "x.card.json")
    file.save(blank())
    virtual = VirtualCard(file.load(), store=file)
    before = virtual.state

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("cardkit.virtual.store.os.fsync", full)
    assert virtual.transmit(bytes.fromhex("0020008008") + b"999999\xff\xff") == b"\x6f\x00"
    monkeypatch.undo()

    assert file.load() == before == virtual.state


def test_reading_alone_writes_nothing(reader, tmp_path):
    path = tmp_path / "mine.card.json"
    written = path.stat().st_mtime_ns
    with reader.connect() as transport:
        card = PivCard.open(transport)
        card.read_certificates()
        card.verify_pin(FACTORY_PIN)
        card.log_out()
    assert path.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "mode": "other"}', "\x00"]
)
def test_what_is_no_card_file_is_unreadable(tmp_path, content):
    path = tmp_path / "x.card.json"
    path.write_text(content)
    with pytest.raises(CardFileUnreadable):
        CardFile(path).load()


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(CardFileUnreadable):
        CardFile(tmp_path / "absent.card.json").load()


def test_nothing_secret_shows_when_a_card_is_printed():
    state = blank(pin="geheim12", puk="86427531")
    text = repr(state) + repr(VirtualCard(state))
    for secret in ("geheim12", "86427531", factory_management_key().for_card().hex()):
        assert secret not in text
