"""Runs platform and demo world together in one process, on their five addresses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from zorgid.app import Additions, Running, build
from zorgid.demo.start import start_route
from zorgid.demo.uzi_register.app import create_app as register_application
from zorgid.demo.workplace.app import STATIC_PACKAGE, create_workplace
from zorgid.demo.world import World, open_world, populate
from zorgid.kernel.clock import Clock, system_clock
from zorgid.kernel.randomness import RandomSource, system_random
from zorgid.settings import Settings
from zorgid.storage.database import Origin
from zorgid.web.server import Door, serving
from zorgid.web.templates import TextFolder

DEMO: Final = Origin("demo", None, "demo")


@dataclass(frozen=True)
class RunningDemo:
    """The demo while it runs."""

    platform: Running
    world: World


@asynccontextmanager
async def running_demo(
    settings: Settings,
    *,
    folder: Path,
    register_folder: Path | None = None,
    clock: Clock = system_clock,
    random: RandomSource = system_random,
) -> AsyncIterator[RunningDemo]:
    """Start everything and answer on all addresses while the block runs."""
    world = await asyncio.to_thread(
        open_world, settings, clock=clock, random=random, folder=folder, kept_in=register_folder
    )
    stop = asyncio.Event()
    async with build(settings, additions_for(world), clock=clock, random=random) as platform:
        await populate(platform.services.database, DEMO, world)
        workplace = create_workplace(platform.services, world)
        workplace_at, care_at = world.places.workplace_port, world.places.care_port
        doors = (
            visitors_door(world.care_application.app(), settings, care_at),
            visitors_door(workplace.application, settings, workplace_at),
            Door(register_application(world.register), settings.listen_address, world.places.register_port),
        )
        async with serving(*doors, stop_within_seconds=settings.stop_within_seconds):
            served = asyncio.create_task(platform.serve(stop))
            try:
                await _until_open(settings, served)
                yield RunningDemo(platform, world)
            finally:
                await workplace.desks.close()
                stop.set()
                await served


def visitors_door(application: ASGIApp, settings: Settings, port: int) -> Door:
    """Return where an application for visitors answers: over TLS where the platform does."""
    return Door(application, settings.listen_address, port, settings.tls_certificate, settings.tls_key)


async def _until_open(settings: Settings, served: asyncio.Task[None]) -> None:
    """Wait until the platform takes connections, or raise what kept it from it."""
    while True:
        if served.done():
            served.result()
        try:
            _, writer = await asyncio.open_connection(settings.listen_address, settings.listen_port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def additions_for(world: World) -> Additions:
    """Return what the demo puts beside the platform's own parts."""
    return Additions(
        start=start_route(world),
        virtual_workplace=world.places.workplace_origin,
        static_packages=(STATIC_PACKAGE,),
        texts=(TextFolder("zorgid.demo"),),
        trust=world.trust,
        attestation_roots=world.attestation_roots,
        makes_what_is_missing=True,
    )
