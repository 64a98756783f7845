"""Every page of the virtual workplace, by real clicks in a browser; for tests and for the pictures in docs/screens."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from threading import Event

from playwright.async_api import Page, Route

from tests.workplace_builders import Stage
from zorgid.demo.workplace.run import Connect
from zorgid.kernel.sentences import Language
from zorgid_desktop.server import Platform

Note = Callable[[str, Page], Awaitable[None]]
"""Takes note of a page that is shown now, under its name."""

WORDS = {
    Language.nl: {
        "make": "Een Smartcard aanmaken", "begin": "Begin", "workplace": "Gebruik de virtuele werkplek", "sit": "Open een werkplek",
        "put": "Stop in de lezer", "back": "Naar de virtuele werkplek", "pin": "Vul deze test-pincode in",
        "date": "Vul deze testdatum in", "choose": "Kies deze test-pincode", "kept": "Ik heb de pukcode bewaard", "on": "Verder",
        "his": "Naar het Demo-HIS", "log-in": "Inloggen met ZORG-ID", "with": "Ga verder met de kaart in de lezer",
        "out": "Haal de kaart eruit", "done": "Uw Smartcard is klaar", "logged-out": "Uw sessie is voorbij", "cancel": "Annuleer",
        "logged-in": "U bent ingelogd", "stopped": "De app is gestopt", "working": "Even geduld",
    },
    Language.en: {
        "make": "Make a Smartcard", "begin": "Begin", "workplace": "Use the virtual workplace", "sit": "Open a workplace",
        "put": "Put in the reader", "back": "To the virtual workplace", "pin": "Fill in this test PIN",
        "date": "Fill in this test date", "choose": "Choose this test PIN", "kept": "I have kept the PUK", "on": "Continue",
        "his": "To the Demo-HIS", "log-in": "Log in with ZORG-ID", "with": "Go on with the card in the reader",
        "out": "Take the card out", "done": "Your Smartcard is ready", "logged-out": "Your session is over", "cancel": "Cancel",
        "logged-in": "You are logged in", "stopped": "The app has stopped", "working": "One moment",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Mouse:
    """Somebody who has a mouse and no keyboard."""

    stage: Stage
    page: Page
    language: Language
    note: Note

    async def click(self, word: str, *, of: str = "", goes: bool = True) -> None:
        """Click a button or link by its name; `of` names the card that it is about.

        Where it `goes` to a page that stays, wait for that: on a busy computer one comes before it that says to wait.
        """
        text = WORDS[self.language][word]
        name = re.compile(f"^{re.escape(text)}.*{re.escape(of)}" if of else f"^{re.escape(text)}$")
        main = self.page.get_by_role("main")
        found = main.get_by_role("button", name=name).or_(main.get_by_role("link", name=name))
        await found.first.click()
        if goes:
            await (
                self.page.locator("h1").filter(has_not_text=WORDS[self.language]["working"]).first.wait_for()
            )
            await self.page.wait_for_load_state()

    async def sees(self, word: str) -> None:
        """Wait for a heading."""
        await self.page.get_by_role("heading", level=1, name=WORDS[self.language][word]).wait_for()

    async def takes_note(self, name: str) -> None:
        await self.note(name, self.page)


async def make_a_card_and_log_in(mouse: Mouse, *, uzi: str, blank: str) -> None:
    """A newcomer's walk from the start page, by mouse alone, up to pulling the card at the end."""
    page, stage = mouse.page, mouse.stage
    await page.goto(f"{stage.origin}/?lang={mouse.language}")
    await mouse.click("make")
    await mouse.click("begin")
    await mouse.takes_note("login-page")
    await mouse.click("workplace")
    await mouse.takes_note("insert-uzi-card")
    await mouse.click("put", of=uzi)
    await mouse.takes_note("pin")
    await mouse.click("pin", goes=False)
    await page.wait_for_url("**/portal/make-card/progress")
    await mouse.click("back")
    await mouse.takes_note("birth-date")
    await mouse.click("date")
    await mouse.takes_note("insert-blank-card")
    await mouse.click("put", of=blank)
    await mouse.takes_note("choose-pin")
    await mouse.click("choose", goes=False)
    await page.locator("#kept").wait_for()
    await mouse.takes_note("puk")
    await mouse.click("on")
    await mouse.takes_note("puk-not-kept")
    await page.get_by_label(WORDS[mouse.language]["kept"]).click()
    await mouse.click("on", goes=False)
    await mouse.sees("done")
    await mouse.takes_note("card-made")
    await mouse.click("his")
    await log_in(mouse)
    await page.goto(f"{stage.desk}/")
    await mouse.sees("logged-in")
    await mouse.takes_note("logged-in")
    await mouse.click("out", goes=False)
    await mouse.sees("logged-out")
    await mouse.takes_note("logged-out")


