"""A card that is pulled out of a real reader ends the session of its login (LOGIN-7, LOGIN-10)."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interop.readers.desk import Desk, PatientReaders, login_link, person_at, world_of_today
from tests.interop.readers.service import WAIT_SECONDS, Service, eventually
from tests.scenarios.world import EMPLOYEE, Scenario

from zorgid.pki.algorithms import KeyKind
from zorgid.protocol.links import Browser
from zorgid_desktop.flow.login import Surroundings
from zorgid_desktop.flow.watching import WatchEnd, watch_card
from zorgid_desktop.run import run_link

pytestmark = pytest.mark.xdist_group("pcscd")


@pytest.fixture
def world(quick_place: Path, database_url: str) -> Iterator[Scenario]:
    folder = Path(tempfile.mkdtemp(prefix="zorgid-desk-", dir=quick_place))
    with world_of_today(folder, database_url, KeyKind.p256) as running:
        yield running
    shutil.rmtree(folder)


def test_a_pulled_card_ends_the_session_of_its_login(world: Scenario, plain_reader: Service) -> None:
    desk = Desk(plain_reader, world)
    person = person_at(desk, world.maker(EMPLOYEE, world.blank()))
    visitor = world.visitor()

    def open_browser(address: str, _: Browser) -> None:
        world.run(visitor.complete(address))

    link = login_link(world, visitor)
    ended: list[WatchEnd] = []
    with world.app() as platform:
        around = Surroundings(platform, PatientReaders(WAIT_SECONDS), open_browser, world.clock)
        logged_in = run_link(around, person, link)
        watch = threading.Thread(target=lambda: ended.append(watch_card(around, person, link, logged_in)))
        watch.start()
        eventually(lambda: "/desktop/v1/session" in world.requests, "the card is watched")
        assert reasons(world) == [None]
        desk.take_out()
        watch.join(60)
    assert ended == [WatchEnd.card_out]
    assert reasons(world) == ["card-out"]
    assert person.said[-2:] == ["watching", "session-ended-by-pull"]
    world.run(visitor._client.aclose())


def reasons(world: Scenario) -> list[str | None]:
    """Why each session ended, or None while it lasts."""
    return [row["end_reason"] for row in world.rows("select end_reason from session order by created_at")]
