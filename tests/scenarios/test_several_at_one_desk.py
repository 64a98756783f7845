"""Several people and several cards at one desk: the right card is found, every other one is named and unharmed.

CARD-9, PIN-1. Of each other card the whole memory is compared byte by byte, and with that its tries.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.scenarios.checks import one_good_card
from tests.scenarios.world import EMPLOYEE, Maker, Scenario

from cardkit.readers import PivReader
from cardkit.virtual import VirtualReader
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import parse_link
from zorgid_desktop.flow.asking import AskPin, Cancelled, ChooseCard, InsertCard, Question, Wanted
from zorgid_desktop.flow.login import LoggedIn, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.texts import sentence

COLLEAGUE = "praktijkmanager-linde"
MINE, THEIRS = f"uzi-{EMPLOYEE}", f"uzi-{COLLEAGUE}"

Act = Callable[[], None]


class Desk:
    """Two readers on the demo's tray (`cardkit.readers.Readers`)."""

    def __init__(self, world: Scenario) -> None:
        self.left = VirtualReader(world.reader.folder, name="Links")
        self.right = VirtualReader(world.reader.folder, name="Rechts")

    def present(self) -> list[PivReader]:
        return [PivReader(self.left), PivReader(self.right)]

    def wait(self, seconds: float) -> bool:
        raise AssertionError(seconds)


class AtDesk(Maker):
    """The employee at this desk: moves cards only as told, knows the own name, and types a PIN for no other card."""

    desk: Desk
    moves: list[Act]
    shown: list[str]
    choices: list[ChooseCard]

    def ask(self, question: Question[Any]) -> Any:
        if question.trouble is not None:
            self.shown.append(sentence(question.trouble, Language.nl).text)
        return super().ask(question)

    def answer(self, question: Question[Any]) -> Any:
        own = self.scenario.name_on(self.cards[Wanted.uzi_card])
        match question:
            case InsertCard():
                if self.moves:
                    self.moves.pop(0)()
                return None
            case ChooseCard():
                self.choices.append(question)
                return next(place for place, seen in enumerate(question.cards) if self._is_mine(seen))
            case AskPin(holder=holder, context=context) if context is not None and holder != own:
                self.shown.append(f"PIN van {holder}?")
                if not self.moves:
                    raise Cancelled
                self.moves.pop(0)()
        return super().answer(question)

    def _is_mine(self, seen: Any) -> bool:
        own = self.scenario.name_on(self.cards[Wanted.uzi_card])
        return seen.holder == own or seen.serial == self.cards[Wanted.blank_card].removeprefix("blank-")


def employee(world: Scenario, desk: Desk, blank: str, *moves: Act) -> AtDesk:
    person = AtDesk(**vars(world.maker(EMPLOYEE, blank)))
    person.desk, person.moves, person.shown, person.choices = desk, list(moves), [], []
    return person


def walk(world: Scenario, person: AtDesk, *, is_making: bool) -> LoggedIn:
    visitor = world.visitor()
    try:
        if is_making:
            link = world.begin(visitor)
        else:
            link = parse_link(world.run(visitor.open(f"{world.origin}/portal/login")).launch_link)
        with world.app() as platform:
            around = replace(world.around(platform, visitor), readers=person.desk)
            logged_in = log_in(around, person, link)
            if is_making:
                make_card(around, person, link)
            return logged_in
    finally:
        world.run(visitor._client.aclose())


def memory(world: Scenario, *names: str) -> list[bytes]:
    return [world.reader.file(name).path.read_bytes() for name in names]


@pytest.fixture
def desk(world: Scenario) -> Desk:
    return Desk(world)


def test_a_card_that_a_colleague_left_in_is_named_and_swapped_without_a_try(
    world: Scenario, desk: Desk
) -> None:
    """Two people one after the other at one reader: the PIN that is typed after the swap reaches no card at all."""
    desk.left.insert(THEIRS)
    before = memory(world, THEIRS, MINE)
    person = employee(world, desk, "blank-0", lambda: None, lambda: desk.left.insert(MINE))
    logged_in = walk(world, person, is_making=False)
    assert logged_in.card.holder == world.name_on(MINE)
    assert person.shown[0] == f"PIN van {world.name_on(THEIRS)}?"
    assert person.codes() == ["card-gone"]
    assert memory(world, THEIRS, MINE) == before


def test_who_does_not_want_the_card_that_is_in_has_stopped_and_harmed_nothing(
    world: Scenario, desk: Desk
) -> None:
    desk.left.insert(THEIRS)
    before = memory(world, THEIRS)
    with pytest.raises(Cancelled):
        walk(world, employee(world, desk, "blank-0"), is_making=False)
    assert memory(world, THEIRS) == before


