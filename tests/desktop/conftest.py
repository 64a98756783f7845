"""Tests of the windows: drawn on no screen, and ended on Qt's thread."""

from collections.abc import Callable

import pytest
from tests.desktop.driving import until
from tests.desktop.ending import application, nothing_left

__all__ = ["application", "nothing_left"]


@pytest.fixture
def soon() -> Callable[[Callable[[], object]], None]:
    """Handle Qt's events until a condition holds."""
    return until
