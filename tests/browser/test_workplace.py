"""The virtual workplace in a real Chromium: a card and a login by mouse alone, every page accessible (ALL-1)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.conftest import launched, patient_context
from tests.browser.test_portal_pages import picture, press_until, violations
from tests.workplace_builders import Stage, shared_stage
from tests.workplace_pages import Mouse, make_a_card_and_log_in, see_the_other_pages
from zorgid.kernel.sentences import Language

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDTHS = (320, 1280)
WALKS = {
    Language.nl: (1280, "Sanne Elisabeth van der Berg", "leeg-1"),
    Language.en: (320, "Joris Hendriks", "leeg-2"),
}
"""How wide the window is in each language, who makes a card in it, and of which blank one."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def whole_stage(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with shared_stage(servers, tmp_path_factory) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole_stage: Stage) -> AsyncIterator[Stage]:
    yield whole_stage
    await whole_stage.workplace.desks.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await launched(playwright)
        yield browser
        await browser.close()


async def window(browser: Browser, language: Language, complaints: list[str]) -> Page:
    context = await patient_context(
        browser,
        locale={"nl": "nl-NL", "en": "en-GB"}[language],
        viewport={"width": WALKS[language][0], "height": 800},
    )
    context.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    return await context.new_page()


def judged(stage: Stage, language: Language) -> Any:
    """What looks at each page, narrow and wide: language, accessibility, width, and what it is for."""
    only = {"nl": "alleen voor test-pincodes", "en": "for test PINs only"}[language]

    async def note(name: str, page: Page) -> None:
        assert await page.locator("html").get_attribute("lang") == language, name
        if page.url.startswith(stage.desk):
            assert only in await page.inner_text("main"), name
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            await page.wait_for_function("width => innerWidth === width", arg=width)
            assert await violations(page) == [], name
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
            await picture(page, f"workplace-{name}-{language}-{width}")
        await page.set_viewport_size({"width": WALKS[language][0], "height": 800})

    return note


@pytest.mark.parametrize("language", list(Language))
async def test_a_newcomer_makes_a_card_and_logs_in_by_mouse_alone(
    stage: Stage, browser: Browser, language: Language
) -> None:
    """CARD-1, LOGIN-2, LOGIN-10: no key is touched, in one window, and nobody complains."""
    complaints: list[str] = []
    page = await window(browser, language, complaints)
    await page.context.add_init_script("addEventListener('keydown', () => console.error('a key'), true)")
    _, uzi, blank = WALKS[language]
    mouse = Mouse(stage, page, language, judged(stage, language))
    await make_a_card_and_log_in(mouse, uzi=uzi, blank=blank)
    assert complaints == []
    await page.context.close()


@pytest.mark.parametrize("language", list(Language))
async def test_the_pages_beside_the_straight_way_are_accessible_too(
    stage: Stage, browser: Browser, language: Language
) -> None:
    page = await window(browser, language, [])
    mouse = Mouse(stage, page, language, judged(stage, language))
    await see_the_other_pages(mouse, uzi="Willemijn Johanna de Graaf")
    await page.context.close()


@pytest.mark.parametrize("language", list(Language))
async def test_what_the_care_application_did_is_on_its_page_up_to_the_end_of_the_session_at_zorg_id(
    stage: Stage, browser: Browser, language: Language
) -> None:
    """LOGIN-10, ALL-1: a mandate, logging out, and a portal that asks for a card again."""
    complaints: list[str] = []
    page = await window(browser, language, complaints)
    note = judged(stage, language)
    mouse = Mouse(stage, page, language, note)
    await page.goto(f"{stage.care}/login?lang={language}")
    await mouse.click("workplace")
    await mouse.click("put", of="Willemijn Johanna de Graaf")
    await mouse.click("pin", goes=False)
    await page.wait_for_url(f"{stage.care}/")
    await page.locator("#uzi_number").fill("12")
    await page.locator("form[action='/mandates'] button").click()
    await page.get_by_role("alert").wait_for()
    await note("care-number-wrong", page)
    await page.locator("#uzi_number").fill("900000201")
    await page.locator("form[action='/mandates'] button").click()
    await page.get_by_role("status").wait_for()
    await note("care-mandate-given", page)
    await page.goto(f"{stage.origin}/portal/login")
    await page.wait_for_url("**/portal/cards")
    await page.goto(f"{stage.care}/")
    await page.locator("form[action='/logout'] button").click()
    await page.locator(".done").wait_for()
    await note("care-logged-out", page)
    await page.goto(f"{stage.origin}/portal/login")
    await page.wait_for_url("**/oauth/account/login**")
    assert complaints == []
    await page.context.close()


