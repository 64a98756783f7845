"""What a card costs the platform: its own CPU time from the login with the UZI card to the working Smartcard.

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
from bench.results import Spread
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


def run(runs: int) -> None:
    """Measure and keep the findings; the whole tray is made, whatever `runs` says, and the first warms up."""
    del runs
    with house("cards", is_demo=True) as made:
        world = _world(made)
        with made.running() as server:
            told = asyncio.run(_make_all(made, world, server))
    found = {key: Spread.of([one[key] for one in told]) for key in told[0]}
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
    register = Door(create_app(world.register), "127.0.0.1", world.places.register_port)
    told = []
    async with made.database() as (database, _), serving(register, stop_within_seconds=5):
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
            if number:
                ours, databases = ((one - other) * 1000 for one, other in zip(after, before, strict=True))
                told.append({"server_ms": ours, "database_ms": databases, "seconds": seconds})
    return told


def _spent(made: House, server: Server) -> tuple[float, float]:
    return server.cpu_seconds(), cpu_seconds(made.postgres_id)


async def _nothing() -> None:
    """Look at nothing while the PUK is shown."""
