"""What a card costs the platform: its own CPU time from the login with the UZI card to the working Smartcard.

Then somebody logs in with it at a care application: proof, code, tokens.

The Desktop App, the virtual cards with their keys, and the test UZI register run in this process; the
platform and its database run in processes of their own, and only those are counted.
"""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.app_builders import write_trust_folder

from bench import results
from bench.house import ORIGIN, House, house
from bench.processes import Server, cpu_seconds
from bench.results import spreads
from zorgid.cards import actions as cards
from zorgid.demo.once import DOCTOR, EMPLOYEE, NEW_PIN
from zorgid.demo.running import RunningDemo
from zorgid.demo.uzi_register.app import create_app
from zorgid.demo.visitor import Visitor
from zorgid.demo.walks import Walks
from zorgid.demo.world import BLANK_CARDS, World, blank_name, open_world, populate
from zorgid.kernel.clock import system_clock
from zorgid.kernel.randomness import system_random
from zorgid.stock.model import AttestationRoot
from zorgid.web.server import Door, serving

LOGINS = 5
"""Logins with each card: one takes about what the kernel counts CPU time in."""


def run(runs: int) -> None:
    """Measure and keep the findings; the whole tray is made, whatever `runs` says, and the first warms up."""
    del runs
    with house("cards", is_demo=True) as made:
        world = _world(made)
        with made.running() as server:
            told = asyncio.run(_make_all(made, world, server))
    found = spreads(told)
    results.keep("cards", {"cards": len(told), **found})
    print(
        f"cards: {found['server_ms'].text()} ms CPU of the platform + {found['database_ms'].text()} ms of the"
        f" database each; {found['seconds'].text(1)} s with everything around it"
    )


def _world(made: House) -> World:
    """Make the demo's world around the platform, and let its trust folder know it."""
    world = open_world(made.settings, clock=system_clock, random=system_random, folder=made.folder / "world")
    write_trust_folder(made.folder / "trust", world.trust)
    roots = made.folder / "trust" / "attestation" / AttestationRoot.test
    roots.mkdir(parents=True)
    pem = x509.load_der_x509_certificate(world.attestation_root.certificate_der).public_bytes(Encoding.PEM)
    (roots / "root.pem").write_bytes(pem)
    return world


async def _make_all(made: House, world: World, server: Server) -> list[dict[str, float]]:
    """Register the organisation of the demo, then make one card after the other for the same employee."""
    beside = (
        Door(create_app(world.register), "127.0.0.1", world.places.register_port),
        Door(world.care_application.app(), "127.0.0.1", world.places.care_port),
    )
    told = []
    async with made.database() as (database, _), serving(*beside, stop_within_seconds=5):
        await populate(database, ORIGIN, world)
        platform = SimpleNamespace(settings=made.settings, services=SimpleNamespace(database=database))
        walks = Walks(RunningDemo(cast("Any", platform), world))
        async with Visitor() as visitor:
            await walks.validate_organisation(visitor, DOCTOR)
        for number in range(BLANK_CARDS):
            before = _spent(made, server)
            begun = time.perf_counter()
            async with Visitor() as visitor:
                view = await walks.make_card(
                    visitor, EMPLOYEE, blank=blank_name(number), new_pin=NEW_PIN, before_keeping=_nothing
                )
            seconds = time.perf_counter() - begun
            after = _spent(made, server)
            async with database.work(ORIGIN) as work:
                await cards.require_active(work, (await cards.card_by_number(work, str(view.card_number))).id)
            logins = await _log_in(made, walks, server, blank_name(number))
            if number:
                ours, databases = _between(before, after)
                told.append({"server_ms": ours, "database_ms": databases, "seconds": seconds, **logins})
    return told


async def _log_in(made: House, walks: Walks, server: Server, card: str) -> dict[str, float]:
    """Log in with a new card at the care application, in a browser that was never there, some times."""
    before = _spent(made, server)
    for _ in range(LOGINS):
        async with Visitor() as visitor:
            outcome = await walks.log_in(visitor, card, NEW_PIN)
        assert outcome.page is not None, outcome
    ours, databases = _between(before, _spent(made, server))
    return {"login_server_ms": ours / LOGINS, "login_database_ms": databases / LOGINS}


def _between(before: tuple[float, float], after: tuple[float, float]) -> tuple[float, float]:
    """Return the milliseconds of the platform and of the database."""
    return (after[0] - before[0]) * 1000, (after[1] - before[1]) * 1000


def _spent(made: House, server: Server) -> tuple[float, float]:
    return server.cpu_seconds(), cpu_seconds(made.postgres_id)


async def _nothing() -> None:
    """Look at nothing while the PUK is shown."""
