"""Tables and plots of the pages, from figures as they were kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import plots
from bench.house import ROOT
from bench.results import Spread

DOCS = ROOT / "docs"
Found = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A figure of each row: what stands above it, by which name it was kept, and how it is written."""

    head: str
    key: str
    digits: int = 0
    is_alone: bool = False
    """Without the least and the most beside it: these hardly differ."""

    def text(self, row: Found) -> str:
        """Return the figure of one row."""
        kept = row[self.key]
        return f"{kept['median']:.{self.digits}f}" if self.is_alone else spread(kept, self.digits)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def by_count(what: str, columns: Sequence[Column], found: Found) -> str:
    """Return a table of figures that were taken for ever more of something."""
    rows = [(f"{int(count):,}", *(column.text(row) for column in columns)) for count, row in found.items()]
    return table((what, *(column.head for column in columns)), rows)


def spread(kept: Found, digits: int = 0) -> str:
    """Return `median (least–most)`."""
    return Spread.read(kept).text(digits)


def plot(name: str, title: str, bars: Mapping[str, Found], digits: int = 0) -> str:
    """Return the line that shows a plot; the plot itself is written beside the page."""
    drawn = plots.bars(title, {label: Spread.read(one) for label, one in bars.items()}, digits=digits)
    (DOCS / f"performance-{name}.svg").write_text(drawn, encoding="utf-8")
    return f"\n![{title}](performance-{name}.svg)\n"
