"""Long commands, long answers, and cards that misbehave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cardkit.builders import Scripted, answer

from cardkit.apdu import Command, Response
from cardkit.errors import CardAnswerMalformed, CardGone
from cardkit.piv.channel import MOST_ROUNDS, Channel


class Echoing:
    """A card that puts chains together and gives the data back in parts of at most what was asked for."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.received = b""
        self.pending = b""

    def transmit(self, apdu: bytes) -> bytes:
        command = Command.decode(apdu)
        if command.ins == 0xC0:
            return self._part(command)
        self.received += command.data
        if command.cla == 0x10:
            return answer(0x9000)
        self.pending, self.received = self.received, b""
        return self._part(command)

    def _part(self, command: Command) -> bytes:
        count = min(command.le, self.most)
        part, self.pending = self.pending[:count], self.pending[count:]
        left = len(self.pending)
        return answer((0x6100 | (left if left < 256 else 0)) if left else 0x9000, part)


class Endless:
    def __init__(self) -> None:
        self.count = 0

    def transmit(self, apdu: bytes) -> bytes:
        self.count += 1
        return answer(0x6108, b"12345678")


@given(st.binary(max_size=4000), st.integers(min_value=20, max_value=256))
def test_data_of_any_length_goes_there_and_back(data, most):
    assert Channel(Echoing(most)).send(Command(0, 0xDB, 0x3F, 0xFF, data, le=256)) == Response(data, 0x9000)


def test_only_the_last_command_of_a_chain_bears_le():
    transport = Scripted(answer(0x9000), answer(0x9000), answer(0x9000))

    Channel(transport).send(Command(0, 0xDB, 0x3F, 0xFF, bytes(600), le=256))

    commands = [Command.decode(sent) for sent in transport.sent]
    assert [(each.cla, len(each.data), each.le) for each in commands] == [
        (0x10, 255, None),
        (0x10, 255, None),
        (0x00, 90, 256),
    ]


def test_a_chain_ends_where_the_card_refuses_it():
    transport = Scripted(answer(0x6884))

    assert Channel(transport).send(Command(0, 0xDB, 0x3F, 0xFF, bytes(600))).status == 0x6884
    assert len(transport.sent) == 1


def test_the_length_that_the_card_names_is_used():
    transport = Scripted(answer(0x6C10), answer(0x9000, bytes(16)))

    assert Channel(transport).send(Command(0, 0xF8, 0, 0, le=256)).data == bytes(16)
    assert Command.decode(transport.sent[1]).le == 16


def test_a_card_that_keeps_naming_lengths_is_asked_twice_at_most():
    transport = Scripted(answer(0x6C10), answer(0x6C11), answer(0x9000))

    assert Channel(transport).send(Command(0, 0xF8, 0, 0, le=256)).status == 0x6C11


def test_a_command_with_a_pin_is_never_sent_again():
    transport = Scripted(answer(0x6C10), answer(0x9000))

    assert Channel(transport).send(Command(0, 0x20, 0, 0x80, bytes(8))).status == 0x6C10
    assert len(transport.sent) == 1


def test_a_card_that_announces_more_for_ever_is_an_error():
    card = Endless()

    with pytest.raises(CardAnswerMalformed):
        Channel(card).send(Command(0, 0xCB, 0x3F, 0xFF, le=256))

    assert card.count == MOST_ROUNDS + 1


def test_the_announced_number_is_asked_for():
    transport = Scripted(answer(0x6103, b"ab"), answer(0x9000, b"cde"))

    assert Channel(transport).send(Command(0, 0xCB, 0x3F, 0xFF, le=256)).data == b"abcde"
    assert transport.sent[1] == bytes.fromhex("00C0000003")


def test_an_error_after_the_first_part_is_the_answer():
    transport = Scripted(answer(0x6103, b"ab"), answer(0x6F00))

    assert Channel(transport).send(Command(0, 0xCB, 0x3F, 0xFF, le=256)).status == 0x6F00


@pytest.mark.parametrize("before", [[], [answer(0x9000)], [answer(0x9000), answer(0x6105, b"x")]])
def test_a_pulled_card_is_told(before):
    with pytest.raises(CardGone):
        Channel(Scripted(*before)).send(Command(0, 0xDB, 0x3F, 0xFF, bytes(300), le=256))


@pytest.mark.parametrize("garbled", [b"", b"\x90"])
def test_an_answer_without_a_status_is_malformed(garbled):
    with pytest.raises(CardAnswerMalformed):
        Channel(Scripted(garbled)).send(Command(0, 0xF8, 0, 0, le=256))
