"""A demo that cannot start says so before it changes anything, the folder of a run that is still going included."""

import asyncio
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.ports import free_port

from zorgid.demo.command import addresses, run
from zorgid.demo.errors import DemoPortTaken, DemoRunsAlready, FolderOfOtherPorts
from zorgid.demo.folder import Start, alone
from zorgid.demo.world import Places, open_world
from zorgid.kernel.clock import system_clock
from zorgid.kernel.randomness import system_random
from zorgid.pki.algorithms import KeyKind
from zorgid.settings import Settings


def contents(folder: Path) -> dict[Path, bytes]:
    return {
        file: file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock"
    }


async def start(settings: Settings, *, once: bool = False) -> None:
    await run(settings, asyncio.Event(), once=once, report=None, keep_running=False)


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("above", [0, 2, 3, 5])
async def test_a_port_that_is_taken_stops_a_demo_before_it_changes_anything(
    tmp_path: Path, above: int, *, once: bool
) -> None:
    kept = tmp_path / "once" / "kept"
    kept.parent.mkdir()
    kept.touch()
    with socket.create_server(("127.0.0.1", taken := free_port())):
        port = taken - above
        settings = Settings(data_folder=tmp_path, listen_port=port, pki_listen_port=0)
        with pytest.raises(DemoPortTaken) as refused:
            await start(settings, once=once)
    assert refused.value.facts["port"] in {port, port + 2, port + 3, port + 5}  # a neighbour may be busy too
    assert list(contents(tmp_path)) == [kept]


@pytest.mark.parametrize("once", [False, True])
async def test_a_demo_that_runs_keeps_its_folder_to_itself(tmp_path: Path, *, once: bool) -> None:
    (tmp_path / "once").mkdir()
    (tmp_path / "once" / "kept").touch()
    settings = Settings(data_folder=tmp_path)
    with alone(Start(settings, is_once=once)), pytest.raises(DemoRunsAlready):
        await start(settings, once=once)
    assert list(contents(tmp_path)) == [tmp_path / "once" / "kept"]


async def test_a_folder_of_other_ports_stays_as_it_was(tmp_path: Path) -> None:
    made = Settings(data_folder=tmp_path, card_key_kind=KeyKind.p256)
    open_world(made, clock=system_clock, random=system_random, folder=tmp_path)
    before = contents(tmp_path)
    with pytest.raises(FolderOfOtherPorts):
        await start(made.model_copy(update={"listen_port": 8700, "origin": "http://localhost:8700"}))
    assert contents(tmp_path) == before


def test_an_address_that_is_not_for_people_says_so_where_the_demo_names_it() -> None:
    settings = Settings()
    world = SimpleNamespace(places=Places.beside(settings), cards_folder=settings.data_folder / "cards")
    demo: Any = SimpleNamespace(platform=SimpleNamespace(settings=settings), world=world)
    (line,) = [line for line in addresses(demo).splitlines() if f"{settings.pki_origin}/" in line]
    assert "voor programma's" in line
    assert "u ziet daar niets" in line
