"""A PUK leaves the clipboard after a minute and at the end of the app, and nothing of anybody else does (ALL-4)."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication

from zorgid_desktop.windows.clipboard import LONGEST_MS, OURS, OnceOnClipboard

PUK = "48206173"


class Clock:
    """Rings when the test lets time pass."""

    def __init__(self) -> None:
        self.set: list[tuple[int, Callable[[], None]]] = []

    def __call__(self, milliseconds: int, ring: Callable[[], None]) -> None:
        self.set.append((milliseconds, ring))

    def ring(self, number: int = -1) -> None:
        self.set[number][1]()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def once(application: QApplication, clock: Clock) -> OnceOnClipboard:
    return OnceOnClipboard(application.clipboard(), clock)


def test_it_is_there_for_a_minute_at_most(
    application: QApplication, once: OnceOnClipboard, clock: Clock
) -> None:
    told: list[str] = []
    once.put(PUK, lambda: told.append("wiped"))
    assert application.clipboard().text() == PUK
    assert [span for span, _ in clock.set] == [LONGEST_MS]
    assert LONGEST_MS <= 60_000
    clock.ring()
    assert application.clipboard().text() == ""
    assert told == ["wiped"]


def test_programs_that_keep_a_history_are_asked_not_to(
    application: QApplication, once: OnceOnClipboard
) -> None:
    once.put(PUK, lambda: None)
    formats = application.clipboard().mimeData().formats()
    assert OURS in formats
    assert "x-kde-passwordManagerHint" in formats
    assert any("CanIncludeInClipboardHistory" in one for one in formats)


def test_what_somebody_else_copied_meanwhile_is_left_alone(
    application: QApplication, once: OnceOnClipboard, clock: Clock
) -> None:
    once.put(PUK, lambda: None)
    application.clipboard().setText("de boodschappen")
    clock.ring()
    assert application.clipboard().text() == "de boodschappen"


def test_one_text_is_taken_off_early_and_what_was_copied_since_stays(
    application: QApplication, once: OnceOnClipboard
) -> None:
    take_off = once.put("https://id.example/#code", lambda: None)
    take_off()
    assert application.clipboard().text() == ""
    once.put(PUK, lambda: None)
    take_off()
    assert application.clipboard().text() == PUK


def test_a_second_copy_has_a_minute_of_its_own(
    application: QApplication, once: OnceOnClipboard, clock: Clock
) -> None:
    once.put(PUK, lambda: None)
    once.put(PUK, lambda: None)
    clock.ring(0)
    assert application.clipboard().text() == PUK
    clock.ring(1)
    assert application.clipboard().text() == ""


def test_the_end_of_the_app_wipes_it(application: QApplication, once: OnceOnClipboard) -> None:
    once.put(PUK, lambda: None)
    once.wipe()
    assert application.clipboard().text() == ""


def test_wiping_without_a_copy_touches_nothing(application: QApplication, once: OnceOnClipboard) -> None:
    application.clipboard().setText("de boodschappen")
    once.wipe()
    assert application.clipboard().text() == "de boodschappen"
