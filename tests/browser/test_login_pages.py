"""The pages of a login in a real browser: what they show, that they wait by themselves, and without script."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import visit
from tests.browser.test_portal_pages import picture, violations
from zorgid.app import Running


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
    """ALL-1."""
    visitor = await visit(chromium, running, java_script_enabled=False)
    await visitor.open("/oauth/complete")
    assert await visitor.page.locator("noscript, [data-needs-script]").count() >= 1
