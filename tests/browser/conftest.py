"""A real Chromium for each test that asks for one, and a platform that it can reach."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright, expect

from tests.app_builders import demo_settings, platform
from tests.portal_builders import World, identity_cookie, small_world
from zorgid.app import Running
from zorgid.people.model import Person

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
MOST_MS = 60_000
"""How long anything in a browser is waited for; a busy computer needs more than Playwright gives by itself."""

expect.set_options(timeout=MOST_MS)


async def launched(playwright: Playwright) -> Browser:
    """Start Debian's Chromium, without a screen."""
    program = shutil.which("chromium")
    assert program, "apt install chromium"
    return await playwright.chromium.launch(executable_path=program, args=ARGUMENTS, timeout=2 * MOST_MS)


async def patient_context(browser: Browser, **options: Any) -> BrowserContext:
    """Open a window of nobody yet, in which everything is waited for."""
    context = await browser.new_context(**options)
    context.set_default_timeout(MOST_MS)
    return context


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        browser = await launched(playwright)
        yield browser
        await browser.close()


@pytest.fixture
async def running(tmp_path: Path, database_url: str) -> AsyncIterator[Running]:
    """A platform that answers on its port."""
    async with platform(demo_settings(tmp_path, database_url), with_worker=False) as running, served(running):
        yield running


@asynccontextmanager
async def served(running: Running) -> AsyncIterator[None]:
    """Let a platform answer on its port while the block runs."""
    stop = asyncio.Event()
    serving = asyncio.create_task(running.serve(stop))
    await asyncio.sleep(0)
    while not serving.done() and not await _answers(running):  # noqa: ASYNC110 - the port cannot tell
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        stop.set()
        await serving


async def _answers(running: Running) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", running.settings.listen_port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.fixture
async def world(running: Running) -> World:
    """One organisation, its administrator, an employee with a Smartcard, and somebody from elsewhere."""
    return await small_world(running)


@dataclass
class Visitor:
    """Somebody at a browser, with everything that the browser complained about."""

    context: BrowserContext
    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Collect errors of the console and faults of scripts; violations of the page's policy are among them."""
        self.page.on(
            "console", lambda line: self.complaints.append(line.text) if line.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def open(self, path: str) -> None:
        """Go to a page of the platform."""
        await self.page.goto(f"{self.origin}{path}")


async def visit(browser: Browser, running: Running, person: Person | None = None, **options: Any) -> Visitor:
    """Open a browser window, in which `person` has a session at the identity server."""
    context = await patient_context(
        browser, **{"locale": "nl-NL", "viewport": {"width": 1280, "height": 800}, **options}
    )
    origin = running.settings.origin
    if person is not None:
        cookie = {"name": "zid-session", "value": await identity_cookie(running, person), "url": origin}
        await context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])
    visitor = Visitor(context, await context.new_page(), origin)
    visitor.listen()
    return visitor
