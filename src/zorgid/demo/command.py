"""`zorgid demo`: the platform with its demo world, until it is told to stop; or the main job by itself."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

from zorgid.demo.errors import DemoPortTaken
from zorgid.demo.folder import Start, alone, require_its_ports
from zorgid.demo.once import MainJob
from zorgid.demo.running import DEMO, RunningDemo, running_demo
from zorgid.demo.visitor import Visitor, WalkStopped
from zorgid.demo.walks import Walks
from zorgid.demo.world import DE_LINDE, MEMBERS, Places, is_registered
from zorgid.settings import Settings, SettingsUnfit
from zorgid.web.desktop_lines import DesktopLines
from zorgid.web.errors import PortTaken
from zorgid.web.ports import Port, platform_ports, require_free_ports


async def run(
    settings: Settings, stop: asyncio.Event, *, once: bool, report: Path | None, keep_running: bool
) -> int:
    """Run the demo and return the exit code. `once` uses a fresh database and fresh cards of its own.

    Raises:
        SettingsUnfit: this is production, or `once` outside the demo or with a database that was used.
        DemoRunsAlready, FolderOfOtherPorts, DemoPortTaken: see there; nothing was changed.
    """
    settings.require_nothing_pretends(["demo world"])
    if once and not settings.is_demo:
        raise SettingsUnfit("ZORGID_ENVIRONMENT: the main job by itself is for the demo only")
    start = Start(settings, is_once=once)
    with alone(start):
        if once:
            return await _run_once(start, stop, report=report, keep_running=keep_running)
        return await _run_on(start, stop)


async def _run_on(start: Start, stop: asyncio.Event) -> int:
    settings = start.settings
    require_its_ports(start)
    require_free_doors(start)
    async with running_demo(settings, folder=start.folder) as demo:
        if settings.is_demo:  # elsewhere that is the first thing to try at the workplace
            await register_first_organisation(demo)
        _say(addresses(demo))
        await stop.wait()
        _say("Bezig met stoppen; wat loopt mag nog af.")
    return 0


async def _run_once(start: Start, stop: asyncio.Event, *, report: Path | None, keep_running: bool) -> int:
    settings, folder = start.settings, start.folder
    require_free_doors(start)
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    fresh = settings.model_copy(update={"data_folder": folder})
    async with running_demo(fresh, folder=folder, register_folder=settings.data_folder) as demo:
        if await is_registered(demo.platform.services.database, DEMO, DE_LINDE):
            raise SettingsUnfit("ZORGID_DATABASE_URL: the main job needs an empty database; leave it out")
        job = MainJob(demo, _say)
        is_done = await job.run()
        if report is not None:
            text = json.dumps(job.report(), ensure_ascii=False, indent=2)
            await asyncio.to_thread(report.write_text, text, encoding="utf-8")
        if keep_running:
            _say(addresses(demo))
            await stop.wait()
    return 0 if is_done else 1


def require_free_doors(start: Start) -> None:
    """Check that nobody listens where the demo will answer. Raises `DemoPortTaken`."""
    settings, places = start.settings, Places.beside(start.settings)
    beside = (places.care_port, places.workplace_port, places.register_port)
    ports = [Port(settings.listen_address, port, "ZORGID_LISTEN_PORT") for port in beside]
    try:
        require_free_ports([*platform_ports(settings), *ports])
    except PortTaken as taken:
        raise DemoPortTaken(port=taken.facts["port"], elsewhere=start.elsewhere) from taken


async def register_first_organisation(demo: RunningDemo) -> None:
    """Let the doctor of De Linde validate it, as she would herself, so that a card can be made at once.

    Raises `WalkStopped` when it is not validated, by this walk or by somebody who was quicker.
    """
    database = demo.platform.services.database
    if await is_registered(database, DEMO, DE_LINDE):
        return
    try:
        async with Visitor() as visitor:
            await Walks(demo).validate_organisation(visitor, MEMBERS[0].professional)
    except WalkStopped:
        if not await is_registered(database, DEMO, DE_LINDE):
            raise


def addresses(demo: RunningDemo) -> str:
    """Return what the operator reads: where everything answers, and that all of it is a stand-in."""
    settings, places = demo.platform.settings, demo.world.places
    app = DesktopLines.of(settings, has_cards=True).command
    for_app = f"\n  Desktop App           {app} window" if settings.is_demo else ""
    return f"""
ZORG-ID demo: nagemaakte UZI-passen, kaarten en personen. Nooit voor echt gebruik.

  Begin hier            {settings.origin}/
  Demo-HIS              {places.care_origin}/
  Virtuele werkplek     {places.workplace_origin}/
  Test-UZI-register     {places.register_origin}/  (de testkaarten en hun pincodes)
  OCSP, CRL en CA       {settings.pki_origin}/  (voor programma's die kaarten controleren; u ziet daar niets)
  Virtuele kaarten      {demo.world.cards_folder}{for_app}

Stop met Ctrl-C.
"""


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
