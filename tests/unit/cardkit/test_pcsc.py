"""Readers over PC/SC, on a binding that answers from a script: what the real service does seldom or never here."""

# ruff: noqa: N802  # the names are those of PC/SC

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pytest

from cardkit.apdu import Command
from cardkit.errors import (
    CardBusy,
    CardError,
    CardGone,
    CardMute,
    ReaderAbsent,
    ReaderEmpty,
    ReaderServiceAbsent,
)
from cardkit.pcsc import PcscReader, PcscReaders, Verdict, check_reader, connection
from cardkit.pcsc.connection import for_t0
from cardkit.pcsc.reader import within
from cardkit.pcsc.troubles import AT_OPENING

NAME = "A reader 00 00"
SECOND = "Another reader 00 00"
NO_CARD, REMOVED, RESET, NO_SERVICE, TIMEOUT = 0x8010000C, 0x80100069, 0x80100068, 0x8010001D, 0x8010000A
TOO_LONG = 0x80100008
PRESENT, IN_USE = 0x20, 0x100
FEATURES = 1
SELECT_NOTHING = bytes.fromhex("00A40400")


@dataclass
class Binding:
    """What pyscard gives, with a reader and a card as the fields say. `fails` has the number of a call that fails."""

    SCARD_SCOPE_SYSTEM = 2
    SCARD_SHARE_SHARED = 2
    SCARD_SHARE_DIRECT = 3
    SCARD_PROTOCOL_T0 = 1
    SCARD_PROTOCOL_T1 = 2
    SCARD_PCI_T0 = "T=0"
    SCARD_PCI_T1 = "T=1"
    SCARD_LEAVE_CARD = 0
    SCARD_RESET_CARD = 1

    fails: dict[str, int] = field(default_factory=dict)
    readers: list[str] = field(default_factory=lambda: [NAME])
    state: int = PRESENT
    protocol: int = 2
    longest: int = 1000
    told: bytes | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    changes: Iterator[None] = field(default_factory=lambda: iter(()))

    def _answer(self, name: str, *values: Any) -> Any:
        code = self.fails.get(name, 0)
        return [code - (1 << 32 if code > 1 << 31 else 0), *values]

    def SCardEstablishContext(self, scope: int) -> Any:
        return self._answer("SCardEstablishContext", "context")

    def SCardReleaseContext(self, context: Any) -> int:
        self.calls.append(("release",))
        return 0

    def SCardListReaders(self, context: Any, groups: list[str]) -> Any:
        return self._answer("SCardListReaders", list(self.readers))

    def SCardGetStatusChange(self, context: Any, milliseconds: int, known: list[tuple[str, int]]) -> Any:
        if milliseconds:
            next(self.changes, None)
        return self._answer("SCardGetStatusChange", [(name, self.state, []) for name, _ in known])

    def SCardConnect(self, context: Any, reader: str, share: int, protocols: int) -> Any:
        return self._answer("SCardConnect", "handle", self.protocol)

    def SCardBeginTransaction(self, handle: Any) -> Any:
        return self._answer("SCardBeginTransaction")[0]

    def SCardEndTransaction(self, handle: Any, disposition: int) -> Any:
        self.calls.append(("end", disposition))
        return self._answer("SCardEndTransaction")[0]

    def SCardDisconnect(self, handle: Any, disposition: int) -> Any:
        self.calls.append(("disconnect", disposition))
        return self._answer("SCardDisconnect")[0]

    def SCardStatus(self, handle: Any) -> Any:
        return self._answer("SCardStatus", NAME, 0, 0, [])

    def SCardTransmit(self, handle: Any, form: str, command: list[int]) -> Any:
        self.sent.append(bytes(command))
        if len(command) > self.longest:
            return [TOO_LONG, []]
        return self._answer("SCardTransmit", [0x6A, 0x82])

    def SCardControl(self, handle: Any, code: int, data: list[int]) -> Any:
        if self.told is None:
            return [0x8010001F, []]
        features = bytes([0x12, 4]) + FEATURES.to_bytes(4, "big")
        return self._answer("SCardControl", list(self.told if code == FEATURES else features))

    def SCARD_CTL_CODE(self, number: int) -> int:
        return 0x42000000 + number


def reader(binding: Binding) -> PcscReader:
    return PcscReader(NAME, binding=binding)


@pytest.mark.parametrize(
    ("code", "error"),
    [*AT_OPENING.items()],
    ids=lambda each: hex(each) if isinstance(each, int) else each.__name__,
)
@pytest.mark.parametrize("call", ["SCardConnect", "SCardBeginTransaction"])
def test_each_number_at_opening_is_a_trouble_of_its_own(code: int, error: type[CardError], call: str) -> None:
    """ALL-2."""
    binding = Binding(fails={call: code})
    with pytest.raises(error), reader(binding).connect():
        pass
    assert binding.calls == [("release",)]