def test_of_two_cards_in_two_readers_the_person_chooses_the_own_one(world: Scenario, desk: Desk) -> None:
    desk.left.insert(THEIRS)
    desk.right.insert(MINE)
    before = memory(world, THEIRS)
    person = employee(world, desk, "blank-0")
    logged_in = walk(world, person, is_making=False)
    assert (logged_in.card.reader, logged_in.card.holder) == ("Rechts", world.name_on(MINE))
    numbers = [seen.number for seen in person.choices[0].cards]
    assert numbers == [world.uzi(COLLEAGUE).person.uzi_number, world.uzi(EMPLOYEE).person.uzi_number]
    assert memory(world, THEIRS) == before


def test_with_two_readers_a_card_is_made_without_moving_any(world: Scenario, desk: Desk) -> None:
    blank = world.blank()
    desk.left.insert(MINE)
    desk.right.insert(blank)
    before = memory(world, MINE)
    person = employee(world, desk, blank)
    walk(world, person, is_making=True)
    one_good_card(world, EMPLOYEE, person)
    assert person.codes() == []
    assert memory(world, MINE) == before


def test_the_wrong_card_of_two_is_named_and_the_right_one_taken_when_it_comes(
    world: Scenario, desk: Desk
) -> None:
    """A colleague's UZI card in one reader, the own one in the other, and no blank card yet."""
    blank = world.blank()
    desk.left.insert(MINE)
    desk.right.insert(THEIRS)
    before = memory(world, MINE, THEIRS)
    person = employee(world, desk, blank, lambda: None, lambda: None, lambda: desk.left.insert(blank))
    walk(world, person, is_making=True)
    one_good_card(world, EMPLOYEE, person)
    assert person.codes() == ["no-card-fits"]
    for label in (EMPLOYEE, COLLEAGUE):
        assert world.name_on(f"uzi-{label}") in person.shown[0]
        assert world.uzi(label).person.uzi_number in person.shown[0]
    assert memory(world, MINE, THEIRS) == before


def test_a_card_in_use_by_a_colleague_is_named_and_not_emptied(world: Scenario, desk: Desk) -> None:
    theirs, blank = world.blank(), world.blank()
    world.make(world.maker(COLLEAGUE, theirs, new_pin="Collega1"))
    desk.left.insert(MINE)
    before = memory(world, theirs)
    moves: list[Act] = [
        lambda: None,
        lambda: desk.left.insert(theirs),
        lambda: desk.left.insert(blank),
    ]
    person = employee(world, desk, blank, *moves)
    walk(world, person, is_making=True)
    one_good_card(world, EMPLOYEE, person)
    assert person.codes() == ["blank-card-used"]
    assert f"In paslezer Links zit de ZORG-ID Smartcard van {world.name_on(THEIRS)}" in person.shown[0]
    assert world.uzi(COLLEAGUE).person.uzi_number in person.shown[0]
    assert memory(world, theirs) == before


@pytest.mark.parametrize("has_certificates", [True, False])
def test_a_card_that_a_colleague_is_making_is_named_and_left_to_them(
    world: Scenario, desk: Desk, has_certificates: bool
) -> None:
    theirs, blank = world.blank(), world.blank()
    colleague = world.maker("lange-naam", theirs, new_pin="Collega2", keeps_puk=False)
    if not has_certificates:
        colleague = _who_stops_at_the_pin(colleague)
    with pytest.raises(Cancelled):
        world.make(colleague)
    desk.left.insert(MINE)
    desk.right.insert(theirs)
    before = memory(world, theirs)
    person = employee(world, desk, blank, lambda: None, lambda: None, lambda: desk.left.insert(blank))
    if not has_certificates:  # both look blank, so the other one is taken out
        person.moves[-1] = lambda: (desk.right.insert(blank), None)[1]
    walk(world, person, is_making=True)
    one_good_card(world, EMPLOYEE, person)
    assert person.codes() == ["blank-card-in-making"]
    assert "In paslezer Rechts zit" in person.shown[0]
    known = world.name_on("uzi-lange-naam") if has_certificates else theirs.removeprefix("blank-")
    assert known in person.shown[0]
    assert memory(world, theirs) == before
    assert world.blank_state(theirs) == "in_making"


def _who_stops_at_the_pin(maker: Maker) -> Maker:
    class Stops(Maker):
        def answer(self, question: Question[Any]) -> Any:
            if type(question).__name__ == "ChoosePin":
                raise Cancelled
            return super().answer(question)

    return Stops(**vars(maker))
