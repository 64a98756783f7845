"""How many tests run at once where nobody says it: as many as this run has processors, up to a few."""

import os
from pathlib import Path

MOST = 8
"""Each has a PostgreSQL of its own, and some a browser: more of them wait for memory and disk."""

CGROUPS = Path("/sys/fs/cgroup")


def workers_here() -> int:
    """Return how many tests may run at once on this computer."""
    return workers_for(len(os.sched_getaffinity(0)), quota_in(CGROUPS))


def workers_for(processors: int, quota: str) -> int:
    """Return how many tests may run at once; `quota` is the time and the period of a container (cgroups(7)).

    A container sees all processors of its host, and may use a part of their time.
    """
    time, _, period = quota.partition(" ")
    if time.isdigit() and period.isdigit():
        processors = min(processors, -(-int(time) // int(period)))
    return max(1, min(processors, MOST))


def quota_in(cgroups: Path) -> str:
    """Return what cgroups of the second or the first version say of processors; nothing where there are none."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        files = [cgroups / name for name in names]
        if all(file.is_file() for file in files):
            return " ".join(file.read_text(encoding="ascii").strip() for file in files)
    return ""
