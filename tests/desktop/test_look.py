"""The windows have the colours of the portal, and their text can be read (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

from zorgid_desktop.windows import look

SHEET = Path(__file__).parents[2] / "src/zorgid/web/static/zorgid.css"
TEXT = 4.5
SHAPE = 3.0


def light(colour: str) -> float:
    """The relative luminance. Source: WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    "name",
    [
        "INK",
        "INK_SOFT",
        "PAPER",
        "PAPER_SHADE",
        "LINE",
        "BRAND",
        "ACTION",
        "DANGER",
        "DANGER_PAPER",
        "WARN_PAPER",
        "GOOD_PAPER",
        "FOCUS",
    ],
)
def test_each_colour_is_the_portals(name: str) -> None:
    token = name.lower().replace("_", "-")
    found = re.search(rf"--{token}: (#[0-9a-f]{{6}});", SHEET.read_text(encoding="utf-8"))
    assert found is not None
    assert getattr(look, name) == found[1]


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (look.INK, look.PAPER),
        (look.INK, look.PAPER_SHADE),
        (look.INK, look.DANGER_PAPER),
        (look.INK, look.WARN_PAPER),
        (look.INK, look.GOOD_PAPER),
        (look.INK_SOFT, look.PAPER),
        (look.INK_SOFT, look.PAPER_SHADE),
        (look.INK_SOFT, look.GOOD_PAPER),
        (look.BRAND_INK, look.BRAND),
        (look.ACTION_INK, look.ACTION),
        (look.FOCUS_INK, look.FOCUS),
    ],
)
def test_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    assert contrast(text, ground) >= TEXT


@pytest.mark.parametrize("ground", [look.PAPER, look.PAPER_SHADE])
@pytest.mark.parametrize("shape", [look.LINE, look.FOCUS_INK, look.DANGER, look.ACTION, look.BRAND])
def test_borders_and_focus_stand_out_from_the_page(shape: str, ground: str) -> None:
    assert contrast(shape, ground) >= SHAPE
