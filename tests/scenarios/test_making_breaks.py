"""A making that is broken off, at every position there is (CARD-9).

The card pulled, the app killed, the platform gone: after each the same employee goes on with a fresh proof, and
ends with one active card with good certificates. Never is a certificate of an unfinished making good.
"""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
from tests.scenarios import breaks
from tests.scenarios.breaks import AppKilled, Break, Dies
from tests.scenarios.checks import nothing_unfinished_is_good, one_good_card
from tests.scenarios.world import EMPLOYEE, Maker, Scenario

from zorgid_desktop.flow.asking import Cancelled
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.server import PlatformRefused, PlatformUnreachable

Kind = Callable[[Scenario, int], Break]
STOPS = (AppKilled, PlatformUnreachable, FlowStopped, PlatformRefused, Cancelled)


def broken(world: Scenario, maker: Maker, weather: Break) -> str:
    """Make a card in bad weather; return how it ended."""
    with weather.armed() if isinstance(weather, Dies) else nullcontext():
        try:
            world.make(maker, weather)
        except STOPS as stop:
            return f"{type(stop).__name__} {stop}"
    return "made"


def is_made(world: Scenario, blank: str) -> bool:
    return any(
        f"blank-{card['chip_serial']}" == blank and card["state"] == "active"
        for card in world.cards(EMPLOYEE)
    )


def survives(world: Scenario, weather: Break) -> str:
    """Break a making, look, go on as the same employee, look again; return how the broken one ended."""
    blank = world.blank()
    maker = world.maker(EMPLOYEE, blank)
    ended = broken(world, maker, weather)
    nothing_unfinished_is_good(world, EMPLOYEE)
    if not is_made(world, blank):
        maker = world.maker(EMPLOYEE, blank)
        world.make(maker)
    one_good_card(world, EMPLOYEE, maker)
    return ended


def every_position(world: Scenario, kind: Kind) -> dict[int, str]:
    """Try a break at every position until the walk has none left; return how each ended."""
    ended: dict[int, str] = {}
    failed: list[str] = []
    while True:
        weather = kind(world, len(ended) + 1)
        try:
            ended[weather.at] = survives(world, weather)
        except Exception as error:  # noqa: BLE001 - all positions are tried, then all failures told
            failed.append(f"{weather.at} ({weather.where}): {type(error).__name__}: {error}")
            ended[weather.at] = "failed"
        if not weather.has_come:
            break
    assert not failed, "\n".join(failed)
    return ended


@pytest.mark.parametrize("kind", [breaks.PulledBefore, breaks.PulledAfter])
def test_a_pulled_card_is_put_in_again_and_the_making_goes_on(world: Scenario, kind: Kind) -> None:
    ended = every_position(world, kind)
    assert len(ended) > 100
    assert set(ended.values()) == {"made"}


@pytest.mark.parametrize("kind", [breaks.KilledBeforeApdu, breaks.KilledAfterApdu])
def test_the_app_may_be_killed_at_any_command(world: Scenario, kind: Kind) -> None:
    assert len(every_position(world, kind)) > 100


@pytest.mark.parametrize("kind", [breaks.KilledBeforeRequest, breaks.KilledAfterRequest])
def test_the_app_may_be_killed_at_any_request(world: Scenario, kind: Kind) -> None:
    assert len(every_position(world, kind)) > 9


@pytest.mark.parametrize("kind", [breaks.Undelivered, breaks.AnswerLost])
def test_the_platform_may_be_gone_from_any_request_on(world: Scenario, kind: Kind) -> None:
    assert len(every_position(world, kind)) > 9


@pytest.mark.parametrize("kind", [breaks.UndeliveredOnce, breaks.AnswerLostOnce])
def test_a_lost_request_or_answer_is_not_noticed(world: Scenario, kind: Kind) -> None:
    ended = every_position(world, kind)
    assert len(ended) > 9
    assert set(ended.values()) == {"made"}


@pytest.mark.parametrize("kind", [breaks.DiesBeforeCommit, breaks.DiesAfterCommit])
def test_the_platform_may_die_in_any_transaction_and_come_back(world: Scenario, kind: Kind) -> None:
    ended = every_position(world, kind)
    assert len(ended) > 20


@pytest.mark.parametrize("kind", [breaks.DiesBeforeCommitForLong, breaks.DiesAfterCommitForLong])
def test_the_platform_may_die_in_any_transaction_for_long(world: Scenario, kind: Kind) -> None:
    assert len(every_position(world, kind)) > 20
