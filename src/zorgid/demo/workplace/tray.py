"""What lies in the tray of a desk, as a person sees it: whose card, of which kind, and its test PIN."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from cardkit.card import KeySlot
from cardkit.piv import codes
from cardkit.piv.objects import decode_certificate
from cardkit.secrets import Pin
from cardkit.virtual import VirtualReader
from cardkit.virtual.state import CardState
from zorgid.demo.uzi_register.cards import TestCard
from zorgid.demo.uzi_register.register import Register
from zorgid.demo.world import STRANGE_CARD
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import Wanted
from zorgid_desktop.flow.seeing import holder_of

TEST_PIN: Final = "246810"
"""The PIN that the workplace offers for a new card; not a PIN of anybody's."""

UZI: Final = "uzi-"
GOOD: Final = "good"


class Heap(StrEnum):
    """The heaps in the tray, in the order in which they lie there."""

    uzi = "uzi"
    smartcard = "smartcard"
    blank = "blank"
    wrong = "wrong"


FIT: Final = {
    Wanted.login_card: (Heap.smartcard, Heap.uzi),
    Wanted.uzi_card: (Heap.uzi,),
    Wanted.blank_card: (Heap.blank,),
    Wanted.new_card: (Heap.blank, Heap.smartcard),
}
"""From which heaps a wanted card comes; these lie in front."""


@dataclass(frozen=True)
class TrayCard:
    """One card in the tray."""

    name: str
    heap: Heap
    is_uzi: bool
    holder: str | None = None
    description: Mapping[Language, str] | None = None
    """Who or what, of the demo's people."""
    test_pin: str | None = None
    """Its PIN, as long as that is the one that everybody may know."""
    born_on: date | None = None
    chip_serial: str | None = None
    """Of a card that ZORG-ID sold."""
    number: str | None = None
    """What is printed on such a card; the app asks for it by that."""


def cards_in(reader: VirtualReader, register: Register) -> list[TrayCard]:
    """Return every card of the tray, those of the demo's people in the order of their table."""
    known = {f"{UZI}{card.label}": card for card in register.cards}
    there = set(reader.cards)
    names = [name for name in known if name in there] + sorted(there - set(known))
    return [_card(name, reader.card_state(name), known.get(name)) for name in names]


def heaps(cards: Iterable[TrayCard], wanted: Wanted | None) -> list[tuple[Heap, list[TrayCard], bool]]:
    """Return the heaps that are not empty, those that fit in front; each with whether it fits."""
    fit = heaps_for(wanted)
    order = [*fit, *(heap for heap in Heap if heap not in fit)]
    by_heap = {heap: [card for card in cards if card.heap is heap] for heap in order}
    return [(heap, found, heap in fit) for heap, found in by_heap.items() if found]


def heaps_for(wanted: Wanted | None) -> tuple[Heap, ...]:
    """Return the heaps that a wanted card comes from; none when no card is wanted."""
    return FIT.get(wanted, ()) if wanted else ()


def _card(name: str, state: CardState, uzi: TestCard | None) -> TrayCard:
    if uzi is not None:
        pin = uzi.pin if _has_pin(state, uzi.pin) else None
        heap = Heap.uzi if uzi.expected == GOOD else Heap.wrong
        person = uzi.person
        return TrayCard(name, heap, True, person.names.full_name, uzi.description, pin, person.born_on)
    certificate = state.objects.get(codes.CERTIFICATE_OBJECTS[KeySlot.authentication])
    if certificate is None and name == STRANGE_CARD:
        return TrayCard(name, Heap.wrong, False)
    serial = str(state.serial)
    if certificate is None:
        return TrayCard(name, Heap.blank, False, chip_serial=serial)
    holder = holder_of(decode_certificate(certificate))
    pin = TEST_PIN if _has_pin(state, TEST_PIN) else None
    return TrayCard(name, Heap.smartcard, False, holder, test_pin=pin, chip_serial=serial)


def _has_pin(state: CardState, text: str) -> bool:
    """Tell whether the card's PIN is still the test PIN, and was not blocked."""
    return not state.pin.is_blocked and state.pin.value == Pin(text).for_card()
