"""A terminal in which every sentence stands on one line, wherever the tests run."""

import pytest


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests about wrapping set a width of their own."""
    monkeypatch.setenv("COLUMNS", "300")
