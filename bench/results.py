"""Keeps what was measured, one file a measure, in `bench/taken`: pages and plots are made of nothing else."""

import json
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAKEN = Path(__file__).parent / "taken"
OURS = "zorgid"

Round = Mapping[str, float]
Rounds = Mapping[str, Sequence[Round]]
"""What each round told, by the name of who was asked."""


@dataclass(frozen=True)
class Spread:
    """The median of some runs, with the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of some values."""
        return cls(statistics.median(values), min(values), max(values))

    @classmethod
    def read(cls, kept: Mapping[str, float]) -> "Spread":
        """Return a spread as it was kept."""
        return cls(**kept)

    def text(self, digits: int = 0) -> str:
        """Return `median (least–most)`."""
        return f"{self.median:,.{digits}f} ({self.least:,.{digits}f}–{self.most:,.{digits}f})"


def spreads(rounds: Sequence[Round]) -> dict[str, Spread]:
    """Return the spread of every figure over the rounds."""
    return {key: Spread.of([one[key] for one in rounds]) for key in rounds[0]}


def ratios(rounds: Rounds, figure: str = "rate") -> dict[str, Spread]:
    """Return how many times ours is theirs, by peer: of each round apart, since a busy moment slows both."""
    return {
        name: Spread.of(
            [ours[figure] / peer[figure] for ours, peer in zip(rounds[OURS], theirs, strict=True)]
        )
        for name, theirs in rounds.items()
        if name != OURS
    }


def keep(measure: str, found: Mapping[str, Any], compared: Mapping[str, Spread] | None = None) -> None:
    """Write down what a measure found, on which machine, and what the ratios were the time before."""
    before = kept(measure)
    told = {
        "machine": machine(),
        "found": found,
        "ratios": compared or {},
        "before": {} if before is None else {name: one["median"] for name, one in before["ratios"].items()},
    }
    TAKEN.mkdir(exist_ok=True)
    text = json.dumps(told, indent=1, default=lambda value: value.__dict__, ensure_ascii=False)
    (TAKEN / f"{measure}.json").write_text(f"{text}\n", encoding="utf-8")


def kept(measure: str) -> dict[str, Any] | None:
    """Return what was written down, or None when this measure did not run yet."""
    file = TAKEN / f"{measure}.json"
    if not file.exists():
        return None
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told


def machine() -> dict[str, Any]:
    """Return what says on which machine, and how busy it is with other things."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{_distribution()}, Linux {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "busy": round(busy_cores(), 2),
        "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
    }


def busy_cores(seconds: float = 1.0) -> float:
    """Return how many cores are busy now with whatever runs."""
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    total, idle = (after[i] - before[i] for i in range(2))
    return (total - idle) / max(total, 1) * (os.cpu_count() or 1)


def _ticks() -> tuple[int, int]:
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(fields), fields[3] + fields[4]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
