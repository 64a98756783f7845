"""Logging in with a card in a real Chromium, with the Desktop App beside it and the care application on another site.

LOGIN-1, LOGIN-2, LOGIN-5, LOGIN-6, ALL-1; docs/desktop-protocol.md. The browser runs on the real clock.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright, expect

from cardkit.virtual import VirtualReaders
from tests.browser.conftest import launched, patient_context
from tests.browser.test_portal_pages import picture, violations
from tests.scenarios.attack_world import EMPLOYEE, App, AttackWorld, SoftwareKey, shared_world
from zorgid.demo.scripted import ScriptedPerson
from zorgid.kernel.clock import system_clock
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import LaunchLink, completion_address, parse_link
from zorgid.web.server import Door, serving
from zorgid_desktop.flow.asking import Wanted
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.server import Platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATE = (
    "CfDJ8CY9cVPPVdpFv3pNBhUSyfQ7ZnZ_Oj9mFh766oRzD_mFlHF9yb9YrQsgHF3T4sj1iaGKhrMFtNZsbfHFjriXQRW5qwEgWH9_b6_KFrX6uY2Tuo"
    "MIyASr2zJqNvYSVlwNKm_7z6d2oHJfFm9n3oIsEfOCYZhgityAR1RPnEUAmAUzzS-K5y1Igs7sTJkW_vNNtYcLdRIZ9YHOJizsl7X0IV1F8F8OUxu_QvdQMc"
    "8tFteh7FeU-PNSswjXqu0yBjBEbRJvKNjEeJBvkEOFk6CfQNLKGcNSbGyaP-WWIgKm5dHiT8t4_xrUq24sjQdBu4ilcXRimDKF7sqVW3yPcynHjA8dCXilPH2"
    "qqMqmybb5-VVTZ83vtYRMcHUkPx8xNPdcp2ddYInXxCMspInpCCO5jOk"
)
PRINTED = (
    "https://productie.zorg-id.nl/oauth/account/login?ReturnUrl=%2Foauth%2Fconnect%2Fauthorize%3Fclient_id%3Duser-management%26"
    "redirect_uri%3Dhttps%253A%252F%252Fproductie.zorg-id.nl%252Fportal%252Fsignin-oidc%26response_type%3Dcode%26scope%3Dopenid"
    "%2520profile%2520api%26code_challenge%3DFF54-yjy1psbBfq4DCMZwBCmthCmQQPlK3aCHWSmE8s%26code_challenge_method%3DS256%26"
    "response_mode%3Dform_post%26nonce%3D638975156847216595.NmZjNDk3MjktYmEyMS00ODkwLTg4ZGYtMjE1ZTljNDI3YTY1OWExYjdmOTktNDRiYS00"
    f"Y2U3LWIzOTItYWEzMzZkZGIxMWU2%26state%3D{STATE}%26x-client-SKU%3DID_NET9_0%26x-client-ver%3D8.7.0.0"
)
"""The link that is printed in the manual of the Smartcard, character for character."""


@dataclass
class Stage:
    """The platform and the care application on their ports, and a Chromium."""

    world: AttackWorld
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def care(self) -> str:
        return self.world.world.places.care_origin

    async def window(self, **options: Any) -> "Window":
        context = await patient_context(self.browser, **{"locale": "nl-NL", **options})
        self.contexts.append(context)
        return Window(self, context, await context.new_page()).listening()

    def app(self) -> App:
        client = httpx.AsyncClient(base_url=self.world.origin, trust_env=False, timeout=30)
        self.world.stack.append(client)
        return App(client, self.world.origin)


@dataclass
class Window:
    """One browser of one person, with everything that it complained about and every request that it made."""

    stage: Stage
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def listening(self) -> "Window":
        self.context.on(
            "console", lambda line: self.complaints.append(line.text) if line.type == "error" else None
        )
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108 - its builtin has no room for playwright
        return self

    async def link(self) -> LaunchLink:
        """The link to the app on the page that is shown."""
        address = await self.page.locator("[data-launch]").get_attribute("href")
        assert address is not None
        return parse_link(address)

    async def complete(self, address: str, ends_at: str) -> Page:
        """Open the address that the app opens, in a new tab, and wait until it has come to where that ends."""
        tab = await self.context.new_page()
        await tab.goto(address)
        await tab.wait_for_url(ends_at)
        return tab

    async def run_app(self, label: str, landing: "Window", ends_at: str) -> Page:
        """Let the Desktop App's own flow do this page's login in a thread; it opens the browser `landing`."""
        world, link, tabs = self.stage.world, await self.link(), []
        card, loop = world.world.card(label), asyncio.get_running_loop()
        person = ScriptedPerson(world.world.reader, {Wanted.login_card: f"uzi-{label}"}, pin=card.pin)

        def open_browser(address: str, _: object) -> None:
            completing = asyncio.run_coroutine_threadsafe(landing.complete(address, ends_at), loop)
            tabs.append(completing.result(120))

        def run() -> None:
            with Platform(world.origin, language=Language.nl) as platform:
                log_in(
                    Surroundings(platform, VirtualReaders(world.world.reader), open_browser, system_clock),
                    person,
                    link,
                )

        await asyncio.to_thread(run)
        return tabs[0]

    def shown(self, state: str) -> Any:
        """The part of the login page for a state, as far as it is seen."""
        return self.page.locator(f"[data-state~={state}]:not(form):visible")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def whole_stage(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stop = asyncio.Event()
    async with shared_world(servers, tmp_path_factory, clock=system_clock) as world:
        places = world.world.places
        care = Door(world.world.care_application.app(), "127.0.0.1", places.care_port)
        served = asyncio.create_task(world.running.serve(stop))
        async with serving(care, stop_within_seconds=5), async_playwright() as playwright:
            browser = await launched(playwright)
            async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
                while True:
                    try:
                        await client.get(f"{world.origin}/health")
                        break
                    except httpx.ConnectError:
                        await asyncio.sleep(0.02)
            yield Stage(world, browser)
            await browser.close()
        stop.set()
        await served


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole_stage: Stage) -> AsyncIterator[Stage]:
    yield whole_stage
    while whole_stage.contexts:
        await whole_stage.contexts.pop().close()


def key_of(stage: Stage) -> SoftwareKey:
    return stage.world.card(EMPLOYEE)


async def test_the_printed_request_works_as_it_stands(stage: Stage) -> None:
    """LOGIN-1: the very link of the manual, only its host replaced by this one."""
    window = await stage.window()
    origin = stage.world.origin
    encoded = origin.replace(":", "%253A").replace("/", "%252F")
    address = PRINTED.replace("https%253A%252F%252Fproductie.zorg-id.nl", encoded)
    await window.page.goto(address.replace("https://productie.zorg-id.nl", origin))
    assert window.page.url == f"{origin}/oauth/account/login"
    assert await window.page.get_by_role("heading", level=1).inner_text() == "Inloggen met uw kaart"
    await window.run_app(EMPLOYEE, window, f"{origin}/portal/signin-oidc")
    (posted,) = [one for one in window.requests if one.url == f"{origin}/portal/signin-oidc"]
    answer = {
        name: values[0] for name, values in parse_qs(posted.post_data or "", strict_parsing=True).items()
    }
    assert answer["state"] == STATE
    assert answer["iss"] == f"{origin}/oauth"
    assert len(answer["code"]) == 43
    assert set(answer) == {"state", "iss", "code"}
    refused_by_portal = [line for line in window.complaints if "Failed to load resource" in line]
    assert (
        window.complaints == refused_by_portal
    )  # it began no login with this state, and says so on its page


async def test_a_login_at_the_care_application_goes_between_two_sites(stage: Stage) -> None:
    """The answer is posted from localhost to 127.0.0.1; both tabs end well, and nobody complains."""
    window = await stage.window()
    await window.page.goto(f"{stage.care}/login")
    await window.shown("new").wait_for()
    tab = await window.run_app(EMPLOYEE, window, f"{stage.care}/")
    assert stage.world.world.card(EMPLOYEE).person.names.full_name in await tab.inner_text("body")
    await window.shown("completed").wait_for()
    assert window.complaints == []


async def test_neither_handle_nor_code_ever_stands_in_an_address_or_in_the_history(stage: Stage) -> None:
    """ALL-4: the secrets travel in the fragment and are gone from it at once."""
    window = await stage.window()
    await window.page.goto(f"{stage.care}/login")
    link = await window.link()
    code = await stage.app().prove(link, key_of(stage))
    address = completion_address(stage.world.origin, link.handle, code)
    tab = await window.complete(address, f"{stage.care}/")
    secrets = {link.handle.text_for_wire(), code.text_for_wire()}
    for request in window.requests:
        address = request.url.partition("#")[0]
        assert not any(secret in address for secret in secrets)
        assert not any(secret in request.headers.get("referer", "") for secret in secrets)
    await tab.go_back()
    assert not any(secret in tab.url for secret in secrets)


async def test_a_completion_in_another_browser_says_where_to_go_and_stops_the_login(stage: Stage) -> None:
    """LOGIN-5: the victim's own browser opens what an attacker began."""
    attacker, victim = await stage.window(), await stage.window()
    await attacker.page.goto(f"{stage.care}/login")
    with pytest.raises(FlowStopped) as stopped:
        await attacker.run_app(EMPLOYEE, victim, f"{stage.world.origin}/oauth/complete")
    assert stopped.value.said.code == "login-aborted"
    tab = victim.context.pages[-1]
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Dit begon in een andere browser")
    await expect(tab).to_have_title("Dit begon in een andere browser – ZORG-ID")
    assert "Begin opnieuw in de browser" in await tab.locator("[data-part=refused]:visible").inner_text()
    await expect(tab.get_by_role("link", name="Naar het begin")).to_be_visible()
    await expect(tab.get_by_role("link", name="Begin opnieuw")).to_have_count(0)
    await picture(tab, "completion-other-browser")
    assert await violations(tab) == []
    await attacker.shown("aborted").wait_for()
    await attacker.page.goto(f"{stage.care}/")
    assert stage.world.world.card(EMPLOYEE).person.names.full_name not in await attacker.page.inner_text(
        "body"
    )
    assert [line for line in victim.complaints if "403" not in line] == []
    assert attacker.complaints == []


