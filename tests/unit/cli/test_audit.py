"""What an operator reads of a verified log."""

from dataclasses import replace

import pytest

from zorgid.audit.verify import Verification
from zorgid.cli.audit import WHY_NOT_SEALED, counted, summary

WHOLE = Verification(
    findings=(),
    more_findings=0,
    seals=4,
    entries=12,
    unsealed=0,
    oldest_unsealed_at=None,
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
    lines = summary(replace(WHOLE, seals=0, last_seal=0, entries=1, unsealed=1, erased=1))
    assert lines == [
        "1 entry, 0 seals; 1 entry not sealed yet; 1 personal fact erased",
        WHY_NOT_SEALED,
        "the log is as it was written",
    ]
    assert all(command in WHY_NOT_SEALED for command in ("zorgid serve", "zorgid worker", "zorgid demo"))


@pytest.mark.parametrize(("number", "text"), [(0, "0 seals"), (1, "1 seal"), (2, "2 seals")])
def test_one_is_not_called_many(number: int, text: str) -> None:
    assert counted(number, "seal", "seals") == text
