"""A making and a login at one desk, as a person does them: the page in a headed Chromium, its link by the registered
scheme, the app's own program with its windows, real key strokes and mouse clicks, and back to the page.

CARD-1, CARD-7, CARD-8, LOGIN-2, LOGIN-5, PIN-1; docs/desktop-protocol.md. Nothing secret is left anywhere.
"""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, async_playwright

from tests.browser.conftest import ARGUMENTS, MOST_MS
from tests.browser.desk import TOOL, Desk, desk
from tests.scenarios.attack_world import EMPLOYEE, AttackWorld, shared_world
from zorgid.kernel.clock import system_clock
from zorgid.web.server import Door, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

BLANK = "leeg-1"
NEW_PIN = "Linde26x"


@dataclass
class Office:
    """The platform and the care application, and one desk with a browser and the app."""

    world: AttackWorld
    desk: Desk
    browser: BrowserContext
    typed: set[str] = field(default_factory=set)
    """What was typed or shown and must not be found anywhere."""

    @property
    def pin(self) -> str:
        return self.world.world.card(EMPLOYEE).pin

    async def type_pin(self, field: str, pin: str, button: str = "") -> None:
        """Type a PIN in the field that has the focus, and press Enter."""
        self.typed.add(pin)
        await self.do(self.desk.see_focus, "password text", field)
        await self.do(self.desk.type, pin)
        await self.do(self.desk.press, "Return")

    async def do(self, act: Any, *facts: Any) -> Any:
        """Do something at the desk while the platform goes on answering."""
        return await asyncio.to_thread(act, *facts)

    async def put_in(self, card: str) -> None:
        """Choose a card of the tray by mouse, and go on by the button."""
        await self.do(self.desk.choose, card, "Nagemaakte kaarten")
        await self.do(self.desk.click, "Verder", "push button")


