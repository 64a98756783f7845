"""Draws bars as SVG: medians, with a line from the least to the most; readable in light and in dark."""

from collections.abc import Mapping
from html import escape

from bench.results import Spread

WIDTH, LABEL, LINE, TOP = 720, 290, 34, 40
ROOM_FOR_FIGURES = 110


def bars(title: str, values: Mapping[str, Spread], *, digits: int = 0) -> str:
    """Return a plot of one bar for each value."""
    most = max((value.most for value in values.values()), default=1.0) or 1.0
    scale = (WIDTH - LABEL - ROOM_FOR_FIGURES) / most
    height = TOP + LINE * len(values) + 10
    drawn = "".join(
        _bar(TOP + LINE * row, name, value, scale, digits) for row, (name, value) in enumerate(values.items())
    )
    told = "; ".join(f"{name}: {value.median:,.{digits}f}" for name, value in values.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' font-family="sans-serif" font-size="14"><title>{escape(title)} - {escape(told)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="10" y="24" font-weight="bold" fill="#111">{escape(title)}</text>{drawn}</svg>\n'
    )


def _bar(top: int, name: str, value: Spread, scale: float, digits: int) -> str:
    middle = top + LINE / 2
    end = LABEL + value.median * scale
    least, most = LABEL + value.least * scale, LABEL + value.most * scale
    return (
        f'<text x="{LABEL - 8}" y="{middle + 5:.0f}" text-anchor="end" fill="#111">{escape(name)}</text>'
        f'<rect x="{LABEL}" y="{top + 6}" width="{max(end - LABEL, 1):.1f}" height="{LINE - 12}"'
        f' fill="#1d70b8"/><line x1="{least:.1f}" x2="{most:.1f}" y1="{middle:.0f}" y2="{middle:.0f}"'
        f' stroke="#111" stroke-width="2"/>'
        f'<text x="{most + 8:.1f}" y="{middle + 5:.0f}" fill="#111">{value.median:,.{digits}f}</text>'
    )
