"""Writes the kept figures into the pages, between their marks, and plots beside them."""

import re
from collections.abc import Callable, Mapping

from bench import goals, growth, parts, results
from bench.tables import DOCS, Found

PAGES = (DOCS / "performance.md", DOCS / "growth.md")
MARKED = re.compile(r"(<!-- made by make bench: (\w+) -->\n).*?(<!-- until here -->)", re.DOTALL)

OF_ONE_MEASURE: Mapping[str, Callable[[Found], str]] = {**parts.PARTS, **growth.PARTS}
OF_ALL: Mapping[str, Callable[[], str]] = {
    "goals": goals.reached,
    "repeated": goals.repeated,
    "reckoned": growth.reckoned,
    "revoked": lambda: growth.revoked(kept["found"]) if (kept := results.kept("crl")) else "",
}


def write() -> None:
    """Fill every part of the pages that has figures; the others stay as they are."""
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


def filled(text: str) -> str:
    """Return a page with every part that has figures."""

    def part(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        made = of_all() if (of_all := OF_ALL.get(name)) else _of_measure(name)
        return f"{begin}\n{made}\n{end}" if made else match.group(0)

    return MARKED.sub(part, text)


def _of_measure(name: str) -> str:
    kept = results.kept(name)
    return f"{OF_ONE_MEASURE[name](kept['found'])}\n{machine(kept['machine'])}\n" if kept else ""


def machine(told: Found) -> str:
    """Return one sentence on the machine."""
    return (
        f"*{told['at']} UTC; {told['processor']}, {told['cores']} cores, {told['system']}, Python"
        f" {told['python']}; just after the measure {told['busy']:.1f} cores were busy with other work"
        f" (load {told['load']:.1f}).*"
    )