async def test_the_waiting_page_follows_the_app_without_being_loaded_again(stage: Stage) -> None:
    """Waiting, attached, proved, completed; every state can be read and fits an accessibility check."""
    window = await stage.window()
    await window.page.goto(f"{stage.care}/login")
    link, app = await window.link(), stage.app()
    loads = len([one for one in window.requests if one.is_navigation_request()])
    assert await violations(window.page) == []
    await app.attach(link)
    await window.shown("attached").wait_for()
    assert await violations(window.page) == []
    code = await app.prove(link, key_of(stage))
    await window.shown("proved").wait_for()
    assert await violations(window.page) == []
    await expect(window.page.get_by_role("button", name="Annuleer")).to_have_count(0)
    assert len([one for one in window.requests if one.is_navigation_request()]) == loads
    await window.complete(completion_address(stage.world.origin, link.handle, code), f"{stage.care}/")
    await window.shown("completed").wait_for()
    assert window.complaints == []


async def test_a_login_can_be_cancelled_on_the_page(stage: Stage) -> None:
    window = await stage.window()
    await window.page.goto(f"{stage.care}/login")
    link, app = await window.link(), stage.app()
    await app.attach(link)
    await window.page.get_by_role("button", name="Annuleer").click()
    await window.shown("cancelled").wait_for()
    assert (await app.try_attach(link)).status_code == 409
    assert window.complaints == []


