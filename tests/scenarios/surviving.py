"""Breaks a making, looks, goes on as the same employee with a fresh proof, and looks again; at every position."""

from collections.abc import Callable
from contextlib import nullcontext

from tests.scenarios.breaks import AppKilled, Break, Dies
from tests.scenarios.checks import nothing_unfinished_is_good, one_good_card
from tests.scenarios.world import EMPLOYEE, Maker, Scenario

from zorgid_desktop.flow.asking import Cancelled
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.server import PlatformRefused, PlatformUnreachable

Kind = Callable[[Scenario, int], Break]
MakerOf = Callable[[Scenario, str], Maker]
STOPS = (AppKilled, PlatformUnreachable, FlowStopped, PlatformRefused, Cancelled)
MADE = "made"


def broken(world: Scenario, maker: Maker, weather: Break) -> str:
    """Make a card in bad weather; return how it ended."""
    with weather.armed() if isinstance(weather, Dies) else nullcontext():
        try:
            world.make(maker, weather)
        except STOPS as stop:
            return type(stop).__name__
    return MADE


def is_made(world: Scenario, blank: str) -> bool:
    """Tell whether a working Smartcard was made of a blank card."""
    cards = world.cards(EMPLOYEE)
    return any(f"blank-{card['chip_serial']}" == blank and card["state"] == "active" for card in cards)


def employee(world: Scenario, blank: str) -> Maker:
    """Return the employee, who puts the right card in whenever asked."""
    return world.maker(EMPLOYEE, blank)


def survives(
    world: Scenario, weather: Break, maker_of: MakerOf = employee, *, half_made: bool = False
) -> str:
    """Break one making; return how it ended, after the same employee ended up with one good card all the same.

    When `half_made`, an earlier making wrote the card and showed its PUK, which nobody kept.
    """
    blank = world.blank()
    if half_made:
        assert broken(world, world.maker(EMPLOYEE, blank, keeps_puk=False), Break(world, 0)) != MADE
    maker = maker_of(world, blank)
    ended = broken(world, maker, weather)
    nothing_unfinished_is_good(world, EMPLOYEE)
    if not is_made(world, blank):
        maker = employee(world, blank)
        world.make(maker)
    one_good_card(world, EMPLOYEE, maker)
    return ended


def every_position(
    world: Scenario, kind: Kind, maker_of: MakerOf = employee, *, half_made: bool = False
) -> list[str]:
    """Break at every position until the walk has none left; return how each walk ended."""
    ended: list[str] = []
    failed: list[str] = []
    while True:
        weather = kind(world, len(ended) + 1)
        try:
            ended.append(survives(world, weather, maker_of, half_made=half_made))
        except Exception as error:  # noqa: BLE001 - all positions are tried, then all failures told
            failed.append(f"{weather.at} ({weather.where}): {type(error).__name__}: {str(error)[:400]}")
            ended.append("failed")
        if not weather.has_come:
            break
    assert not failed, "\n".join(failed)
    return ended
