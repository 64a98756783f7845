"""The portal in a real browser: every page in both languages, narrow and wide (ALL-1)."""

import os
import re
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Visitor, visit
from tests.portal_builders import World
from zorgid.app import Running

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS = os.environ.get("ZORGID_TEST_SCREENS")
"""A folder for pictures of every page, for people to look at."""


async def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page."""
    await page.evaluate(AXE)
    options = {"runOnly": {"type": "tag", "values": RULES}}
    found = await page.evaluate("options => axe.run(document, options)", options)
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


async def picture(page: Page, name: str) -> None:
    if SCREENS:
        await page.screenshot(path=Path(SCREENS) / f"{name}.png", full_page=True)


def pages_of(world: World) -> dict[str, str]:
    card = f"/portal/cards/{world.card.number}"
    return {
        "start": "/", "cards": "/portal/cards", "card": card, "hold": f"{card}/hold", "revoke": f"{card}/revoke",
        "missing": "/portal/nothing", "make-card": "/portal/make-card",
        "validate": "/portal/validate-organisation",
    }  # fmt: skip


async def log_in(visitor: Visitor, *, has_script: bool = True) -> None:
    """Go through the portal's login; the identity server's page posts by itself, or by its button."""
    await visitor.open("/portal")
    await visitor.page.get_by_role("link", name="Log in").click()
    if not has_script:
        await visitor.page.get_by_role("button").click()
    await visitor.page.wait_for_url("**/portal/cards")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["nl", "en"])
async def test_every_page_is_accessible_and_fits_its_window(
    chromium: Browser, running: Running, world: World, language: str, width: int
) -> None:
    """ALL-1: WCAG 2.2 AA as far as a machine can see, no scrolling sideways at 320 px, nothing refused by policy."""
    visitor = await visit(chromium, running, world.administrator, viewport={"width": width, "height": 700})
    page = visitor.page
    await visitor.open(f"/portal?lang={language}")
    assert await violations(page) == []
    await picture(page, f"front-{language}-{width}")
    await visitor.open("/portal/login")
    await page.wait_for_url("**/portal/cards")
    for name, path in pages_of(world).items():
        visitor.complaints.clear()
        await visitor.open(path)
        assert await page.locator("html").get_attribute("lang") == language
        assert await violations(page) == [], name
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert [one for one in visitor.complaints if "404" not in one] == [], name
        await picture(page, f"{name}-{language}-{width}")


@pytest.mark.parametrize("width", [320, 1280])
async def test_an_act_is_walked_to_its_end_and_back(
    chromium: Browser, running: Running, world: World, width: int
) -> None:
    """LIFE-2, LIFE-3."""
    visitor = await visit(chromium, running, world.administrator, viewport={"width": width, "height": 700})
    page = visitor.page
    await log_in(visitor)
    await page.get_by_role("link", name=world.card.number).click()
    await page.get_by_role("link", name="Blokkeer de kaart").click()
    await page.get_by_role("button", name="Blokkeer de kaart").click()
    await expect(page).to_have_title(re.compile(f"^Fout: Smartcard {world.card.number} blokkeren"))
    await page.wait_for_load_state()
    assert await violations(page) == []
    await picture(page, f"error-{width}")
    await page.get_by_label("Kwijt").check()
    await page.get_by_role("button", name="Blokkeer de kaart").click()
    await arrived(page, f"Smartcard {world.card.number} is geblokkeerd")
    assert await violations(page) == []
    await picture(page, f"held-{width}")
    await page.get_by_role("link", name="Naar de kaart").click()
    await page.wait_for_url(f"**/portal/cards/{world.card.number}")
    assert await violations(page) == []
    await picture(page, f"card-held-{width}")
    await page.get_by_role("link", name="Deblokkeer").click()
    await page.wait_for_url("**/release/**")
    assert await violations(page) == []
    await picture(page, f"release-{width}")
    await page.get_by_role("button", name="Deblokkeer de kaart").click()
    await arrived(page, re.compile("opgeheven"))


async def arrived(page: Page, heading: str | re.Pattern[str]) -> None:
    """Wait for a page that is there as a whole, by its heading."""
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    await page.wait_for_load_state()


async def test_everything_works_without_script_and_without_a_mouse(
    chromium: Browser, running: Running, world: World
) -> None:
    """ALL-1."""
    visitor = await visit(chromium, running, world.administrator, java_script_enabled=False)
    page = visitor.page
    await log_in(visitor, has_script=False)
    await visitor.open(f"/portal/cards/{world.card.number}/hold")
    await press_until(page, "input[type=radio]")
    await page.keyboard.press("Space")
    await press_until(page, "main button")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/done/held**")
    await expect(page.get_by_role("status")).to_have_count(1)


async def press_until(page: Page, selector: str) -> None:
    """Press the tab key until an element has the focus, as somebody without a mouse does."""
    for _ in range(100):
        await page.keyboard.press("Tab")
        if await page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


async def test_the_first_stop_of_the_keyboard_skips_to_the_content(
    chromium: Browser, running: Running, world: World
) -> None:
    visitor = await visit(chromium, running)
    await visitor.open("/")
    await visitor.page.keyboard.press("Tab")
    focused = visitor.page.locator(":focus")
    assert await focused.inner_text() == "Ga naar de inhoud"
    box = await focused.bounding_box()
    assert box is not None
    assert box["x"] >= 0, "the link is seen when it has the focus"
    await visitor.page.keyboard.press("Enter")
    await visitor.page.wait_for_url("**/#content")


async def test_the_language_switch_keeps_the_page(chromium: Browser, running: Running, world: World) -> None:
    visitor = await visit(chromium, running, world.administrator)
    await log_in(visitor)
    await visitor.open(f"/portal/cards/{world.card.number}")
    await visitor.page.get_by_role("link", name="English").click()
    await expect(visitor.page.get_by_role("link", name="Put the card on hold")).to_have_count(1)
    await arrived(visitor.page, f"Smartcard {world.card.number}")


async def test_focus_and_states_are_seen_in_forced_colours(
    chromium: Browser, running: Running, world: World
) -> None:
    visitor = await visit(chromium, running, world.administrator, forced_colors="active")
    await log_in(visitor)
    await visitor.open(f"/portal/cards/{world.card.number}")
    await press_until(visitor.page, "main a.button")
    outline = await visitor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert await visitor.page.get_by_text("Werkt", exact=True).count() == 1
    await picture(visitor.page, "forced-colours")
