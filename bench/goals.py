"""The goals, whether they were reached, and how far ratios moved since they were taken before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench import results
from bench.parts import IN_MEMORY, ON_POSTGRES
from bench.tables import table

MOST_MOVED = 0.2
"""How far a ratio may move from one run to the next."""

Kept = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """A figure that was aimed at."""

    text: str
    measure: str
    figure: Callable[[Kept], float]
    aim: float
    shown: str = "{:.2f}"
    is_least: bool = True
    """Whether the aim is the least that is good enough; the most otherwise."""

    def is_reached(self, found: float) -> bool:
        """Tell whether this is good enough."""
        return found >= self.aim if self.is_least else found <= self.aim


def _ratio(name: str) -> Callable[[Kept], float]:
    return lambda kept: float(kept["ratios"][name]["median"])


def _found(name: str) -> Callable[[Kept], float]:
    return lambda kept: float(kept["found"][name]["median"])


def _help_seconds(kept: Kept) -> float:
    return float(kept["found"]["zorgid --help"]["seconds"]["median"])


GOALS = (
    Goal("token requests at least 3 times oidc-provider on PostgreSQL", "token", _ratio(ON_POSTGRES), 3),
    Goal("token requests level with oidc-provider in memory", "token", _ratio(IN_MEMORY), 1),
    Goal("whole logins at least 2 times oidc-provider on PostgreSQL", "login", _ratio(ON_POSTGRES), 2),
    Goal("OCSP over kept connections at least 40 % of nginx", "ocsp", _ratio("kept, nginx"), 0.4),
    Goal(
        "OCSP over new connections level with `openssl ocsp -multi 4`",
        "ocsp",
        _ratio("new, openssl -multi 4"),
        1,
    ),
    Goal("one million CRL entries in 2 seconds", "crl", _found("whole_s"), 2, "{:.1f} s", is_least=False),
    Goal("and in 300 MB", "crl", _found("peak_mb"), 300, "{:.0f} MB", is_least=False),
    Goal("`zorgid --help` in 0.3 s", "commands", _help_seconds, 0.3, "{:.2f} s", is_least=False),
)


def reached() -> str:
    """Return the table of goals; nothing while measures are missing."""
    kept = {goal.measure: results.kept(goal.measure) for goal in GOALS}
    rows = []
    for goal in GOALS:
        told = kept[goal.measure]
        if told is None:
            return ""
        found = goal.figure(told)
        rows.append((goal.text, goal.shown.format(found), "reached" if goal.is_reached(found) else "missed"))
    return table(("goal", "found", ""), rows)


def repeated() -> str:
    """Return the table of ratios that were taken at least twice; nothing without any."""
    rows = [
        (
            f"{measure}: {name}",
            f"{before:.2f}",
            f"{now:.2f}",
            f"{abs(now / before - 1):.0%}",
            f"{one['least']:.2f}–{one['most']:.2f}",
        )
        for measure, told in every_measure().items()
        for name, one in told["ratios"].items()
        if (before := told["before"].get(name)) and (now := one["median"])
    ]
    head = ("ratio", "the time before", "now", "moved", "within one run")
    return table(head, rows) if rows else ""


def moved() -> list[str]:
    """Return the ratios that moved more than they may, each as a sentence."""
    return [
        f"{measure}: {name} was {before:.2f}, is {one['median']:.2f}"
        for measure, told in every_measure().items()
        for name, one in told["ratios"].items()
        if (before := told["before"].get(name)) and abs(one["median"] / before - 1) > MOST_MOVED
    ]


def every_measure() -> dict[str, Kept]:
    """Return all that was kept, by measure."""
    files = sorted(results.TAKEN.glob("*.json"))
    return {file.stem: told for file in files if (told := results.kept(file.stem)) is not None}
