"""Makes the pictures of the virtual workplace for docs/screens, on a stage of its own."""

import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

from playwright.async_api import Page, async_playwright
from PySide6.QtGui import QImage

from tests.workplace_builders import staged
from tests.workplace_pages import Mouse, make_a_card_and_log_in, see_the_other_pages
from zorgid.kernel.sentences import Language
from zorgid.logs import configure_logs
from zorgid.web.desktop_lines import USUAL_CARDS, USUAL_ORIGIN, DesktopLines

WHO = {
    Language.nl: ("Sanne Elisabeth van der Berg", "leeg-1"),
    Language.en: ("Joris Hendriks", "leeg-2"),
}


def keep_small(png: bytes, file: Path) -> None:
    """Write a picture with as many colours as a page has that is drawn and not photographed."""
    image = QImage.fromData(png).convertToFormat(QImage.Format.Format_RGB32)
    commonest = [colour for colour, _ in Counter(image.constBits().cast("I")).most_common(256)]
    image.convertToFormat(QImage.Format.Format_Indexed8, commonest).save(str(file), "PNG", 0)


async def draw(folder: Path) -> list[str]:
    """Write the picture of every page in both languages; return their names."""
    configure_logs(level="error")
    names: list[str] = []
    as_usual = mock.patch.object(DesktopLines, "of", return_value=DesktopLines(USUAL_ORIGIN, USUAL_CARDS))
    with tempfile.TemporaryDirectory() as place, as_usual:  # no port and folder of this very run
        async with staged(Path(place), None) as stage, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
            )
            for language, (uzi, blank) in WHO.items():

                async def keep(name: str, page: Page, language: Language = language) -> None:
                    names.append(f"workplace-{name}-{language}.png")
                    keep_small(await page.screenshot(full_page=True), folder / names[-1])

                options = {
                    "locale": {"nl": "nl-NL", "en": "en-GB"}[language],
                    "viewport": {"width": 1000, "height": 700},
                }
                others = await browser.new_context(**options)
                other_pages = Mouse(stage, await others.new_page(), language, keep)
                await see_the_other_pages(other_pages, uzi="Willemijn Johanna de Graaf")
                await others.close()
                straight = await browser.new_context(**options)
                way = Mouse(stage, await straight.new_page(), language, keep)
                await make_a_card_and_log_in(way, uzi=uzi, blank=blank)
                await straight.close()
            await browser.close()
    return names
