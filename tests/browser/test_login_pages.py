"""The pages of a login in a real browser: what they show, that they wait by themselves, and without script."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import visit
from tests.browser.test_portal_pages import picture, violations
from zorgid.app import Running
from zorgid.protocol.links import parse_link


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["nl", "en"])
async def test_the_waiting_page_is_accessible_and_its_policy_lets_it_wait(
    chromium: Browser, running: Running, language: str, width: int
) -> None:
    """ALL-1; docs/desktop-protocol.md, chapter 6."""
    visitor = await visit(chromium, running, viewport={"width": width, "height": 700})
    await visitor.open(f"/portal?lang={language}")
    async with visitor.page.expect_request("**/oauth/account/login/events"):
        await visitor.open("/portal/login")
    assert visitor.page.url.endswith("/oauth/account/login")
    assert await visitor.page.locator("html").get_attribute("lang") == language
    assert await violations(visitor.page) == []
    assert await visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visitor.complaints == []
    await picture(visitor.page, f"login-{language}-{width}")


async def test_the_page_that_completes_a_login_takes_the_secret_out_of_the_address(
    chromium: Browser, running: Running
) -> None:
    """ALL-4: neither the history nor a server sees what stood in the fragment."""
    visitor = await visit(chromium, running)
    addresses: list[str] = []
    visitor.page.on("request", lambda request: addresses.append(request.url))
    await visitor.open("/oauth/complete#aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
    await visitor.page.wait_for_function("() => location.hash === ''")
    assert all("bbbb" not in address for address in addresses)
    assert await violations(visitor.page) == []


async def test_a_login_can_be_cancelled_without_script(chromium: Browser, running: Running) -> None:
    visitor = await visit(chromium, running, java_script_enabled=False)
    await visitor.open("/portal/login")
    await visitor.page.locator("main form button").click()
    await visitor.page.wait_for_url("**/oauth/account/login**")
    await expect(visitor.page.locator("[data-state~=cancelled]")).to_be_visible()
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_count(1)


async def test_only_the_completion_page_needs_script_and_says_so(chromium: Browser, running: Running) -> None:
    """ALL-1, ALL-2: and a browser that began nothing hears that, in place of a card that was read."""
    visitor = await visit(chromium, running, java_script_enabled=False)
    heading = visitor.page.get_by_role("heading", level=1)
    await visitor.open("/oauth/complete")
    await expect(heading).to_have_text("Dit begon in een andere browser")
    await expect(visitor.page).to_have_title("Dit begon in een andere browser – ZORG-ID")
    await expect(visitor.page.get_by_role("link", name="Naar het begin")).to_be_visible()
    await visitor.open("/portal/login")
    await visitor.open("/oauth/complete")
    await expect(heading).to_have_text("Deze pagina heeft JavaScript nodig")
    await visitor.page.get_by_role("link", name="Begin opnieuw").click()
    await expect(heading).to_have_text("Inloggen met uw kaart")


HEADINGS = {
    "nl": ("Deze login is niet meer geldig", "Begin opnieuw", "Inloggen met uw kaart"),
    "en": ("This login is not valid any more", "Begin again", "Log in with your card"),
}


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["nl", "en"])
async def test_a_login_that_cannot_be_completed_says_so_in_heading_and_title_and_leads_on(
    chromium: Browser, running: Running, language: str, width: int
) -> None:
    """ALL-1, ALL-2: the code was used, or its minute is over; the login can be begun again from there."""
    refused, again, begun = HEADINGS[language]
    visitor = await visit(chromium, running, viewport={"width": width, "height": 700})
    page, heading = visitor.page, visitor.page.get_by_role("heading", level=1)
    await visitor.open(f"/portal?lang={language}")
    await visitor.open("/portal/login")
    link = parse_link(str(await page.locator("[data-launch]").get_attribute("href")))
    await visitor.open(f"/oauth/complete#{link.handle.text_for_wire()}.{'b' * 43}")
    await expect(heading).to_have_text(refused)
    await expect(page).to_have_title(f"{refused} – ZORG-ID")
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await picture(page, f"completion-refused-{language}-{width}")
    await page.get_by_role("link", name=again).click()
    await expect(heading).to_have_text(begun)


async def test_who_cannot_reach_the_platform_to_complete_reads_that_and_can_begin_again(
    chromium: Browser, running: Running
) -> None:
    """ALL-2."""
    visitor = await visit(chromium, running)
    await visitor.page.route(
        "**/oauth/complete",
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    await visitor.open(f"/oauth/complete#{'a' * 22}.{'b' * 43}")
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Dit is niet gelukt")
    await visitor.page.get_by_role("link", name="Begin opnieuw").click()
    await visitor.page.wait_for_url(f"{visitor.origin}/")
