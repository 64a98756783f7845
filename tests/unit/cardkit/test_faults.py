"""Cards and readers that fail at any command, in every way: a card error each time, and no try is ever lost.

Each walk is done once in peace to count its commands, and then once for each command and each fault.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cardkit.builders import FACTORY_PIN, FACTORY_PUK, NOW, WRONG_PIN, three_keys

from cardkit.apdu import Command, Response
from cardkit.card import Capability, Card, Chuid, KeyAlgorithm, KeySlot
from cardkit.errors import CardAnswerMalformed, CardError, CardGone, PinWrong
from cardkit.piv import PivCard, codes
from cardkit.piv.channel import MOST_ROUNDS
from cardkit.secrets import Pin, Puk, factory_management_key
from cardkit.virtual import (
    CardState,
    Mode,
    VirtualCard,
    make_blank_card,
    make_test_attestation_root,
    make_uzi_like_card,
)

NEW_PIN = Pin("654321")
ROOT = make_test_attestation_root(now=NOW)
KEYS = three_keys(("authentication", "signature", "agreement"))
Fault = Callable[[VirtualCard, bytes], bytes]
Walk = Callable[[Card], None]


def finished_card(mode: Mode) -> CardState:
    return make_uzi_like_card(1, KEYS, pin="123456", mode=mode)


def blank_card(mode: Mode) -> CardState:
    return make_blank_card(1, mode=mode, attestation_root=ROOT)


def use(card: Card) -> None:
    """What a login does, and changing the PIN."""
    card.read_serial()
    card.pin_tries_left()
    card.puk_tries_left()
    certificates = card.read_certificates()
    [
        (found.usage, found.certificate.subject, found.certificate.not_valid_after_utc)
        for found in certificates
    ]
    card.verify_pin(FACTORY_PIN)
    for found in certificates:
        if found.slot is KeySlot.authentication:
            card.sign(found.key, b"what is signed")
    peer = ec.generate_private_key(ec.SECP256R1()).public_key()
    for found in certificates:
        if found.slot is KeySlot.confidentiality:
            card.agree(found.key, peer)
    card.change_pin(FACTORY_PIN, NEW_PIN)
    card.log_out()


def make(card: Card) -> None:
    """What the making of a card does to it."""
    card.authenticate_management(factory_management_key())
    card.write_chuid(Chuid.random(os.urandom, NOW.date()))
    card.read_chuid()
    for slot in KeySlot:
        card.generate_key(slot, KeyAlgorithm.p256)
        if Capability.attest in card.capabilities:
            card.attest(slot)
        card.write_certificate(slot, KEYS[slot][1])
        card.read_key(slot)
    card.change_puk(FACTORY_PUK, Puk("87654321"))
    card.unblock_pin(Puk("87654321"), NEW_PIN)


def as_it_is(card: VirtualCard, command: bytes) -> bytes:
    return card.transmit(command)


def pulled_before(card: VirtualCard, command: bytes) -> bytes:
    raise CardGone


def pulled_after(card: VirtualCard, command: bytes) -> bytes:
    card.transmit(command)
    raise CardGone


def silent(card: VirtualCard, command: bytes) -> bytes:
    return b""


def half_a_status(card: VirtualCard, command: bytes) -> bytes:
    return card.transmit(command)[-1:]


def status(number: int) -> Fault:
    def fault(card: VirtualCard, command: bytes) -> bytes:
        return number.to_bytes(2, "big")

    return fault


def changed(change: Callable[[bytes], bytes]) -> Fault:
    """Return a fault that lets the card do its work and changes the data of its answer."""

    def fault(card: VirtualCard, command: bytes) -> bytes:
        answer = Response.decode(card.transmit(command))
        return Response(change(answer.data), answer.status).encode()

    return fault


FAULTS: dict[str, Fault] = {
    "pulled before": pulled_before,
    "pulled after": pulled_after,
    "silent": silent,
    "half a status": half_a_status,
    "wrong Le for ever": status(0x6C10),
    "wrong Le 256 for ever": status(0x6C00),
    "more for ever": status(0x6100),
    "a little more for ever": status(0x6101),
    "wrong length": status(0x6700),
    "broken": status(0x6F00),
    "memory failure": status(0x6581),
    "not allowed": status(0x6982),
    "unknown status": status(0x1234),
    "nothing": changed(lambda data: b""),
    "cut off in the middle": changed(lambda data: data[: len(data) // 2]),
    "cut off at the end": changed(lambda data: data[:-1]),
    "too much": changed(lambda data: data + b"\x00"),
    "zeros": changed(lambda data: bytes(len(data))),
    "ones": changed(lambda data: b"\xff" * len(data)),
    "first byte changed": changed(lambda data: bytes([data[0] ^ 1]) + data[1:] if data else b""),
    "last byte changed": changed(lambda data: data[:-1] + bytes([data[-1] ^ 1]) if data else b""),
    "in the wrong order": changed(lambda data: data[::-1]),
    "twice": changed(lambda data: data + data),
}


@dataclass
class Faulty:
    """A transport on which a fault begins at the n-th command; it stays or goes by."""

    card: VirtualCard
    at: int
    fault: Fault = as_it_is
    stays: bool = False
    sent: list[Command] = field(default_factory=list)

    def transmit(self, command: bytes) -> bytes:
        self.sent.append(Command.decode(command))
        number = len(self.sent)
        has_fault = number >= self.at if self.stays else number == self.at
        return (self.fault if has_fault else as_it_is)(self.card, command)

    def shown(self) -> int:
        """How often a PIN or PUK was shown to the card."""
        return sum(
            command.ins in {codes.VERIFY, codes.CHANGE_REFERENCE, codes.RESET_RETRY} and bool(command.data)
            for command in self.sent
        )


WALKS: dict[Walk, Callable[[Mode], CardState]] = {use: finished_card, make: blank_card}
SHOWN = 2
"""How often each walk shows PIN or PUK."""
EVERY = pytest.mark.parametrize("name", FAULTS)
BOTH_MODES = pytest.mark.parametrize("mode", Mode)
BOTH_WALKS = pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)


@BOTH_MODES
@BOTH_WALKS
@EVERY
@pytest.mark.parametrize("stays", [False, True], ids=["once", "for ever"])
def test_a_fault_at_any_command_is_a_card_error_and_costs_no_try(
    mode: Mode, walk: Walk, name: str, stays: bool
) -> None:
    """CARD-9, PIN-1, ALL-2: no other exception, no end that is none, no PIN sent again."""
    state = WALKS[walk](mode)
    peaceful = Faulty(VirtualCard(state), at=0)
    walk(PivCard.open(peaceful))
    assert peaceful.shown() == SHOWN
    for at in range(1, len(peaceful.sent) + 1):
        faulty = Faulty(VirtualCard(state), at, FAULTS[name], stays)
        with suppress(CardError):
            walk(PivCard.open(faulty))
        assert faulty.shown() <= SHOWN
        assert faulty.card.state.pin.tries_left == 3
        assert faulty.card.state.puk.tries_left == 3
        assert len(faulty.sent) < len(peaceful.sent) + 3 * MOST_ROUNDS


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(
    walk=st.sampled_from(list(WALKS)),
    mode=st.sampled_from(Mode),
    at=st.integers(1, 40),
    byte=st.integers(0, 300),
    mask=st.integers(1, 255),
)
def test_a_byte_that_was_changed_on_the_way_is_a_card_error_or_no_matter(
    walk: Walk, mode: Mode, at: int, byte: int, mask: int
) -> None:
    """ALL-2: whatever a broken card or reader makes of an answer."""

    def garble(data: bytes) -> bytes:
        place = byte % len(data) if data else 0
        return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :] if data else b""

    faulty = Faulty(VirtualCard(WALKS[walk](mode)), at, changed(garble))
    with suppress(CardError):
        walk(PivCard.open(faulty))
    assert (faulty.card.state.pin.tries_left, faulty.card.state.puk.tries_left) == (3, 3)


@BOTH_MODES
@BOTH_WALKS
@pytest.mark.parametrize("fault", [pulled_before, pulled_after])
def test_a_card_that_is_pulled_between_any_two_commands_is_gone(mode: Mode, walk: Walk, fault: Fault) -> None:
    """CARD-9."""
    state = WALKS[walk](mode)
    peaceful = Faulty(VirtualCard(state), at=0)
    walk(PivCard.open(peaceful))
    for at in range(1, len(peaceful.sent) + 1):
        with pytest.raises(CardGone):
            walk(PivCard.open(Faulty(VirtualCard(state), at, fault, stays=True)))


def test_a_wrong_pin_whose_answer_is_lost_costs_one_try_only() -> None:
    """PIN-1: the try is the person's; nothing repeats it."""
    card = VirtualCard(finished_card(Mode.strict))
    faulty = Faulty(card, at=3, fault=pulled_after)
    with pytest.raises(CardGone):
        PivCard.open(faulty).verify_pin(WRONG_PIN)
    assert card.state.pin.tries_left == 2
    with pytest.raises(PinWrong):
        PivCard.open(card).verify_pin(WRONG_PIN)


@BOTH_MODES
@pytest.mark.parametrize("number", [0x6C00, 0x6C10, 0x6100, 0x6110])
def test_a_card_that_names_another_length_at_the_pin_hears_it_once(mode: Mode, number: int) -> None:
    """PIN-1: the one command that is never sent again."""
    card = VirtualCard(finished_card(mode))
    opened = PivCard.open(faulty := Faulty(card, at=3, fault=status(number), stays=True))
    with pytest.raises(CardError):
        opened.verify_pin(FACTORY_PIN)
    assert faulty.shown() == 1


def test_a_card_that_goes_on_for_ever_is_ended() -> None:
    """ALL-2."""
    faulty = Faulty(VirtualCard(finished_card(Mode.extended)), at=3, fault=status(0x6100), stays=True)
    with pytest.raises(CardAnswerMalformed):
        PivCard.open(faulty).read_serial()
    assert len(faulty.sent) == 3 + MOST_ROUNDS
