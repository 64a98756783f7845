"""The walks of the demo: a visitor's browser on one side, the Desktop App's flow in a thread on the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cardkit.errors import CardError
from cardkit.virtual import VirtualReaders
from zorgid.ca.actions import publish_changes
from zorgid.demo.running import DEMO, RunningDemo
from zorgid.demo.scripted import ScriptedPerson
from zorgid.demo.visitor import Page, Visitor, WalkStopped
from zorgid.demo.world import BLANK_CARDS, FIRST_CHIP_SERIAL, blank_name
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import Browser, parse_link
from zorgid.protocol.messages import AttachReply, AttachRequest, IssuanceView
from zorgid.stock import actions as stock
from zorgid.storage.database import Work
from zorgid_desktop import APP_VERSION
from zorgid_desktop.flow.asking import Cancelled, Trouble, Wanted
from zorgid_desktop.flow.cards import FlowStopped, trouble_of
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.server import Platform, PlatformRefused
from zorgid_desktop.texts import sentence

BEGIN: Final = "begin"


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with a page, or with the code and the Dutch sentence of a refusal."""

    page: Page | None = None
    code: str = ""
    sentence: str = ""
    view: IssuanceView | None = None


class Walks:
    """Walks through the running demo."""

    def __init__(self, demo: RunningDemo) -> None:
        self.demo = demo
        self.origin = demo.platform.settings.origin
        self.care = demo.world.places.care_origin
        self.reader = demo.world.reader

    def latest_claims(self) -> Mapping[str, Any]:
        """Return what the care application was told of whoever logged in last."""
        visits = list(self.demo.world.care_application.visits.values())
        return visits[-1].claims if visits else {}

    async def number_of(self, blank: str) -> str:
        """Return the card number of a blank card of the tray."""
        serials = {blank_name(n): str(FIRST_CHIP_SERIAL + n) for n in range(BLANK_CARDS)}
        async with self.work() as work:
            return (await stock.blank_card_by_chip(work, chip_serial=serials[blank])).number

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """Open one transaction, for what support or another room would do in the demo's story."""
        async with self.demo.platform.services.database.work(DEMO) as work:
            yield work

    async def attach_only(self, link_text: str) -> None:
        """Let an app attach to a link and do nothing more."""

        def run() -> None:
            with Platform(self.origin) as platform:
                handle = parse_link(link_text).handle.text_for_wire()
                request = AttachRequest(handle=handle, app_key=platform.app_key, app_version=APP_VERSION)
                platform.call("/attach", request, AttachReply)

        await asyncio.to_thread(run)

    async def publish(self) -> None:
        """Publish the CRL now when something changed, instead of waiting for the outbox."""
        services, authority = self.demo.platform.services, self.demo.platform.hierarchy.smartcard
        await publish_changes(services.database, services.keys, authority, DEMO)

    def person(self, card: str, pin: str) -> ScriptedPerson:
        """Return somebody who logs in with one card of the tray."""
        return ScriptedPerson(self.reader, {Wanted.login_card: card, Wanted.uzi_card: card}, pin=pin)

    async def log_in(self, visitor: Visitor, card: str, pin: str) -> Outcome:
        """Log in at the care application."""
        page = await visitor.open(f"{self.care}/login")
        return await self.prove(visitor, page, self.person(card, pin))

    async def prove(self, visitor: Visitor, page: Page, person: ScriptedPerson) -> Outcome:
        """Run the app for the link on the page, and go on in the same browser."""
        landed: list[Page] = []

        async def complete(address: str) -> None:
            landed.append(await visitor.complete(address))

        outcome = await self.run_app(page.launch_link, person, complete, is_making=False)
        if outcome.code:
            return outcome
        return Outcome(page=landed[0])

    async def run_app(
        self,
        link_text: str,
        person: ScriptedPerson,
        complete: Callable[[str], Awaitable[None]],
        *,
        is_making: bool,
    ) -> Outcome:
        """Run the Desktop App's flow in a thread; `complete` is what opening a browser leads to."""
        loop = asyncio.get_running_loop()

        def open_browser(address: str, _: Browser) -> None:
            asyncio.run_coroutine_threadsafe(_as_coroutine(complete(address)), loop).result()

        def run() -> IssuanceView | None:
            with Platform(self.origin, language=Language.nl) as platform:
                around = Surroundings(
                    platform, VirtualReaders(self.reader), open_browser, lambda: datetime.now(UTC)
                )
                link = parse_link(link_text)
                log_in(around, person, link)
                return make_card(around, person, link) if is_making else None

        try:
            return Outcome(view=await asyncio.to_thread(run))
        except PlatformRefused as refused:
            return Outcome(code=refused.problem.code, sentence=refused.problem.detail)
        except FlowStopped as stopped:
            return _outcome_of(stopped.said)
        except CardError as error:
            return _outcome_of(trouble_of(error))
        except Cancelled:
            return _outcome_of(person.troubles[-1]) if person.troubles else Outcome(code="cancelled")

    async def validate_organisation(self, visitor: Visitor, professional: str) -> Page:
        """Validate the organisation of a professional's card, and return the last page."""
        card = self.demo.world.card(professional)
        page = await visitor.open(f"{self.origin}/portal/validate-organisation")
        page = await visitor.submit(page, "/portal/validate-organisation")
        outcome = await self.prove(visitor, page, self.person(f"uzi-{card.label}", card.pin))
        if outcome.page is None:
            raise WalkStopped(f"valideren geweigerd: {outcome.code} {outcome.sentence}")
        return await visitor.submit(outcome.page, "/portal/validate-organisation/confirm")

    async def try_making(self, visitor: Visitor, person: ScriptedPerson) -> Outcome:
        """Try to make a card from the portal's page on."""
        page = await visitor.open(f"{self.origin}/portal/make-card")
        page = await visitor.submit(page, "/portal/make-card")

        async def complete(address: str) -> None:
            await visitor.complete(address)

        return await self.run_app(page.launch_link, person, complete, is_making=True)

    def maker(self, label: str, *, blank: str, new_pin: str, birth_date: str | None = None) -> ScriptedPerson:
        """Return somebody who makes a card from a test UZI card and a blank one."""
        card = self.demo.world.card(label)
        born = card.person.born_on
        known = f"{born:%d-%m-%Y}" if born else "01-01-1980"
        return ScriptedPerson(
            self.reader,
            {Wanted.uzi_card: f"uzi-{label}", Wanted.blank_card: blank, Wanted.new_card: blank},
            pin=card.pin,
            birth_date=birth_date or known,
            new_pin=new_pin,
        )

    async def make_card(
        self,
        visitor: Visitor,
        label: str,
        *,
        blank: str,
        new_pin: str,
        before_keeping: Callable[[], Awaitable[None]],
    ) -> IssuanceView:
        """Make a card and return its state. Raises `WalkStopped` when it is refused."""
        loop = asyncio.get_running_loop()
        person = self.maker(label, blank=blank, new_pin=new_pin)
        person.before_keeping = lambda: asyncio.run_coroutine_threadsafe(
            _as_coroutine(before_keeping()), loop
        ).result()
        outcome = await self.try_making(visitor, person)
        if outcome.view is None:
            raise WalkStopped(f"aanmaken geweigerd: {outcome.code} {outcome.sentence}")
        return outcome.view

    async def manage(self, visitor: Visitor, professional: str, number: str, act: str, **fields: str) -> Page:
        """Log in at the portal with a Z card and hold, release or revoke a card."""
        card = self.demo.world.card(professional)
        page = await visitor.open(f"{self.origin}/portal/login")
        outcome = await self.prove(visitor, page, self.person(f"uzi-{card.label}", card.pin))
        if outcome.page is None:
            raise WalkStopped(f"inloggen bij het portaal geweigerd: {outcome.code} {outcome.sentence}")
        shown = await visitor.open(f"{self.origin}/portal/cards/{number}")
        wanted = [link for link in shown.links if f"/{act}" in link]
        if not wanted:
            raise WalkStopped(f"geen weg naar {act} op de kaartpagina: {shown.text[:300]}")
        asked = await visitor.open(f"{self.origin}{wanted[0]}")
        done = await visitor.submit(asked, wanted[0], **fields)
        if "/done/" not in done.address:
            raise WalkStopped(f"{act} niet gelukt: {done.text[:300]}")
        return done


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable


def _outcome_of(trouble: Trouble) -> Outcome:
    text = sentence(trouble, Language.nl).text
    return Outcome(code=trouble.code, sentence=text)
