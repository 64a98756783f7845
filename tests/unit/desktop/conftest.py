"""A terminal in which every sentence stands on one line, wherever the tests run, and programs that wait for each other."""

import pytest

from zorgid_desktop import handover


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests about wrapping set a width of their own."""
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture(autouse=True)
def patient_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that hands its link over waits for a thread of a busy machine; tests about waiting are impatient themselves."""
    monkeypatch.setattr(handover, "PATIENCE_SECONDS", 60.0)