async def log_in(mouse: Mouse) -> None:
    """From the care application's front page to its page for who is logged in, with the card in the reader."""
    await mouse.click("log-in")
    await mouse.click("workplace")
    await mouse.takes_note("insert-login-card")
    await mouse.click("with")
    await mouse.takes_note("pin-of-smartcard")
    await mouse.click("pin", goes=False)
    await mouse.page.wait_for_url(f"{mouse.stage.care}/")


async def see_the_other_pages(mouse: Mouse, *, uzi: str) -> None:
    """The pages beside the straight way: empty desk, troubles, waiting, two things at once."""
    page, stage = mouse.page, mouse.stage
    await page.goto(f"{stage.desk}/?lang={mouse.language}")
    await mouse.takes_note("welcome")
    await mouse.click("sit")
    await mouse.takes_note("waiting-for-you")
    await page.goto(f"{stage.care}/login")
    async with held(stage):
        await mouse.click("workplace", goes=False)
        await mouse.sees("working")
        await mouse.takes_note("at-work")
    await page.get_by_role("button", name=WORDS[mouse.language]["cancel"]).wait_for()
    await mouse.click("put", of=uzi)
    await page.locator("#pin").fill("999999")
    await mouse.click("on")
    await mouse.takes_note("pin-wrong")
    await page.locator("#pin").fill("999999")
    await mouse.click("on")
    await mouse.takes_note("pin-last-try")
    await mouse.click("out")
    await mouse.takes_note("card-gone")
    await page.goto(f"{stage.origin}/portal/make-card")
    await mouse.click("begin")
    await mouse.click("workplace")
    await mouse.takes_note("two-at-once")
    await page.goto(f"{stage.desk}/")
    await page.locator("button[value=new]").click()
    await mouse.click("put", of=uzi)
    await mouse.click("pin", goes=False)
    await mouse.sees("stopped")
    await mouse.takes_note("refused")
    await page.goto(f"{stage.care}/login")
    await mouse.click("workplace")
    await mouse.click("with")
    async with kept_here(page, stage):
        await mouse.click("pin")
        await page.locator("a[href*='/oauth/complete']").wait_for()
        await mouse.takes_note("card-read")
    await page.locator("a[href*='/oauth/complete']").click()
    await page.wait_for_url(f"{stage.care}/")
    await page.goto(f"{stage.desk}/")
    await mouse.click("out", goes=False)
    await mouse.sees("logged-out")
    await page.goto(f"{stage.care}/login")
    await mouse.click("workplace")
    await mouse.click("cancel", goes=False)
    await mouse.sees("stopped")
    await mouse.takes_note("stopped")


class held:  # noqa: N801 - reads as a word of the walk
    """Holds the app's way to the platform, so that the page of the app at work can be looked at."""

    def __init__(self, stage: Stage) -> None:
        self._desks = stage.workplace.desks
        self._go = Event()
        self._before = self._desks._parts

    async def __aenter__(self) -> None:
        connect: Connect = self._before.connect

        def wait_first(language: Language) -> Platform:
            self._go.wait(60)
            return connect(language)

        self._desks._parts = replace(self._before, connect=wait_first)
        for desk in self._desks._desks.values():
            desk.parts = self._desks._parts

    async def __aexit__(self, *_: object) -> None:
        self._go.set()
        self._desks._parts = self._before
        for desk in self._desks._desks.values():
            desk.parts = self._before


class kept_here:  # noqa: N801 - reads as a word of the walk
    """Keeps the browser from going on to the platform by itself."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self._page = page
        self._where = f"{stage.origin}/oauth/complete"

    async def __aenter__(self) -> None:
        async def stay(route: Route) -> None:
            await route.fulfill(status=204)

        await self._page.route(self._where, stay)

    async def __aexit__(self, *_: object) -> None:
        await self._page.unroute(self._where)
        await asyncio.sleep(0)
