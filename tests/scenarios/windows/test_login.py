"""A login in the windows, and its session that ends when the card is pulled (LOGIN-2, LOGIN-7, LOGIN-10)."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from tests.desktop.driving import key, press, read, screen_of, type_in, until, until_over
from tests.interop.readers.desk import login_link
from tests.scenarios.world import EMPLOYEE, Scenario

from cardkit.virtual import VirtualReaders
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import Browser, LaunchLink
from zorgid_desktop.windows.app import Desk
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.flow_window import FlowWindow
from zorgid_desktop.windows.screens.address import AddressPanel, AddressScreen, BrowserScreen
from zorgid_desktop.windows.screens.done import DoneScreen, StoppedScreen, WatchingScreen
from zorgid_desktop.windows.screens.insert import InsertScreen
from zorgid_desktop.windows.screens.pin import PinScreen
from zorgid_desktop.windows.words import Words
from zorgid_desktop.windows.work import Ways, following


@pytest.fixture
def desk(application: QApplication, world: Scenario) -> Desk:
    clipboard = OnceOnClipboard(application.clipboard(), alarm=lambda _, __: None)
    world.reader.remove()
    return Desk(Words(Language.nl), lambda: VirtualReaders(world.reader), None, clipboard)


class Computer:
    """The ways of a computer: its app reaches the platform, and a browser where there is one."""

    def __init__(self, world: Scenario, *, has_browser: bool = True, it_comes: bool = True) -> None:
        self.world = world
        self.visitor = world.visitor()
        self.link: LaunchLink = login_link(world, self.visitor)
        self.has_browser = has_browser
        self.it_comes = it_comes
        self.ways = Ways(lambda _, __: world.app(), self.open, world.clock)

    def open(self, address: str, _: Browser) -> bool:
        if self.has_browser and self.it_comes:
            self.complete(address)
        return self.has_browser

    def complete(self, address: str) -> None:
        self.world.run(self.visitor.complete(address))


Begin = Callable[[Computer], FlowWindow]


@pytest.fixture
def begin(desk: Desk) -> Begin:
    def begin(computer: Computer) -> FlowWindow:
        return desk.start(following(computer.link, Language.nl, desk.turn, computer.ways))

    return begin


def prove(world: Scenario, window: FlowWindow, pin: str) -> None:
    screen_of(window, InsertScreen)
    world.reader.insert(f"uzi-{EMPLOYEE}")
    screen = screen_of(window, PinScreen)
    type_in(screen.edit, pin)
    key(screen.edit, Qt.Key.Key_Return)


def sessions(world: Scenario) -> tuple[int, int]:
    """How many sessions are alive, and how many ended by pulling the card."""
    (row,) = world.rows(
        "select count(*) filter (where ended_at is null) as alive,"
        " count(*) filter (where end_reason = 'card-out') as pulled from session"
    )
    return row["alive"], row["pulled"]


def is_over(window: FlowWindow) -> bool:
    """Whether the last word of the login is said."""
    return isinstance(window.screen_now, DoneScreen) and not isinstance(window.screen_now, WatchingScreen)


def test_pulling_the_card_ends_the_session(world: Scenario, begin: Begin, desk: Desk) -> None:
    window = begin(Computer(world))
    prove(world, window, world.uzi(EMPLOYEE).pin)
    screen_of(window, WatchingScreen)
    assert "zolang u ingelogd wilt blijven" in read(window)
    until(lambda: not desk.is_busy())
    alive, pulled = sessions(world)
    world.reader.remove()
    until(lambda: is_over(window))
    assert sessions(world) == (alive - 1, pulled + 1)
    assert not window.is_active


def test_closing_the_window_leaves_the_session_alive(world: Scenario, begin: Begin) -> None:
    window = begin(Computer(world))
    prove(world, window, world.uzi(EMPLOYEE).pin)
    screen_of(window, WatchingScreen)
    before = sessions(world)
    window.close()
    assert not window.isVisible()
    until_over(window)
    world.reader.remove()
    assert sessions(world) == before


def test_without_a_browser_the_address_is_there_to_copy(
    world: Scenario, begin: Begin, application: QApplication
) -> None:
    computer = Computer(world, has_browser=False)
    window = begin(computer)
    prove(world, window, world.uzi(EMPLOYEE).pin)
    screen = screen_of(window, AddressScreen)
    go_on_by_address(world, computer, window, screen.panel)


def test_a_browser_that_was_started_and_does_not_come_is_no_dead_end(
    world: Scenario, begin: Begin, application: QApplication
) -> None:
    """ALL-2, ALL-4: the address is there for whoever asks, and gone when the login is done."""
    computer = Computer(world, it_comes=False)
    window = begin(computer)
    prove(world, window, world.uzi(EMPLOYEE).pin)
    screen = screen_of(window, BrowserScreen)
    press(window, "Browser komt niet? Toon het adres")
    go_on_by_address(world, computer, window, screen.panel)


def go_on_by_address(world: Scenario, computer: Computer, window: FlowWindow, panel: AddressPanel) -> None:
    clipboard = QApplication.clipboard()
    address = panel.address.text()
    world.secrets |= set(address.partition("#")[2].split("."))
    panel.copy.click()
    assert clipboard.text() == address
    computer.complete(address)
    screen_of(window, WatchingScreen)
    assert address not in read(window)
    assert clipboard.text() == ""
    world.reader.remove()
    until(lambda: is_over(window))


def test_whoever_stops_hears_so(world: Scenario, begin: Begin) -> None:
    window = begin(Computer(world))
    screen_of(window, InsertScreen)
    key(window.screen_now or window, Qt.Key.Key_Escape)
    stopped = screen_of(window, StoppedScreen)
    assert stopped.trouble is None
    assert "U hebt dit afgebroken" in read(window)