@asynccontextmanager
async def headed_chromium(at: Desk, origins: list[str]) -> AsyncIterator[BrowserContext]:
    """Run Debian's Chromium on the desk's screen, with the launch allowed for our origins as a policy does it."""
    program = shutil.which("chromium")
    assert program, "apt install chromium"
    profile = at.home / "config/chromium"
    (profile / "Default").mkdir(parents=True)
    allowed = {origin: {"zorg-id": True} for origin in origins}
    preferences = {"protocol_handler": {"allowed_origin_protocol_pairs": allowed}}
    (profile / "Default/Preferences").write_text(json.dumps(preferences))
    starter = at.home / "bin/google-chrome"
    starter.parent.mkdir()
    starter.write_text(f'#!/bin/sh\nexec {program} --no-sandbox --user-data-dir="{profile}" "$@"\n')
    starter.chmod(0o755)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=program,
            headless=False,
            args=[*ARGUMENTS, "--window-position=740,0", "--window-size=740,1000"],
            env=dict(at.variables),
            locale="nl-NL",
            no_viewport=True,
            timeout=2 * MOST_MS,
        )
        context.set_default_timeout(MOST_MS)
        yield context
        await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def office(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    stop = asyncio.Event()
    async with shared_world(servers, tmp_path_factory, clock=system_clock) as world:
        await world.register_organisation()
        care = Door(world.world.care_application.app(), "127.0.0.1", world.world.places.care_port)
        served = asyncio.create_task(world.running.serve(stop))
        home = tmp_path_factory.mktemp("d")
        async with serving(care, stop_within_seconds=5):
            await answers(world.origin)
            with desk(home, ZORGID_DESKTOP_DEMO_ORIGIN=world.origin) as at:
                cards = world.world.cards_folder
                await asyncio.to_thread(at.run, TOOL, "--cards-folder", cards, "scheme", "register")
                origins = [world.origin, world.world.places.care_origin]
                async with headed_chromium(at, origins) as browser:
                    yield Office(world, at, browser)
        stop.set()
        await served


async def answers(origin: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
        while True:
            try:
                await client.get(f"{origin}/health")
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
            else:
                return


async def arrival(office: Office, address: str) -> Page:
    """Wait for the tab that the app opens and that ends at an address."""
    async with asyncio.timeout(60):
        while True:
            for page in office.browser.pages:
                if page.url == address:
                    return page
            await asyncio.sleep(0.05)


async def test_a_card_is_made_and_used_at_a_desk(office: Office) -> None:
    """A making with the UZI card, a login at the care application with the new card, and its end when it is pulled."""
    at, world = office.desk, office.world
    page = office.browser.pages[0]
    await make(office, page)
    await office.do(at.wait_until_gone, "ZORG-ID")
    await office.do(at.wait_until_ended)
    await log_in(office, await office.browser.new_page())
    await office.do(at.wait_until_gone, "ZORG-ID")
    nothing_secret_is_left(office)
    (session,) = await world.rows("select end_reason from session")
    assert session["end_reason"] is not None
    (card,) = await world.rows("select state from card")
    assert card["state"] == "active"


async def make(office: Office, page: Page) -> None:
    at, world = office.desk, office.world
    card = world.world.card(EMPLOYEE)
    await page.goto(f"{world.origin}/portal/make-card")
    await page.get_by_role("button", name="Begin").click()
    await page.locator("[data-launch]").click()

    await office.do(at.see, "Stop uw UZI-pas in de paslezer")
    await office.do(at.focus_app)
    await office.put_in(f"uzi-{EMPLOYEE}")
    await office.do(at.see, world.origin)
    await office.type_pin("", card.pin)
    assert secret_words(office) == []

    await office.do(at.see, "Uw geboortedatum")
    await office.do(at.focus_app)
    born_on = card.person.born_on
    for name, part in (("Dag", born_on.day), ("Maand", born_on.month), ("Jaar", born_on.year)):
        await office.do(at.see_focus, "text", name)
        await office.do(at.type, str(part))
        await office.do(at.press, "Return" if name == "Jaar" else "Tab")
    await office.do(at.see_focus, "push button")
    await office.do(at.press, "Return")

    await office.do(at.see, "Wissel de kaarten")
    await office.put_in(BLANK)
    for _ in range(2):
        await office.type_pin("", NEW_PIN)

    shown = await office.do(at.see, "Pukcode:", "label")
    office.typed |= {re.sub(r"\D", "", shown["name"]), shown["name"].partition(": ")[2]}
    await office.do(at.click, "Ik heb de pukcode bewaard", "check box")
    assert secret_words(office) == []
    await office.do(at.click, "Verder", "push button")
    await office.do(at.see, "Uw Smartcard is klaar")
    await office.do(at.click, "Sluiten", "push button")


async def log_in(office: Office, page: Page) -> None:
    at, world = office.desk, office.world
    await page.goto(f"{world.world.places.care_origin}/login")
    await page.locator("[data-launch]").click()
    await office.do(at.see, "Stop uw kaart in de paslezer")
    await office.do(at.focus_app)
    await office.put_in(BLANK)
    await office.do(at.see, world.origin)
    await office.type_pin("", NEW_PIN)
    tab = await arrival(office, f"{world.world.places.care_origin}/")
    await tab.wait_for_load_state()
    assert world.world.card(EMPLOYEE).person.names.full_name in await tab.inner_text("body")
    await office.do(at.see, "U bent ingelogd")
    assert secret_words(office) == []
    await office.do(at.click, "Haal de kaart eruit", "push button")
    await office.do(at.see, "U bent uitgelogd")
    await office.do(at.click, "Sluiten", "push button")


def secret_words(office: Office) -> list[str]:
    """What was typed and stands in the words or the environment of a program of this desk."""
    told = office.desk.words_and_environments()
    return [secret for secret in office.typed if stands_in(secret, told)]


def stands_in(secret: str, content: bytes) -> bool:
    """Tell whether a secret stands somewhere by itself, and not merely as part of a longer number."""
    return (
        re.search(rb"(?<![0-9A-Za-z])" + re.escape(secret.encode()) + rb"(?![0-9A-Za-z])", content)
        is not None
    )


def nothing_secret_is_left(office: Office) -> None:
    """PIN-1, CARD-8, ALL-4: not in files, words or environments, nor in anything that the browser kept."""
    assert secret_words(office) == []
    found = [
        str(path)
        for path, content in office.desk.files()
        for secret in office.typed
        if stands_in(secret, content)
    ]
    assert found == []
