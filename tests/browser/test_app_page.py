"""The download page of the Desktop App in a real browser (INFO-5, ALL-1)."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.app_builders import demo_settings, platform
from tests.browser.conftest import served, visit
from tests.browser.test_portal_pages import picture, violations
from zorgid.web.desktop_lines import USUAL_CARDS, USUAL_ORIGIN, DesktopLines

SUM = "0123456789abcdef" * 4
PACKAGES = {
    "windows": "zorgid-desktop-0.2.0.msi",
    "macos": "zorgid-desktop-0.2.0.pkg",
    "linux": "zorgid-desktop-0.2.0.tar.gz",
}


def downloads(folder: Path) -> Path:
    path = folder / "downloads.toml"
    one = '[[download]]\nsystem = "{}"\naddress = "https://zorg-id.example/app/{}"\nsha256 = "{}"\nsize_bytes = 41234567\n'
    path.write_text('version = "0.2.0"\n' + "".join(one.format(*item, SUM) for item in PACKAGES.items()))
    return path


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("offers", ["usual-demo", "demo", "packages"])
async def test_the_download_page_is_accessible_and_fits_its_window(
    chromium: Browser,
    tmp_path: Path,
    database_url: str,
    offers: str,
    language: str,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if offers == "usual-demo":
        usual = DesktopLines(USUAL_ORIGIN, USUAL_CARDS)
        monkeypatch.setattr(DesktopLines, "of", lambda *_, **__: usual)
    others = {"app_downloads": downloads(tmp_path)} if offers == "packages" else {}
    settings = demo_settings(tmp_path, database_url, **others)
    async with platform(settings, with_worker=False) as running, served(running):
        visitor = await visit(chromium, running, viewport={"width": width, "height": 700})
        await visitor.open(f"/app?lang={language}")
        page = visitor.page
        assert await page.locator("html").get_attribute("lang") == language
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert visitor.complaints == []
        text = await page.inner_text("main")
        assert settings.least_app_version in text
        await picture(page, f"app-{offers}-{language}-{width}")
        links = [await one.get_attribute("href") for one in await page.locator("main a.button").all()]
        if offers == "packages":
            assert links == [f"https://zorg-id.example/app/{name}" for name in PACKAGES.values()]
            assert text.replace(" ", "").count(SUM) == len(PACKAGES)
        else:
            assert links == []
            assert ("scheme register" in text) is (offers == "usual-demo")
        if offers == "demo":
            assert "draait op een andere poort" in text or "runs on another port" in text
