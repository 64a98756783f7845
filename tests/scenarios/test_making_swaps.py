"""Another card in the reader, at any moment of a making: it is never touched, and loses no try (CARD-9).

The employee does not notice the swap at first: asked to put the card in again, the wrong one stays in once.
"""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.breaks import KilledAfterRequest, Swapped
from tests.scenarios.surviving import broken, every_position
from tests.scenarios.world import EMPLOYEE, Maker, Scenario

from zorgid_desktop.flow.asking import AskPin, Cancelled, InsertCard, Question, Wanted

COLLEAGUE = "praktijkmanager-linde"


class Careless(Maker):
    """Asked to put the card in again, first leaves what was swapped in, then tries others, then the right one.

    Types a PIN only for a card with the own name.
    """

    wrong: list[str | None]

    def answer(self, question: Question[Any]) -> Any:
        if isinstance(question, InsertCard) and self.troubles and self.wrong:
            card = self.wrong.pop(0)
            if card is not None:
                self.scenario.reader.insert(card)
            return None
        if isinstance(question, AskPin) and question.holder != self.scenario.name_on(
            self.cards[Wanted.uzi_card]
        ):
            raise Cancelled
        return super().answer(question)


def careless(world: Scenario, blank: str, *, others: tuple[str, ...]) -> Maker:
    maker = Careless(**vars(world.maker(EMPLOYEE, blank)))
    maker.wrong = [None, *others]
    return maker


def file_of(world: Scenario, name: str) -> Path:
    return world.reader._path(name)


@pytest.fixture(scope="module")
def active_card(world: Scenario) -> str:
    """The Smartcard of a colleague, in use."""
    blank = world.blank()
    world.make(world.maker(COLLEAGUE, blank, new_pin="Collega1"))
    return blank


@pytest.fixture(scope="module")
def card_in_making(world: Scenario) -> str:
    """A blank card that a colleague is making; it still has much of what every blank card has."""
    blank = world.blank()
    at_certificates = 7
    broken(
        world,
        world.maker("lange-naam", blank, new_pin="Collega2"),
        KilledAfterRequest(world, at_certificates),
    )
    assert world.blank_state(blank) == "in_making"
    return blank


def test_a_card_that_is_swapped_in_is_never_touched(
    world: Scenario, active_card: str, card_in_making: str
) -> None:
    cards = (active_card, card_in_making)
    before = [file_of(world, name).read_bytes() for name in cards]
    ended = every_position(
        world, partial(Swapped, other=active_card), partial(careless, others=(card_in_making,))
    )
    assert len(ended) > 100
    assert [file_of(world, name).read_bytes() for name in cards] == before


def test_an_untouched_blank_card_that_was_never_sold_stays_so(world: Scenario) -> None:
    stranger = world.unsold()
    before = file_of(world, stranger).read_bytes()
    maker = world.maker(EMPLOYEE, stranger, patience=1)
    with pytest.raises(Cancelled):
        world.make(maker)
    assert maker.codes() == ["blank-card-unknown", "blank-card-unknown"]
    assert file_of(world, stranger).read_bytes() == before