def test_a_card_that_was_reset_while_it_was_waited_for_is_taken_from_the_beginning() -> None:
    """ALL-2: whoever held it resets it at the end; nothing was sent to it yet."""
    binding = Binding(fails={"SCardBeginTransaction": RESET})
    disconnect = binding.SCardDisconnect

    def once(handle: Any, disposition: int) -> Any:
        binding.fails.clear()
        return disconnect(handle, disposition)

    with mock.patch.object(binding, "SCardDisconnect", once), reader(binding).connect() as connection:
        assert binding.sent == []
        connection.transmit(SELECT_NOTHING)
    assert binding.calls == [("disconnect", 0), ("end", 1), ("disconnect", 0), ("release",)]


def test_an_unknown_number_at_opening_is_a_card_that_does_not_answer() -> None:
    """ALL-2: nothing but card errors leaves the driver."""
    with pytest.raises(CardMute), reader(Binding(fails={"SCardConnect": 0x80101234})).connect():
        pass


def test_an_unknown_number_of_a_service_is_a_service_that_is_absent() -> None:
    """ALL-2."""
    with pytest.raises(ReaderServiceAbsent):
        PcscReaders(binding=Binding(fails={"SCardListReaders": 0x80101234})).present()


def test_a_person_who_stops_the_waiting_for_a_card_leaves_it_free() -> None:
    """ALL-2: Ctrl-C while another program holds the card."""
    go_on, undone = threading.Event(), threading.Event()

    class Impatient(Future):  # type: ignore[type-arg]
        def result(self, timeout: float | None = None) -> Any:
            if timeout is None:
                return super().result()
            go_on.set()
            super().result(60)
            raise KeyboardInterrupt

    with mock.patch("cardkit.pcsc.reader.Future", Impatient), pytest.raises(KeyboardInterrupt):
        within(1, lambda: go_on.wait(60), lambda _: undone.set())
    assert undone.is_set()


def test_the_troubles_that_people_are_told_apart_are_all_there() -> None:
    """ALL-2."""
    assert {ReaderServiceAbsent, ReaderAbsent, ReaderEmpty, CardBusy, CardMute} == set(AT_OPENING.values())


@pytest.mark.parametrize("call", ["SCardEstablishContext", "SCardListReaders"])
def test_without_a_service_there_are_no_readers_to_speak_of(call: str) -> None:
    """ALL-2."""
    binding = Binding(fails={call: NO_SERVICE})
    with pytest.raises(ReaderServiceAbsent):
        PcscReaders(binding=binding).present()


def test_a_reader_without_a_service_has_no_card() -> None:
    """ALL-2."""
    assert not reader(Binding(fails={"SCardEstablishContext": NO_SERVICE})).has_card()


def test_without_the_binding_the_service_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """ALL-2: pyscard is an extra."""
    monkeypatch.setitem(sys.modules, "smartcard", None)
    with pytest.raises(ReaderServiceAbsent):
        PcscReaders().present()
    with pytest.raises(ReaderServiceAbsent), PcscReader(NAME).connect():
        pass
    assert not PcscReaders().wait(0)


@pytest.mark.parametrize("code", [REMOVED, RESET, NO_CARD, 0x80100016, 0x80100017, 0x8010001E, 6])
def test_after_the_first_failure_nothing_is_sent_any_more(code: int) -> None:
    """PIN-1: no second connection, no second try."""
    binding = Binding()
    with reader(binding).connect() as card:
        binding.fails["SCardTransmit"] = code
        with pytest.raises(CardGone):
            card.transmit(SELECT_NOTHING)
        del binding.fails["SCardTransmit"]
        with pytest.raises(CardGone):
            card.transmit(SELECT_NOTHING)
    assert len(binding.sent) == 1


def test_a_card_is_reset_and_let_go_at_the_end_and_the_transport_is_dead() -> None:
    """PIN-1: no PIN state stays."""
    binding = Binding()
    with reader(binding).connect() as card:
        pass
    assert binding.calls == [("end", 1), ("disconnect", 0), ("release",)]
    with pytest.raises(CardGone):
        card.transmit(SELECT_NOTHING)


def test_a_card_that_was_pulled_is_let_go_all_the_same() -> None:
    """ALL-2."""
    binding = Binding(fails={"SCardEndTransaction": REMOVED, "SCardDisconnect": REMOVED})
    with reader(binding).connect():
        pass
    assert binding.calls[-1] == ("release",)


