"""The desks of the virtual workplace: how many, for how long, and what a ticket is worth. The clock stands still."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest
from tests.clock import FakeClock

from cardkit.virtual import VirtualReader, make_blank_card
from zorgid.demo.workplace import desks as desks_module
from zorgid.demo.workplace.desk import MOST_ENDING
from zorgid.demo.workplace.desks import KEPT_FOR, KEPT_WHEN_FULL, MOST_TICKETS, TICKET_GOOD_FOR, Desks, Tray
from zorgid.demo.workplace.errors import DesksTaken, DeskUnknown
from zorgid.demo.workplace.run import AppParts
from zorgid.kernel.randomness import system_random
from zorgid.kernel.secrets import Secret
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import Browser, LaunchLink
from zorgid_desktop.server import PlatformUnreachable

LINK = LaunchLink("demo", Secret(bytes(16)), Browser.default)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def nobody(_: Language) -> NoReturn:
    raise AssertionError("no app is opened here")


@pytest.fixture
async def desks(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Desks]:
    """Desks that each have a folder of their own."""

    async def lay_out(desk_id: str) -> Tray:
        reader = VirtualReader(tmp_path / desk_id)
        reader.add("leeg-1", make_blank_card(1))
        return Tray(reader, tmp_path / desk_id)

    desks = Desks(lay_out, AppParts(nobody, clock), clock=clock, random=system_random)
    yield desks
    await desks.close()


async def test_a_browser_finds_its_desk_by_its_cookie_and_no_other(desks: Desks) -> None:
    desk, cookie = await desks.open()
    assert desks.of(cookie) is desk
    assert desk.id != cookie.text_for_wire(), "the cookie itself is kept nowhere"
    for wrong in (None, Secret(bytes(32)), Secret(cookie.reveal() + b"x")):
        with pytest.raises(DeskUnknown):
            desks.of(wrong)


async def test_a_desk_that_nobody_uses_goes_with_its_cards(
    desks: Desks, clock: FakeClock, tmp_path: Path
) -> None:
    idle, idle_cookie = await desks.open()
    clock.advance(KEPT_FOR - timedelta(minutes=1))
    _, used = await desks.open()
    assert desks.of(used)
    clock.advance(timedelta(minutes=1))
    await desks.open()
    with pytest.raises(DeskUnknown):
        desks.of(idle_cookie)
    assert not (tmp_path / idle.id).exists()
    assert desks.of(used)


async def test_there_are_so_many_desks_and_the_one_unused_longest_makes_room(
    desks: Desks, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks_module, "MOST_DESKS", 3)
    opened = []
    for _ in range(3):
        opened.append((await desks.open())[1])
        clock.advance(timedelta(minutes=1))
    with pytest.raises(DesksTaken) as full:
        await desks.open()
    wait = KEPT_WHEN_FULL - timedelta(minutes=3)
    assert full.value.facts["retry_after_seconds"] == wait.total_seconds()
    clock.advance(wait)
    desks.of(opened[0])
    with pytest.raises(DesksTaken):
        await desks.open()
    clock.advance(timedelta(minutes=1))
    await desks.open()
    assert len(desks) == 3
    assert desks.of(opened[0])
    with pytest.raises(DeskUnknown):
        desks.of(opened[1])


async def test_no_more_desks_are_laid_out_at_the_same_moment_than_there_may_be(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks_module, "MOST_DESKS", 3)
    may_go_on = asyncio.Event()

    async def slowly(desk_id: str) -> Tray:
        await may_go_on.wait()
        return Tray(VirtualReader(tmp_path / desk_id))

    desks = Desks(slowly, AppParts(nobody, clock), clock=clock, random=system_random)
    opening = [asyncio.create_task(desks.open()) for _ in range(5)]
    await asyncio.sleep(0)
    may_go_on.set()
    opened = await asyncio.gather(*opening, return_exceptions=True)
    assert [type(one) for one in opened].count(DesksTaken) == 2
    assert len(desks) == 3
    await desks.close()


async def test_a_desk_that_could_not_be_laid_out_takes_no_room(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks_module, "MOST_DESKS", 1)

    async def fails(_: str) -> Tray:
        raise NotADirectoryError

    desks = Desks(fails, AppParts(nobody, clock), clock=clock, random=system_random)
    for _ in range(2):
        with pytest.raises(NotADirectoryError):
            await desks.open()


async def test_a_ticket_is_good_once_and_for_a_minute(desks: Desks, clock: FakeClock) -> None:
    ticket = desks.keep_arrival(LINK)
    assert desks.take_arrival(ticket) is LINK
    assert desks.take_arrival(ticket) is None
    late = desks.keep_arrival(LINK)
    clock.advance(TICKET_GOOD_FOR)
    assert desks.take_arrival(late) is None
    assert desks.take_arrival("invented") is None


async def test_no_more_tickets_are_kept_than_fit(desks: Desks) -> None:
    first, *others = [desks.keep_arrival(LINK) for _ in range(MOST_TICKETS + 1)]
    assert desks.take_arrival(first) is None
    assert all(desks.take_arrival(ticket) for ticket in others)


async def test_closing_the_workplace_leaves_no_cards_of_visitors(desks: Desks, tmp_path: Path) -> None:
    await desks.open()
    await desks.close()
    assert names_in(tmp_path) == []
    assert len(desks) == 0


async def test_runs_that_were_broken_off_but_hang_are_few(desks: Desks, clock: FakeClock) -> None:
    """Each holds a thread until the platform has answered it."""
    answers = Event()

    def hangs(_: Language) -> NoReturn:
        answers.wait(60)
        raise PlatformUnreachable

    desk, _ = await desks.open()
    desk.parts = AppParts(hangs, clock)
    for _ in range(MOST_ENDING + 1):
        desk.begin(LINK, Language.nl)
        assert desk.is_busy
    with pytest.raises(DesksTaken):
        desk.begin(LINK, Language.nl)
    answers.set()
    for run in (*desk.ending, *desk.runs):
        run.join(60)
        assert not run.is_alive
    desk.begin(LINK, Language.nl)
    assert desk.ending == []


async def test_an_app_that_cannot_reach_the_platform_says_so_at_the_desk(
    desks: Desks, clock: FakeClock
) -> None:
    def away(_: Language) -> NoReturn:
        raise PlatformUnreachable

    desk, _ = await desks.open()
    desk.parts = AppParts(away, clock)
    desk.begin(LINK, Language.nl)
    assert desk.run is not None
    desk.run.join(60)
    assert desk.seen.trouble is not None
    assert desk.seen.trouble.code == "platform-unreachable"
    assert not desk.is_busy
    desk.put_away()
    assert desk.run is None
