"""How long each command takes to start or to do its least, and how much memory it has at most."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import results
from bench.house import House, house
from bench.processes import peak_memory_mb, serving
from bench.results import Spread

PROGRAMS = Path(sys.executable).parent
PYTHON = [sys.executable, "-c", "pass"]

SMALL_PARENT = """
import os, sys, time
begun = time.perf_counter()
child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(time.perf_counter() - begun, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A process counts the memory of the one that it was forked from, so that one must be small."""


def run(runs: int) -> None:
    """Measure and keep the findings."""
    with house("commands") as made:
        told: dict[str, list[tuple[float, float]]] = {}
        for number in range(runs + 1):
            for name, spent in _round(made):
                if number:  # the first round fills the caches of the disk
                    told.setdefault(name, []).append(spent)
    found = {
        name: {
            "seconds": Spread.of([seconds for seconds, _ in rounds]),
            "memory_mb": Spread.of([memory for _, memory in rounds]),
        }
        for name, rounds in told.items()
    }
    results.keep("commands", found)
    for name, one in found.items():
        print(f"{name}: {one['seconds'].text(2)} s, {one['memory_mb'].text()} MB")


def _round(made: House) -> Iterator[tuple[str, tuple[float, float]]]:
    """Run each command once; with what there is to do in an empty house that was made."""
    yield "python -c pass", finished(PYTHON, {})
    for line in ("zorgid --help", "zorgid-desktop --help"):
        program, *rest = line.split()
        yield line, finished([str(PROGRAMS / program), *rest], {})
    no_cards = ["--cards-folder", str(made.folder / "cards")]  # what readers there are is another matter
    desktop = str(PROGRAMS / "zorgid-desktop")
    yield "zorgid-desktop cards --json", finished([desktop, *no_cards, "cards", "--json"], {})
    for line in ("zorgid migrate", "zorgid crl publish", "zorgid audit verify"):
        program, *rest = line.split()
        yield line, finished([str(PROGRAMS / program), *rest], made.environment)
    yield "zorgid serve, until it answers", _serve(made)
    yield "zorgid worker, until it listens", _work(made)


def finished(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command to its end; return its seconds and the MB that it had at most."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", SMALL_PARENT, *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kibibytes = done.stdout.split()
    return float(seconds), float(kibibytes) * 1.024 / 1000


def _serve(made: House) -> tuple[float, float]:
    begun = time.perf_counter()
    with made.running() as server:
        return time.perf_counter() - begun, peak_memory_mb(server.process_id)


def _work(made: House) -> tuple[float, float]:
    command, log = [str(PROGRAMS / "zorgid"), "worker"], made.folder / "worker.log"

    def listens() -> bool:
        return bool(made.ask("select from pg_stat_activity where query ilike %s", "listen %"))

    begun = time.perf_counter()
    with serving(command, 0, log=log, env=made.environment, is_ready=listens) as server:
        return time.perf_counter() - begun, peak_memory_mb(server.process_id)
