"""`zorgid demo`: the platform with its demo world, until it is told to stop; or the main job by itself."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

from zorgid.demo.once import MainJob
from zorgid.demo.running import DEMO, RunningDemo, running_demo
from zorgid.demo.visitor import Visitor, WalkStopped
from zorgid.demo.walks import Walks
from zorgid.demo.world import DE_LINDE, MEMBERS, Places, is_registered
from zorgid.settings import Settings, SettingsUnfit
from zorgid.web.server import require_free


async def run(
    settings: Settings, stop: asyncio.Event, *, once: bool, report: Path | None, keep_running: bool
) -> int:
    """Run the demo and return the exit code. `once` uses a fresh database and fresh cards of its own.

    Raises:
        SettingsUnfit: this is production, or `once` outside the demo or with a database that was used.
        AddressTaken: another demo is running here.
    """
    settings.require_nothing_pretends(["demo world"])
    if once and not settings.is_demo:
        raise SettingsUnfit("ZORGID_ENVIRONMENT: the main job by itself is for the demo only")
    if once:
        return await _run_once(settings, stop, report=report, keep_running=keep_running)
    async with running_demo(settings, folder=settings.data_folder) as demo:
        if settings.is_demo:  # elsewhere that is the first thing to try at the workplace
            await register_first_organisation(demo)
        _say(addresses(demo))
        await stop.wait()
        _say("Bezig met stoppen; wat loopt mag nog af.")
    return 0


async def _run_once(
    settings: Settings, stop: asyncio.Event, *, report: Path | None, keep_running: bool
) -> int:
    folder = settings.data_folder / "once"
    _require_free_doors(settings)  # before the folder of a run that is still going is taken away
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


def _require_free_doors(settings: Settings) -> None:
    """Check that no other demo answers on these addresses. Raises `AddressTaken`."""
    places = Places.beside(settings)
    require_free(settings.listen_address, settings.listen_port)
    require_free(settings.pki_listen_address, settings.pki_listen_port)
    require_free(settings.listen_address, places.care_port)
    require_free(settings.listen_address, places.workplace_port)
    require_free(settings.listen_address, places.register_port)


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
    return f"""
ZORG-ID demo: nagemaakte UZI-passen, kaarten en personen. Nooit voor echt gebruik.

  Begin hier            {settings.origin}/
  Demo-HIS              {places.care_origin}/
  Virtuele werkplek     {places.workplace_origin}/
  OCSP, CRL en CA       {settings.pki_origin}/
  Test-UZI-register     {places.register_origin}/
  Virtuele kaarten      {demo.world.cards_folder}

Stop met Ctrl-C.
"""


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
