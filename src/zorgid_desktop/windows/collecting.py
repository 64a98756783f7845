"""Lets Python look for cycles on Qt's own thread only.

A window that nobody needs any more is often part of a cycle, and then Python's collector ends it. By itself
the collector runs in whatever thread happens to allocate, while a widget may be ended on the thread it lives
on and on no other: the program would crash, now and then, long after the window was closed.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

LOOK_EVERY_MS: Final = 500
"""How often it looks whether there is enough to collect, in milliseconds."""


class Collector(QObject):
    """Collects in place of Python, from its making until `stop`; make it on Qt's thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=LOOK_EVERY_MS)
        self._timer.timeout.connect(collect_what_is_due)
        self._timer.start()

    def stop(self) -> None:
        """Leave the collecting to Python again."""
        self._timer.stop()
        gc.enable()


def collect_what_is_due() -> None:
    """Collect the oldest generation that is due by Python's own thresholds, and the younger ones with it."""
    due = [
        generation
        for generation, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
        if count > most
    ]
    if due:
        gc.collect(max(due))
