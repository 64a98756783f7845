"""The virtual card at a reader in software, which is played by the test."""

import socket
import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest

from cardkit.virtual import ATR_NIST, ATR_YUBIKEY, VirtualCard, make_blank_card
from cardkit.virtual.vpcd import (
    GIVE_ATR,
    POWER_OFF,
    POWER_ON,
    RESET,
    NobodyListens,
    Plug,
    acknowledge_at_once,
)

SERIAL = bytes.fromhex("00F8000000")
VERIFY = bytes.fromhex("0020008008313233343536FFFF")
IS_VERIFIED = bytes.fromhex("00200080")


class Slot:
    """A reader in software with one card, answered by a thread."""

    def __init__(self, card: VirtualCard, **options: Any) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.seen = threading.Event()
        self.plug = Plug(card, port=listening.getsockname()[1], **options)
        self.connection, _ = listening.accept()
        listening.close()
        self.connection.settimeout(60)
        self.thread = threading.Thread(target=self.plug.run, args=(self.seen.set,))
        self.thread.start()

    def say(self, message: bytes) -> None:
        self.connection.sendall(len(message).to_bytes(2, "big"))
        self.connection.sendall(message)

    def ask(self, message: bytes) -> bytes:
        self.say(message)
        return self.exactly(int.from_bytes(self.exactly(2), "big"))

    def exactly(self, size: int) -> bytes:
        received = b""
        while len(received) < size:
            part = self.connection.recv(size - len(received))
            assert part
            received += part
        return received

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture
def card() -> VirtualCard:
    return VirtualCard(make_blank_card(7654321))


@pytest.fixture
def slot(card: VirtualCard) -> Iterator[Slot]:
    with Slot(card) as slot:
        yield slot


def test_it_gives_its_answer_to_reset_and_answers_commands(slot: Slot) -> None:
    assert not slot.seen.is_set()
    assert slot.ask(bytes([GIVE_ATR])) == ATR_YUBIKEY
    assert slot.seen.is_set()
    assert slot.ask(SERIAL) == (7654321).to_bytes(4, "big") + b"\x90\x00"


def test_it_can_give_another_answer_to_reset(card: VirtualCard) -> None:
    with Slot(card, atr=ATR_NIST) as slot:
        assert slot.ask(bytes([GIVE_ATR])) == ATR_NIST
    assert card.atr == ATR_YUBIKEY


@pytest.mark.parametrize("control", [POWER_OFF, POWER_ON, RESET])
def test_whoever_takes_the_power_away_takes_the_pin_state_away(slot: Slot, control: int) -> None:
    """PIN-1."""
    assert slot.ask(VERIFY) == slot.ask(IS_VERIFIED) == b"\x90\x00"
    slot.say(bytes([control]))
    assert slot.ask(IS_VERIFIED) == b"\x63\xc3"


def test_the_pin_state_goes_with_the_reader(card: VirtualCard) -> None:
    """PIN-1."""
    with Slot(card) as slot:
        slot.ask(VERIFY)
    assert card.transmit(IS_VERIFIED) == b"\x63\xc3"


def test_an_unknown_control_message_is_passed_over(slot: Slot) -> None:
    slot.say(b"\x09")
    assert slot.ask(SERIAL)[-2:] == b"\x90\x00"


def test_a_command_that_comes_in_pieces_is_put_together(slot: Slot) -> None:
    for byte in len(SERIAL).to_bytes(2, "big") + SERIAL:
        slot.connection.sendall(bytes([byte]))
    assert slot.exactly(2 + 6)[-2:] == b"\x90\x00"


def test_a_card_that_is_pulled_is_gone_at_once(slot: Slot) -> None:
    slot.plug.pull()
    slot.thread.join(60)
    assert slot.connection.recv(1) == b""
    slot.plug.pull()


def test_without_a_reader_there_is_nowhere_to_plug_in(card: VirtualCard) -> None:
    """ALL-2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NobodyListens) as nobody:
        Plug(card, port=port)
    assert nobody.value.port == port


class Watched(socket.socket):
    """A connection that takes down in which order it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def setsockopt(self, level: int, option: int, value: Any) -> None:  # type: ignore[override]
        if (level, option, value) == (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1):
            self.done.append("acknowledge")

    def recv(self, size: int, flags: int = 0) -> bytes:
        self.done.append("receive")
        return b"" if len(self.done) > 10 else b"\x00"


def test_what_comes_is_acknowledged_at_once_each_time(
    monkeypatch: pytest.MonkeyPatch, card: VirtualCard
) -> None:
    """A reader that waits for the acknowledgement of a length costs 40 ms a command."""
    with Watched() as connection:
        monkeypatch.setattr(socket, "create_connection", lambda *_, **__: connection)
        Plug(card)._exactly(4)
        assert connection.done == ["acknowledge", "receive"] * 4
        connection.done.clear()
        acknowledge_at_once(connection)
        assert connection.done == ["acknowledge"]
