"""Asks one address again and again with wrk from Debian, which spends far less than any server here."""

import resource
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).parent / "report.lua"


@dataclass(frozen=True)
class Asked:
    """What wrk saw: answers in so many seconds, and microseconds for half and for 99 in a hundred."""

    answers: int
    seconds: float
    errors: int
    half_us: float
    most_us: float
    generator_cpu_s: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def ask(
    url: str, *, connections: int, seconds: float, headers: Mapping[str, str] | None = None, threads: int = 1
) -> Asked:
    """Keep so many connections busy for so long. An answer that is no 200 counts as an error."""
    command = ["wrk", "-t", threads, "-c", connections, "-d", f"{seconds:.0f}s", "-s", SCRIPT]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    before = _children_cpu()
    done = subprocess.run([str(part) for part in [*command, url]], capture_output=True, text=True, check=True)
    told = [float(word) for word in done.stdout.rpartition("measured ")[2].split()]
    return Asked(int(told[0]), told[1] / 1e6, int(told[2]), told[3], told[4], _children_cpu() - before)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
