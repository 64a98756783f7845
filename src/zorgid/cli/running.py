"""Commands that run the platform, or bring its tables up to it."""

import argparse
import asyncio
import signal

from zorgid.app import additions_of, build
from zorgid.cli.terminal import OK, say
from zorgid.opening import database_address
from zorgid.settings import Settings
from zorgid.storage.migrate import migrate as bring_up
from zorgid.web.ports import platform_ports, require_free_ports


def until_told() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def serve(settings: Settings, asked: argparse.Namespace) -> int:
    """Answer requests until told to stop; those that run then may finish."""
    stop = until_told()
    require_free_ports(platform_ports(settings))
    async with build(settings, additions_of(settings), with_worker=asked.with_worker) as running:
        await running.serve(stop)
    return OK


async def worker(settings: Settings, asked: argparse.Namespace) -> int:
    """Do the work that nobody asks for until told to stop."""
    del asked
    stop = until_told()
    async with build(settings, additions_of(settings)):
        await stop.wait()
    return OK


async def migrate(settings: Settings, asked: argparse.Namespace) -> int:
    """Bring the tables up to this version."""
    del asked
    async with database_address(settings) as url:
        done = await asyncio.to_thread(bring_up, url)
    say(f"{len(done)} steps taken" if done else "nothing to do")
    return OK
