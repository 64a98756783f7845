"""A person at a desk with a reader of the computer's own service, and the platform's demo world around it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from tests.clock import FakeClock
from tests.interop.readers.service import WAIT_SECONDS, Plugged, Service, card_is_in, eventually
from tests.scenarios.world import Maker, Scenario, scenario, scenario_settings

from cardkit.pcsc import PcscReader, PcscReaders
from cardkit.readers import PivReader
from cardkit.virtual import VirtualCard
from zorgid.demo.visitor import Visitor
from zorgid.pki.algorithms import KeyKind
from zorgid.protocol.links import Browser, LaunchLink, parse_link
from zorgid_desktop.flow.asking import InsertCard, Question
from zorgid_desktop.flow.login import LoggedIn, Surroundings
from zorgid_desktop.run import run_link


@contextmanager
def world_of_today(folder: Path, database_url: str, keys: KeyKind) -> Iterator[Scenario]:
    """The platform at the time of this computer, since tools of others look at its clock."""
    today = FakeClock(datetime.now(UTC))
    settings = scenario_settings(folder, database_url).model_copy(update={"card_key_kind": keys})
    with (
        mock.patch("tests.scenarios.world.FakeClock", return_value=today),
        mock.patch("tests.scenarios.world.scenario_settings", return_value=settings),
        scenario(folder, database_url) as world,
    ):
        yield world


class Desk:
    """One reader, into which cards of the demo's tray are put."""

    def __init__(self, service: Service, world: Scenario) -> None:
        self._service = service
        self._tray = world.reader
        self._plugged: Plugged | None = None

    def put_in(self, name: str) -> VirtualCard:
        self.take_out()
        file = self._tray.file(name)
        card = VirtualCard(file.load(), store=file)
        self._plugged = self._service.insert(card)
        return card

    def take_out(self) -> None:
        if self._plugged is not None:
            self._plugged.pull()
            slot = self._service.slot_name()
            eventually(lambda: not card_is_in(slot), "the card is out")
        self._plugged = None


class PersonAtDesk(Maker):
    """Puts cards into the real reader; otherwise as patient as `Maker`."""

    desk: Desk

    def answer(self, question: Question[Any]) -> Any:
        if isinstance(question, InsertCard):
            self.desk.put_in(self.cards[question.wanted])
            return None
        return super().answer(question)


def person_at(desk: Desk, maker: Maker) -> PersonAtDesk:
    """The same person, at this desk."""
    person = PersonAtDesk(maker.scenario, maker.cards, maker.pin, maker.birth_date, maker.new_pin)
    person.desk = desk
    return person


class PatientReaders(PcscReaders):
    """The readers of this computer, which take no card for busy because the computer is."""

    def __init__(self, turn_seconds: float) -> None:
        super().__init__()
        self._turn_seconds = turn_seconds

    def present(self) -> Sequence[PivReader]:
        found = super().present()
        return [PivReader(PcscReader(one.name, turn_seconds=self._turn_seconds)) for one in found]


def walk(
    world: Scenario, person: PersonAtDesk, *, is_making: bool, turn_seconds: float = WAIT_SECONDS
) -> LoggedIn:
    """Walk from a page of the portal to its end, with the readers of this computer."""
    visitor = world.visitor()
    try:
        with at_work(world, visitor, turn_seconds) as around:
            link = world.begin(visitor) if is_making else login_link(world, visitor)
            return run_link(around, person, link)
    finally:
        world.run(visitor._client.aclose())


@contextmanager
def at_work(world: Scenario, visitor: Visitor, turn_seconds: float = WAIT_SECONDS) -> Iterator[Surroundings]:
    """The app, with the readers of this computer; it completes in the visitor's browser."""

    def open_browser(address: str, _: Browser) -> None:
        world.run(visitor.complete(address))

    with world.app() as platform:
        yield Surroundings(platform, PatientReaders(turn_seconds), open_browser, world.clock)


def login_link(world: Scenario, visitor: Visitor) -> LaunchLink:
    """The link on the login page of the portal."""
    return parse_link(world.run(visitor.open(f"{world.origin}/portal/login")).launch_link)
