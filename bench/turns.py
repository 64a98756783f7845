"""Asks several servers in turns, there and back again, so that what else the machine does slows all alike."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from bench.results import Round


class Named(Protocol):
    """Somebody who takes turns."""

    @property
    def name(self) -> str:
        """How the findings call them."""
        ...


One = TypeVar("One", bound=Named)


def in_turns(
    all_of_them: Sequence[One], runs: int, ask: Callable[[One, int], Round]
) -> dict[str, list[Round]]:
    """Let each be asked once a round, every second round the other way about; return what was told, by name.

    Round 0 warms up and does not count; `ask` gets the number of the round.
    """
    told: dict[str, list[Round]] = {one.name: [] for one in all_of_them}
    for number in range(runs + 1):
        for one in all_of_them if number % 2 else reversed(all_of_them):
            seen = ask(one, number)
            if number:
                told[one.name].append(seen)
    return told
