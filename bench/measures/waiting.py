"""A thousand browsers that wait on the login page, each with an open event stream, while logins go on."""

import asyncio
import time
from typing import Any

from bench import results
from bench.contestants import Contestant, applications, ours
from bench.generator import Generator, job
from bench.house import ORIGIN, House, house
from bench.measures.logins import load
from bench.processes import memory_mb
from bench.results import OURS, Round, ratios, spreads
from bench.waiting_room import WaitingRoom
from zorgid.audit.model import SYSTEM
from zorgid.kernel.secrets import Secret
from zorgid.login import actions as login

BROWSERS = 1000
WOKEN = 100
LOGINS = 500
CONNECTIONS = 16


def run(runs: int) -> None:
    """Measure and keep the findings."""
    clients = applications()
    alone: list[Round] = []
    beside: list[Round] = []
    rooms: list[Round] = []
    with house("waiting") as made, ours(made, clients) as one:

        def logins(count: int = LOGINS) -> Round:
            order = job(one.place, clients, one.cookies, what="login", count=count, connections=CONNECTIONS)
            return _logins(one, order)

        logins(100)
        for _ in range(runs):
            alone.append(logins())
            before = memory_mb(one.process_id)
            with WaitingRoom(one.place, clients[0], BROWSERS) as room:
                held = memory_mb(one.process_id) - before
                idle = _idle(one)
                beside.append(logins())
                woken = asyncio.run(_wake(made, room.cookies[:WOKEN]))
                heard = room.heard(WOKEN)
                rooms.append({"memory_kb": held * 1000 / BROWSERS, "idle_cpu": idle, **_waits(woken, heard)})
    found: dict[str, Any] = {
        "browsers": BROWSERS,
        "woken": WOKEN,
        "alone": spreads(alone),
        "beside": spreads(beside),
        "room": spreads(rooms),
    }
    results.keep("waiting", found, ratios({OURS: beside, "nobody waiting": alone}))
    print(
        f"waiting: {found['alone']['rate'].text()} logins a second alone,"
        f" {found['beside']['rate'].text()} beside"
        f" {BROWSERS} browsers, each {found['room']['memory_kb'].text()} kB;"
        f" woken within {found['room']['most_ms'].text()} ms"
    )


def _logins(one: Contestant, order: dict[str, Any]) -> Round:
    with Generator(order) as generator:
        return load(one, generator, order["count"])[0]


def _idle(one: Contestant, seconds: float = 3.0) -> float:
    """Return how much of a core server and database spend while everybody only waits."""
    before = one.cpu()
    time.sleep(seconds)
    return sum(after - start for after, start in zip(one.cpu(), before, strict=True)) / seconds


async def _wake(made: House, cookies: list[str]) -> dict[str, float]:
    """Cancel some transactions, one commit each; return when each commit was done."""
    done: dict[str, float] = {}
    async with made.database() as (database, _):
        for cookie in cookies:
            async with database.work(ORIGIN) as work:
                transaction = await login.transaction_of_browser(work, Secret.from_text(cookie), lock=True)
                await login.cancel(work, transaction=transaction, by=SYSTEM)
            done[cookie] = time.monotonic()
    return done


def _waits(done: dict[str, float], heard: dict[str, float]) -> dict[str, float]:
    """Return how long after the commit browsers heard of it: exactly those whose transaction moved."""
    assert heard.keys() == done.keys(), (len(heard), len(done))
    waits = sorted(max(heard[cookie] - done[cookie], 0) * 1000 for cookie in done)
    return {"half_ms": waits[len(waits) // 2], "most_ms": waits[len(waits) * 99 // 100]}
