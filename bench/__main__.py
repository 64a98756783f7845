"""`python -m bench [MEASURE …]`: runs measures in turn and writes their figures into the pages."""

import argparse
import importlib
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Final, NamedTuple

from bench import goals, page

FEW: Final = 3
MANY: Final = 7
"""For ratios between servers that both wait for the disk: three rounds moved by a quarter from run to run."""


class Measure(NamedTuple):
    """The function of a measure, in `bench.measures`, and the rounds of which the median counts."""

    function: str
    rounds: int = FEW


MEASURES: Final = {
    "commands": Measure("commands.run"),
    "pieces": Measure("pieces.run", MANY),
    "crl": Measure("crl.run"),
    "ocsp": Measure("ocsp.run"),
    "token": Measure("logins.run_token", MANY),
    "login": Measure("logins.run_login", MANY),
    "waiting": Measure("waiting.run"),
    "cards": Measure("cards.run"),
    "list": Measure("growing.run_cards"),
    "clients": Measure("growing.run_clients"),
    "crowd": Measure("growing.run_crowd"),
    "nodes": Measure("growing.run_nodes", MANY),
    "reader": Measure("reader.run"),
}


def main() -> None:
    """Run what was asked for, or everything."""
    asked = argparse.ArgumentParser(prog="bench", description="Measures the platform beside its peers.")
    asked.add_argument(
        "measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)}; all by default"
    )
    asked.add_argument(
        "--runs", type=int, help=f"rounds of which the median counts; by default {FEW} or {MANY}"
    )
    asked.add_argument("--repeat", type=int, default=1, help="so often; tells how far ratios moved")
    asked.add_argument("--page-only", action="store_true", help="only write the figures that were kept")
    told = asked.parse_args()
    if unknown := [name for name in told.measures if name not in MEASURES]:
        asked.error(f"no measure is called {', '.join(unknown)}")
    signal.signal(signal.SIGTERM, _end)  # so that servers and their data are cleared away
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    failed: list[str] = []
    for _ in range(0 if told.page_only else told.repeat):
        failed += [name for name in told.measures or MEASURES if not measured(name, told.runs)]
    page.write()
    for sentence in goals.moved():
        print(f"moved by more than {goals.MOST_MOVED:.0%}: {sentence}")
    require_all(failed)


def require_all(failed: Sequence[str]) -> None:
    """End loudly when a measure did not hold."""
    if failed:
        sys.exit(f"FAILED, and gave no figures: {', '.join(failed)}")


def measured(name: str, runs: int | None) -> bool:
    """Run a measure and tell whether it held; one that fails says why, and the others go on."""
    begun = time.monotonic()
    measure = MEASURES[name]
    module, _, function = measure.function.partition(".")
    try:
        getattr(importlib.import_module(f"bench.measures.{module}"), function)(runs or measure.rounds)
    except Exception:  # noqa: BLE001 - whatever went wrong, it gives no figures
        traceback.print_exc()
        return False
    print(f"{name}: measured in {time.monotonic() - begun:.0f} s", flush=True)
    return True


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


if __name__ == "__main__":
    main()
