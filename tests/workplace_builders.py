"""The demo world with its virtual workplace on real ports, and somebody at a browser without a screen."""

import asyncio
import contextlib
import logging
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
import structlog
from psycopg.rows import dict_row

from tests.app_builders import demo_settings
from tests.ports import ports_for_demo
from tests.scenarios.attack_world import (
    OWNER,
    TEMPLATE,
    App,
    SoftwareKey,
    as_superuser,
)
from zorgid.app import Running, build
from zorgid.ca.keys import KeyKind
from zorgid.ca.model import HierarchyPlan
from zorgid.demo.command import register_first_organisation
from zorgid.demo.running import DEMO, RunningDemo, additions_for, visitors_door
from zorgid.demo.uzi_register.app import create_app as register_application
from zorgid.demo.visitor import Page, Visitor
from zorgid.demo.workplace import desks, pages
from zorgid.demo.workplace.app import Workplace, create_workplace
from zorgid.demo.world import World, open_world, populate
from zorgid.kernel.clock import system_clock
from zorgid.kernel.randomness import system_random
from zorgid.logs import configure_logs
from zorgid.pki.algorithms import KeyKind as CardKeyKind
from zorgid.protocol.links import parse_link
from zorgid.web.server import Door, serving

SANNE = "uzi-assistente-linde"
JORIS = "uzi-praktijkmanager-linde"
DOCTOR = "uzi-huisarts-linde"


