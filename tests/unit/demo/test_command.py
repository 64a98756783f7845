"""The main job by itself begins with an empty folder, but never with that of a run that is still going."""

import asyncio
import socket
from pathlib import Path

import pytest

from zorgid.demo.command import run
from zorgid.settings import Settings
from zorgid.web.server import AddressTaken


async def test_a_second_demo_takes_nothing_away_from_the_first(tmp_path: Path) -> None:
    kept = tmp_path / "once" / "kept"
    kept.parent.mkdir()
    kept.touch()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        settings = Settings(data_folder=tmp_path, listen_port=port, origin=f"http://localhost:{port}")
        with pytest.raises(AddressTaken):
            await run(settings, asyncio.Event(), once=True, report=None, keep_running=False)
    assert kept.exists()