def test_a_held_card_gets_a_sign_of_life_and_dies_when_it_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """ALL-2: Windows resets a card that is held in silence, and people type slowly."""
    monkeypatch.setattr(connection, "SIGN_OF_LIFE_SECONDS", 0.001)
    binding, asked = Binding(), threading.Event()

    def status(handle: Any) -> list[Any]:
        asked.set()
        return [REMOVED]

    monkeypatch.setattr(binding, "SCardStatus", status)
    with reader(binding).connect() as card:
        assert asked.wait(60)
        card._sign_of_life.join(60)
        with pytest.raises(CardGone):
            card.transmit(SELECT_NOTHING)
    assert binding.sent == []


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        (Command(0, 0xA4, 4, 0, b"\x01\x02", le=256), "00A40400020102"),
        (Command(0, 0x20, 0, 0x80, b"\x01\x02"), "00200080020102"),
        (Command(0, 0xC0, 0, 0, le=16), "00C0000010"),
        (Command(0, 0x20, 0, 0x80), "0020008000"),
    ],
)
def test_a_card_that_speaks_by_bytes_gets_data_or_le_but_not_both(command: Command, sent: str) -> None:
    """ISO/IEC 7816-3, 12.2."""
    assert for_t0(command.encode()) == bytes.fromhex(sent)
    binding = Binding(protocol=1)
    with reader(binding).connect() as card:
        card.transmit(command.encode())
    assert binding.sent == [bytes.fromhex(sent)]


def test_a_reader_that_comes_or_goes_is_noticed() -> None:
    """LOGIN-2."""
    binding = Binding()

    def changes() -> Iterator[None]:
        binding.readers.insert(0, SECOND)
        yield
        binding.readers.clear()
        yield

    binding.changes = changes()
    readers = PcscReaders(binding=binding)
    assert [each.name for each in readers.present()] == [NAME]
    assert readers.wait(60)
    assert [each.name for each in readers.present()] == [NAME, SECOND]
    assert readers.wait(60)
    assert readers.present() == []


def test_somebody_who_opens_the_card_is_no_event() -> None:
    """LOGIN-2: only what a person could see."""
    binding = Binding()

    def changes() -> Iterator[None]:
        binding.state |= IN_USE
        yield

    binding.changes = changes()
    readers = PcscReaders(binding=binding)
    readers.present()
    assert not readers.wait(0.01)


def test_a_service_that_starts_or_ends_is_noticed() -> None:
    """ALL-2."""
    binding = Binding(fails={"SCardEstablishContext": NO_SERVICE})
    readers = PcscReaders(binding=binding)
    assert not readers.wait(0)
    binding.fails.clear()
    assert readers.wait(0)
    binding.fails["SCardEstablishContext"] = NO_SERVICE
    assert readers.wait(0)


@pytest.mark.parametrize(
    ("binding", "verdict"),
    [
        (Binding(), Verdict.fits),
        (Binding(told=bytes.fromhex("0A0400000100")), Verdict.fits),
        (Binding(longest=261), Verdict.short_only),
        (Binding(longest=100), Verdict.cannot_write),
        (Binding(state=0), Verdict.no_card),
        (Binding(protocol=1), Verdict.fits),
        (Binding(protocol=1, told=bytes.fromhex("0A0400000000")), Verdict.short_only),
    ],
)
def test_a_reader_is_judged_by_what_passes_through_it(binding: Binding, verdict: Verdict) -> None:
    """INFO-4."""
    assert check_reader(reader(binding)).verdict is verdict
    assert all(Command.decode(each).ins == 0xA4 for each in binding.sent)


@pytest.mark.parametrize(
    ("call", "why"), [("SCardConnect", ReaderAbsent), ("SCardEstablishContext", ReaderServiceAbsent)]
)
def test_a_reader_that_is_not_there_is_not_judged(call: str, why: type[CardError]) -> None:
    """INFO-4: it was unplugged, or nothing knows of readers; that is not a reader without a card."""
    with pytest.raises(why):
        check_reader(reader(Binding(state=0, fails={call: 0x80100009})))


def test_what_the_reader_tells_is_taken_down() -> None:
    """INFO-4."""
    binding = Binding(state=0, told=bytes.fromhex("0301010A0400000100FF"))
    check = check_reader(reader(binding))
    assert (check.told_bytes, check.takes_extended, check.writes) == (65536, True, None)


@pytest.mark.parametrize("told", ["", "0A", "0A04", "0301", "FFFF00"])
def test_what_the_reader_garbles_is_nothing_told(told: str) -> None:
    """INFO-4."""
    assert check_reader(reader(Binding(state=0, told=bytes.fromhex(told)))).told_bytes is None