@dataclass
class Stage:
    """Platform, care application, register and workplace, each on its own port."""

    running: Running
    world: World
    workplace: Workplace
    trust: ssl.SSLContext | bool = True
    people: list["Person"] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    """PINs, handles, codes, cookies and PUKs of all visits."""

    @property
    def origin(self) -> str:
        return self.running.settings.origin

    @property
    def desk(self) -> str:
        return self.world.places.workplace_origin

    @property
    def care(self) -> str:
        return self.world.places.care_origin

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Return rows of the platform's database."""
        async with (
            self.running.services.database.work(DEMO) as work,
            work.connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(query, values)
            return list(await cursor.fetchall())

    async def log(self) -> list[str]:
        """Return the events of the audit log, the oldest first."""
        return [one["event"] for one in await self.rows("select event from audit_entry order by xact, id")]

    def person(self, **headers: str) -> "Person":
        """Return somebody with a browser of the own."""
        person = Person(self, headers)
        self.people.append(person)
        return person

    def app(self) -> App:
        """Return an app that does what a test wants."""
        return App(
            httpx.AsyncClient(base_url=self.origin, verify=self.trust, trust_env=False, timeout=30),
            self.origin,
        )

    def key(self, label: str) -> SoftwareKey:
        """Return the authentication key of a test UZI card."""
        key = self.world.card(label.removeprefix("uzi-")).authentication
        return SoftwareKey(key.certificate, key.private_key)


class Person(Visitor):
    """Somebody at a browser, who sits down at the workplace when a login page offers that."""

    def __init__(self, stage: Stage, headers: dict[str, str]) -> None:
        super().__init__()
        self.stage = stage
        self.requests: list[httpx.Request] = []
        self.client = self._client = httpx.AsyncClient(
            follow_redirects=True,
            trust_env=False,
            timeout=60,
            verify=stage.trust,
            headers={"Accept-Language": "nl", **headers},
            event_hooks={"request": [self._note]},
        )

    async def _note(self, request: httpx.Request) -> None:
        self.requests.append(request)

    async def sit_down(self) -> Page:
        """Open a workplace."""
        page = await self.submit(await self.open(f"{self.stage.desk}/"), "/desk")
        self.stage.secrets |= {one.value or "" for one in self.client.cookies.jar if "desk" in one.name}
        return page

    async def at_desk(self) -> Page:
        """Look at the desk."""
        return await self.open(f"{self.stage.desk}/")

    async def begin(self, door: str) -> Page:
        """Begin `make-card` or `validate-organisation`, up to the login page."""
        page = await self.open(f"{self.stage.origin}/portal/{door}")
        return await self.submit(page, f"/portal/{door}")

    async def begin_login(self) -> Page:
        """Begin a login at the care application, up to the login page."""
        return await self.open(f"{self.stage.care}/login")

    async def use_workplace(self, login_page: Page) -> Page:
        """Click the button of the login page that leads to the workplace."""
        self.stage.secrets.add(parse_link(login_page.launch_link).handle.text_for_wire())
        return await self.submit(login_page, "/open")

    async def insert(self, page: Page, card: str) -> Page:
        """Put a card in the reader."""
        return await self.submit(page, "/reader", card=card)

    async def take_out(self, page: Page) -> Page:
        """Take the card out of the reader."""
        return await self.submit(page, "/reader", do="out")

    async def answer(self, page: Page, do: str = "test", **fields: str) -> Page:
        """Answer the question of the app."""
        return await self.submit(page, "/answer", do=do, **fields)

    async def go_on(self, page: Page) -> Page:
        """Follow the page to the platform, as its own redirect does, and complete there."""
        address = completion_on(page)
        self.stage.secrets |= set(urlsplit(address).fragment.split("."))
        return await self.complete(address)

    async def show_card(self, login_page: Page, card: str) -> Page:
        """Put a card in and give its test PIN, up to the page that leads on."""
        page = await self.use_workplace(login_page)
        return await self.answer(await self.insert(page, card))

    async def until(self, *words: str) -> Page:
        """Look at the desk until it shows one of these texts."""
        async with asyncio.timeout(60):
            while True:
                page = await self.at_desk()
                if any(word in page.text for word in words):
                    return page
                await asyncio.sleep(0.05)

    def cookies(self, host: str) -> dict[str, str]:
        """Return this browser's cookies for a host."""
        return {
            one.name: one.value or ""
            for one in self.client.cookies.jar
            if one.domain.removesuffix(".local") == host
        }


def completion_on(page: Page) -> str:
    """The address of the page that completes, with its secrets."""
    (address,) = {link for link in page.links if urlsplit(link).path == "/oauth/complete"}
    return address


@contextmanager
def told_to_log() -> Iterator[StringIO]:
    """Collect every line of the log."""
    lines, root = StringIO(), logging.getLogger()
    before = (root.handlers, root.level, structlog.get_config())
    configure_logs(level="debug", stream=lines)
    try:
        yield lines
    finally:
        root.handlers, root.level = before[:2]
        structlog.configure(**before[2])


@asynccontextmanager
async def staged(
    folder: Path, database_url: str | None, *, trust: ssl.SSLContext | bool = True, **settings: Any
) -> AsyncIterator[Stage]:
    """Run everything while the block does; the organisation De Linde is registered in the demo."""
    port = ports_for_demo()
    given = {"origin": f"http://localhost:{port}", "listen_port": port, "card_key_kind": CardKeyKind.p256}
    chosen = demo_settings(folder, database_url, **{**given, **settings})
    world = await asyncio.to_thread(
        open_world, chosen, clock=system_clock, random=system_random, folder=folder, kept_in=None
    )
    plan = HierarchyPlan(is_stand_in=True, key_kind=KeyKind.p256)
    stop = asyncio.Event()
    async with build(
        chosen, replace(additions_for(world), hierarchy_plan=plan), with_worker=False
    ) as running:
        await populate(running.services.database, DEMO, world)
        workplace = create_workplace(running.services, world)
        doors = (
            visitors_door(world.care_application.app(), chosen, world.places.care_port),
            Door(register_application(world.register), "127.0.0.1", world.places.register_port),
            visitors_door(workplace.application, chosen, world.places.workplace_port),
        )
        async with serving(*doors, stop_within_seconds=5):
            served = asyncio.create_task(running.serve(stop))
            stage = Stage(running, world, workplace, trust)
            try:
                await until_open(chosen.listen_port)
                if chosen.is_demo:
                    await register_first_organisation(RunningDemo(running, world))
                yield stage
            finally:
                for person in stage.people:
                    await person.client.aclose()
                await workplace.desks.close()
                stop.set()
                await served


@contextmanager
def patient_workplace() -> Iterator[None]:
    """Let each page wait for the app's next question, and the end for every app, however busy the machine is."""
    with (
        mock.patch.object(pages, "SETTLED_WITHIN_SECONDS", 60.0),
        mock.patch.object(desks, "END_WITHIN_SECONDS", 60.0),
    ):
        yield


async def until_open(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def shared_stage(
    servers: Any, folders: pytest.TempPathFactory, *, trust: ssl.SSLContext | bool = True, **settings: Any
) -> AsyncIterator[Stage]:
    """Run one stage for a module, on a database of its own."""
    programs = os.environ.get("ZORGID_TEST_POSTGRESQL")
    server = servers.migrated(Path(programs) if programs else None)
    name = f"workplace_{uuid4().hex}"
    as_superuser(server, "create database {} owner {} template {} strategy file_copy", name, OWNER, TEMPLATE)
    async with staged(folders.mktemp("workplace"), server.url(name), trust=trust, **settings) as stage:
        yield stage
    as_superuser(server, "drop database {} with (force)", name)
