"""No more tests run at once than the computer has processors for, also where a container hides how many that are."""

from pathlib import Path

import pytest
from tests.workers import MOST, quota_in, workers_for, workers_here


@pytest.mark.parametrize(
    ("processors", "quota", "workers"),
    [
        (1, "", 1),
        (4, "", 4),
        (64, "", MOST),
        (4, "max 100000", 4),
        (4, "-1 100000", 4),
        (64, "200000 100000", 2),
        (64, "150000 100000", 2),
        (64, "50000 100000", 1),
        (2, "800000 100000", 2),
    ],
)
def test_processors_and_what_a_container_may_use_of_them_count(
    processors: int, quota: str, workers: int
) -> None:
    assert workers_for(processors, quota) == workers


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, ""),
        ({"cpu.max": "max 100000\n"}, "max 100000"),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, "200000 100000"),
        ({"cpu/cpu.cfs_quota_us": "200000\n"}, ""),
    ],
)
def test_both_versions_of_control_groups_are_read(tmp_path: Path, files: dict[str, str], quota: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert quota_in(tmp_path) == quota


def test_there_is_at_least_one_here() -> None:
    assert 1 <= workers_here() <= MOST
