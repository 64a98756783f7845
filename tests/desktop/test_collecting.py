"""Cycles are collected on Qt's thread only, so that no widget is ended on another one (ALL-2)."""

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from tests.desktop.driving import until

from zorgid_desktop.windows.collecting import Collector


class Cycle:
    """Something that only the collector can end; it tells on which thread it ended."""

    ended_on: list[int]

    def __init__(self, ended_on: list[int]) -> None:
        self.itself = self
        self.ended_on = ended_on

    def __del__(self) -> None:
        self.ended_on.append(threading.get_ident())


@pytest.fixture
def collector(application: QApplication) -> Iterator[Collector]:
    running = Collector(application)
    yield running
    running.stop()


def make_garbage(ended_on: list[int]) -> None:
    Cycle(ended_on)
    for _ in range(5 * gc.get_threshold()[0]):
        cycle: list[object] = []
        cycle.append(cycle)


def test_what_another_thread_leaves_is_collected_on_qts_thread(collector: Collector) -> None:
    ended_on: list[int] = []
    other = threading.Thread(target=make_garbage, args=(ended_on,))
    other.start()
    other.join()
    assert ended_on == []
    until(lambda: ended_on)
    assert ended_on == [threading.get_ident()]


def test_after_the_end_python_collects_by_itself_again(collector: Collector) -> None:
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()