async def test_logging_out_at_zorg_id_is_a_button_where_there_is_no_script(
    stage: Stage, browser: Browser
) -> None:
    """ALL-1: the session here has ended before; the page says what the button does."""
    context = await patient_context(browser, locale="nl-NL")
    page = await context.new_page()
    mouse = Mouse(stage, page, Language.nl, judged(stage, Language.nl))
    await page.goto(f"{stage.care}/login")
    await mouse.click("workplace")
    await mouse.click("put", of="Willemijn Johanna de Graaf")
    await mouse.click("pin", goes=False)
    await page.wait_for_url(f"{stage.care}/")
    bare = await patient_context(
        browser, locale="nl-NL", java_script_enabled=False, storage_state=await context.storage_state()
    )
    page = await bare.new_page()
    await page.goto(f"{stage.care}/")
    await page.locator("form[action='/logout'] button").click()
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("U bent uitgelogd bij het Demo-HIS")
    await picture(page, "workplace-care-logging-out-nl")
    await page.get_by_role("button", name="Log ook uit bij ZORG-ID").click()
    ended = "Ook uw sessie van het Demo-HIS bij ZORG-ID is beëindigd."
    await expect(page.get_by_role("status")).to_contain_text(ended)
    await bare.close()
    await context.close()


@pytest.mark.parametrize("language", list(Language))
async def test_a_test_date_that_was_refused_is_explained_on_a_page_that_fits(
    stage: Stage, browser: Browser, language: Language
) -> None:
    """ALL-1, ALL-2: somebody stated another date first."""
    who = "Zoë Ayşe Wilhelmina Françoise van ’t Oever-Özdemir Kruithof Zuid"
    page = await window(browser, language, [])
    mouse = Mouse(stage, page, language, judged(stage, language))
    await page.goto(f"{stage.origin}/portal/make-card?lang={language}")
    await mouse.click("begin")
    await mouse.click("workplace")
    await mouse.click("put", of=who)
    await mouse.click("pin", goes=False)
    await page.wait_for_url("**/portal/make-card/progress")
    await stage.rows("update person set birth_on = '1970-01-01' where full_name = %s returning id", who)
    await mouse.click("back")
    await mouse.click("date", goes=False)
    await page.get_by_role("alert").wait_for()
    await mouse.takes_note("birth-date-refused")
    assert await page.locator("button[value=test]").count() == 0
    await page.context.close()


@pytest.mark.parametrize("language", list(Language))
async def test_the_start_page_is_accessible_and_fits_its_window(
    stage: Stage, browser: Browser, language: Language
) -> None:
    """ALL-1: its lines to copy and its table of cards included."""
    page = await window(browser, language, complaints := [])
    await page.goto(f"{stage.origin}/?lang={language}")
    await judged(stage, language)("start", page)
    assert complaints == []
    await page.context.close()


async def test_the_desk_works_by_keyboard_and_without_script(stage: Stage, browser: Browser) -> None:
    """ALL-1: everything but the platform's own page that completes."""
    context = await patient_context(browser, locale="nl-NL", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{stage.desk}/")
    await press_until(page, "main button")
    await page.keyboard.press("Enter")
    await page.locator("button[value=uzi-assistente-linde]").wait_for(state="attached")
    await page.goto(f"{stage.care}/login")
    await press_until(page, "form[action$='/open'] button")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{stage.desk}/**")
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Stop uw kaart in de paslezer")
    await page.wait_for_load_state()
    await press_until(page, "button[value=uzi-assistente-linde]")
    await page.keyboard.press("Enter")
    await expect(heading).to_have_text("Typ de pincode van uw kaart")
    await page.wait_for_load_state()
    await press_until(page, "button[value=test]")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/oauth/complete#*")
    assert "JavaScript" in await page.inner_text("main")
    await context.close()
