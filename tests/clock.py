"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)


class FakeClock:
    """Gives the same moment (aware, UTC) until `advance` or `set`."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, span: timedelta) -> None:
        self.at += span

    def set(self, at: datetime) -> None:
        assert at.tzinfo is not None
        self.at = at