async def test_the_login_page_works_without_script(stage: Stage) -> None:
    """ALL-1: the page loads itself again; only the page that completes needs script, and says so."""
    window = await stage.window(java_script_enabled=False)
    await window.page.goto(f"{stage.care}/login")
    await window.shown("new").wait_for()
    assert await window.page.locator("noscript meta[http-equiv=refresh]").count() == 1
    link, app = await window.link(), stage.app()
    await app.attach(link)
    await window.shown("attached").wait_for()
    code = await app.prove(link, key_of(stage))
    address = completion_address(stage.world.origin, link.handle, code)
    tab = await window.complete(address, address)
    assert "JavaScript" in await tab.inner_text("main")
    other = await stage.window(java_script_enabled=False)
    await other.page.goto(f"{stage.care}/login")
    await other.page.get_by_role("button", name="Annuleer").click()
    await other.shown("cancelled").wait_for()


async def test_the_pages_speak_english_to_who_asks(stage: Stage) -> None:
    window = await stage.window(locale="en-GB")
    await window.page.goto(f"{stage.care}/login")
    assert await window.page.locator("html").get_attribute("lang") == "en"
    assert await window.page.get_by_role("heading", level=1).inner_text() == "Log in with your card"
    assert await violations(window.page) == []
    assert window.complaints == []
