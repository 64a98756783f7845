"""What an operator reads of a verified log."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from zorgid.audit.verify import NOTABLE_SILENCE, Verification
from zorgid.cli.audit import WHERE_TO_LOOK, WHY_NOT_SEALED, counted, summary

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
WHOLE = Verification(
    findings=(),
    more_findings=0,
    seals=4,
    entries=12,
    unsealed=0,
    oldest_unsealed_at=None,
    looked_at=NOW,
    erased=0,
    last_seal=4,
    last_sealed_at=None,
    silences=(),
)


def test_a_log_that_is_sealed_to_its_end_needs_two_lines() -> None:
    """AUD-1."""
    assert summary(WHOLE) == [
        "12 entries, 4 seals, the last is number 4; 0 entries not sealed yet; 0 personal facts erased",
        "the log is as it was written",
    ]


def test_entries_that_wait_for_their_seal_are_explained_with_when_that_comes() -> None:
    oldest = NOW - NOTABLE_SILENCE
    lines = summary(
        replace(WHOLE, seals=0, last_seal=0, entries=1, unsealed=1, oldest_unsealed_at=oldest, erased=1)
    )
    assert lines == [
        "1 entry, 0 seals; 1 entry not sealed yet; 1 personal fact erased",
        f"the oldest that is not sealed is of 2026-03-02 09:59:00 UTC. {WHY_NOT_SEALED}",
        "the log is as it was written",
    ]
    assert all(command in WHY_NOT_SEALED for command in ("zorgid serve", "zorgid worker", "zorgid demo"))


@pytest.mark.parametrize(
    ("sealed_at", "since"),
    [
        (NOW - timedelta(hours=1), "Nothing was sealed since 2026-03-02 09:00:00 UTC."),
        (None, "Nothing was ever sealed."),
    ],
)
def test_a_sealing_that_stands_still_is_said_with_its_moment_and_where_to_look(
    sealed_at: datetime | None, since: str
) -> None:
    """AUD-1: who cannot write the folder of seals is not told that all will be well within seconds."""
    oldest = NOW - NOTABLE_SILENCE - timedelta(seconds=1)
    stuck = replace(WHOLE, unsealed=3, oldest_unsealed_at=oldest, last_sealed_at=sealed_at)
    assert summary(stuck)[1:] == [
        f"the oldest that is not sealed is of 2026-03-02 09:58:59 UTC. {since} {WHERE_TO_LOOK}",
        "the log is as it was written",
    ]
    assert "folder of seals" in WHERE_TO_LOOK


@pytest.mark.parametrize(("number", "text"), [(0, "0 seals"), (1, "1 seal"), (2, "2 seals")])
def test_one_is_not_called_many(number: int, text: str) -> None:
    assert counted(number, "seal", "seals") == text
