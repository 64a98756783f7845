import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu import Command, Response, tries_left
from cardkit.errors import CardAnswerMalformed

BYTE = st.integers(min_value=0, max_value=255)
SHORT = st.builds(
    Command,
    BYTE,
    BYTE,
    BYTE,
    BYTE,
    st.binary(max_size=255),
    st.none() | st.integers(min_value=1, max_value=256),
)
EXTENDED = st.builds(
    Command,
    BYTE,
    BYTE,
    BYTE,
    BYTE,
    st.binary(max_size=700),
    st.none() | st.sampled_from([257, 4096, 65535, 65536]),
)


@given(SHORT | EXTENDED)
def test_a_command_survives_the_wire(command):
    assert Command.decode(command.encode()) == command


@given(st.binary(max_size=20))
def test_garbage_is_a_command_or_refused_and_never_anything_else(garbage):
    try:
        command = Command.decode(garbage)
    except ValueError:
        return
    assert bytes([command.cla, command.ins, command.p1, command.p2]) == garbage[:4]


@pytest.mark.parametrize(
    ("command", "wire"),
    [
        (Command(0, 0x20, 0, 0x80), "00200080"),
        (Command(0, 0xFD, 0, 0, le=256), "00FD000000"),
        (Command(0, 0xCB, 0x3F, 0xFF, b"\x5c\x01\x7e", le=256), "00CB3FFF035C017E00"),
        (Command(0, 0xC0, 0, 0, le=53), "00C0000035"),
        (Command(0, 0xA4, 4, 0, b"\xa0", le=65536), "00A40400000001A00000"),
        (Command(0, 0xFD, 0, 0, le=65536), "00FD0000000000"),
    ],
)
def test_commands_look_as_the_standard_says(command, wire):
    assert command.encode().hex().upper() == wire


@pytest.mark.parametrize(
    "wire", ["", "0020", "002000", "0020008008AA", "00200080010203AA", "002000800000", "00200080000002AA"]
)
def test_contradicting_lengths_are_refused(wire):
    with pytest.raises(ValueError, match="command"):
        Command.decode(bytes.fromhex(wire))


@given(st.binary(max_size=300), st.integers(min_value=0, max_value=0xFFFF))
def test_a_response_survives_the_wire(data, status):
    assert Response.decode(Response(data, status).encode()) == Response(data, status)


@pytest.mark.parametrize("raw", [b"", b"\x90"])
def test_an_answer_without_status_is_malformed(raw):
    with pytest.raises(CardAnswerMalformed):
        Response.decode(raw)


@pytest.mark.parametrize(
    ("status", "left"), [(0x63C3, 3), (0x63C0, 0), (0x63CF, 15), (0x6983, 0), (0x9000, None), (0x6300, None)]
)
def test_a_status_tells_the_tries_left(status, left):
    assert tries_left(status) == left
