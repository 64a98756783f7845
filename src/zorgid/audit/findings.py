"""What verifying the log can bring to light. Each code has its sentence in the catalogue, like a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


class FindingCode(StrEnum):
    """What is wrong with the log or with its seals."""

    entry_changed = "audit-entry-changed"
    personal_fact_changed = "audit-personal-fact-changed"
    entries_missing = "audit-entries-missing"
    entries_added = "audit-entries-added"
    entries_replaced = "audit-entries-replaced"
    seal_unreadable = "audit-seal-unreadable"
    seal_not_ours = "audit-seal-not-ours"
    seals_lack_their_beginning = "audit-seals-lack-their-beginning"
    chain_broken = "audit-chain-broken"
    seals_cut = "audit-seals-cut"
    seals_gone = "audit-seals-gone"
    seals_ahead = "audit-seals-ahead"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and where.

    `seal` is the number of a seal; `count` how many entries or seals.
    """

    code: FindingCode
    seal: int | None = None
    entry: UUID | None = None
    count: int | None = None
    place: str | None = None

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return the facts of the sentence."""
        found = {"seal": self.seal, "entry": self.entry, "count": self.count, "place": self.place}
        return {name: fact for name, fact in found.items() if fact is not None}
