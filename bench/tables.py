"""Tables and plots of the pages, from figures as they were kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import plots
from bench.house import ROOT
from bench.results import Spread

DOCS = ROOT / "docs"
Found = Mapping[str, Any]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def spread(kept: Found, digits: int = 0) -> str:
    """Return `median (least–most)`."""
    return Spread.read(kept).text(digits)


def plot(name: str, title: str, bars: Mapping[str, Found], digits: int = 0) -> str:
    """Return the line that shows a plot; the plot itself is written beside the page."""
    drawn = plots.bars(title, {label: Spread.read(one) for label, one in bars.items()}, digits=digits)
    (DOCS / f"performance-{name}.svg").write_text(drawn, encoding="utf-8")
    return f"\n![{title}](performance-{name}.svg)\n"
