"""Proves from the seals outside the database that the log is as it was written, or says what is not (AUD-1).

It finds entries that were changed, dropped or added after their seal; seals that were changed, dropped or cut
off; and a database that is older than its seals. It counts what is not sealed yet: within that second or so,
whoever may write the database can still drop an entry unseen, and nobody can change or invent one without the
key of the MACs.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from zorgid.audit import rules, seal_store
from zorgid.audit.actions import record
from zorgid.audit.chain import Digest, Seal, SealUnreadable, check_seal
from zorgid.audit.findings import Finding, FindingCode
from zorgid.audit.model import SYSTEM, Actor, Event, Outcome, Subject
from zorgid.audit.places import SealPlace
from zorgid.audit.seal_store import Stored
from zorgid.storage.database import Database, Mac, Origin, Work

WHOLE_LOG: Final = Subject("audit-log", "all")

HANDOVER_GRACE: Final = timedelta(seconds=30)
"""How long a seal may be in the database only: it is being handed over, or its sealer died just there."""

NOTABLE_SILENCE: Final = timedelta(minutes=1)
"""A pause between two seals that is reported: the platform was off, or both sides were cut."""

MOST_FINDINGS: Final = 1000
"""Findings that are told one by one; the rest is counted."""


@dataclass(frozen=True)
class Silence:
    """A time in which nothing was sealed, between two seals."""

    from_at: datetime
    until_at: datetime


@dataclass(frozen=True)
class Verification:
    """What was proved.

    The log is as it was written when `is_sound`; the counts say of how much that holds.
    """

    findings: Sequence[Finding]
    more_findings: int
    seals: int
    entries: int
    unsealed: int
    oldest_unsealed_at: datetime | None
    looked_at: datetime
    erased: int
    last_seal: int
    last_sealed_at: datetime | None
    silences: Sequence[Silence]

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    @property
    def is_sealing_late(self) -> bool:
        """Tell whether an entry waits longer for its seal than it does while somebody seals."""
        oldest = self.oldest_unsealed_at
        return oldest is not None and self.looked_at - oldest > NOTABLE_SILENCE


@dataclass
class Tally:
    """What a verification has seen so far."""

    mac: Mac
    looked_at: datetime
    findings: list[Finding] = field(default_factory=list)
    more_findings: int = 0
    seals: int = 0
    entries: int = 0
    unsealed: int = 0
    oldest_unsealed_at: datetime | None = None
    erased: int = 0
    last: Seal | None = None
    silences: list[Silence] = field(default_factory=list)

    def tell(self, *findings: Finding) -> None:
        """Take in findings; beyond `MOST_FINDINGS` they are only counted."""
        room = MOST_FINDINGS - len(self.findings)
        self.findings.extend(findings[:room])
        self.more_findings += max(len(findings) - room, 0)

    def see_seal(self, seal: Seal) -> None:
        """Take in the next seal."""
        self.seals += 1
        if self.last and seal.at - self.last.at > NOTABLE_SILENCE:
            self.silences.append(Silence(self.last.at, seal.at))
        self.last = seal

    def see_entry(self, stored: Stored) -> None:
        """Check one entry by itself."""
        entry = stored.entry
        self.entries += 1
        if not rules.is_authentic(entry, stored.mark.mac, self.mac):
            self.tell(Finding(FindingCode.entry_changed, entry=entry.id))
            return
        self.erased += len(rules.erased_personal(entry))
        if rules.changed_personal(entry, self.mac):
            self.tell(Finding(FindingCode.personal_fact_changed, entry=entry.id))

    def result(self) -> Verification:
        """Return what was seen."""
        return Verification(
            findings=tuple(self.findings),
            more_findings=self.more_findings,
            seals=self.seals,
            entries=self.entries,
            unsealed=self.unsealed,
            oldest_unsealed_at=self.oldest_unsealed_at,
            looked_at=self.looked_at,
            erased=self.erased,
            last_seal=self.last.number if self.last else 0,
            last_sealed_at=self.last.at if self.last else None,
            silences=tuple(self.silences),
        )


async def verify(
    database: Database,
    seals: SealPlace,
    mac: Mac,
    public_key: Ed25519PublicKey,
    *,
    origin: Origin,
    by: Actor = SYSTEM,
    at_least: int = 0,
) -> Verification:
    """Check the whole log against the seals in `seals`, and record that it was read (AUD-2).

    `at_least` is the number of a seal that is known to have existed, from an earlier verification kept
    elsewhere: it finds an end that was cut off on both sides. Runs beside a living platform. Reads every
    entry and every seal once, in constant memory.
    """
    async with database.work(origin) as work:
        await record(work, event=Event.audit_verified, by=by, on=WHOLE_LOG, outcome=Outcome.begun)
    async with database.work(origin) as work:
        tally = Tally(mac, work.now)
        newest_inside = await seal_store.newest_number(work)
        await _check_seals_and_entries(work, _read_seals(seals, public_key, tally), tally)
        await _check_ends(work, newest_inside, at_least, tally)
    result = tally.result()
    async with database.work(origin) as work:
        await record(work, event=Event.audit_verified, by=by, on=WHOLE_LOG, facts=_facts(result))
    return result


def _facts(result: Verification) -> dict[str, object]:
    return {
        "entries": result.entries,
        "unsealed": result.unsealed,
        "last_seal": result.last_seal,
        "findings": sorted({finding.code for finding in result.findings}),
    }


def _read_seals(seals: SealPlace, public_key: Ed25519PublicKey, tally: Tally) -> Iterator[Seal]:
    """Give the seals that are ours; the others are told of and their entries stay without a seal."""
    for kept in seals.lines():
        try:
            seal = Seal.from_line(kept.unverified_line)
        except SealUnreadable:
            tally.tell(Finding(FindingCode.seal_unreadable, place=kept.place))
            continue
        findings = check_seal(seal, tally.last, public_key)
        tally.tell(*findings)
        if all(finding.code is not FindingCode.seal_not_ours for finding in findings):
            tally.see_seal(seal)
            yield seal


async def _check_seals_and_entries(work: Work, seals: Iterator[Seal], tally: Tally) -> None:
    """Walk along seals and entries side by side, both in the order of transactions."""
    entries = seal_store.all_entries(work)
    stored = await anext(entries, None)
    for seal in seals:
        digest = Digest()
        while stored and stored.mark.xact < seal.until_xact:
            tally.see_entry(stored)
            if stored.mark.xact >= seal.from_xact:
                digest.add(stored.mark)
            stored = await anext(entries, None)
        tally.tell(*_compare(seal, digest))
    await _count_unsealed(stored, entries, tally)


async def _count_unsealed(stored: Stored | None, rest: AsyncIterator[Stored], tally: Tally) -> None:
    while stored:
        tally.see_entry(stored)
        tally.unsealed += 1
        at = stored.entry.at
        tally.oldest_unsealed_at = min(tally.oldest_unsealed_at or at, at)
        stored = await anext(rest, None)


def _compare(seal: Seal, digest: Digest) -> Sequence[Finding]:
    surplus = digest.entries - seal.entries
    if surplus < 0:
        return [Finding(FindingCode.entries_missing, seal=seal.number, count=-surplus)]
    if surplus > 0:
        return [Finding(FindingCode.entries_added, seal=seal.number, count=surplus)]
    if digest.value() != seal.digest:
        return [Finding(FindingCode.entries_replaced, seal=seal.number)]
    return []


async def _check_ends(work: Work, newest_inside: int, at_least: int, tally: Tally) -> None:
    """Check that neither the seals outside nor the database end before the other."""
    outside = tally.last.number if tally.last else 0
    if outside > await seal_store.newest_number(work):
        tally.tell(Finding(FindingCode.seals_ahead, seal=outside))
    missing = max(at_least, newest_inside if await _is_overdue(work, outside) else 0) - outside
    if missing > 0:
        tally.tell(Finding(FindingCode.seals_cut, seal=outside, count=missing))
    oldest = tally.oldest_unsealed_at
    if not tally.seals and oldest and work.now - oldest > NOTABLE_SILENCE:
        tally.tell(Finding(FindingCode.seals_gone, count=tally.unsealed))


async def _is_overdue(work: Work, outside: int) -> bool:
    """Tell whether the first seal that is in the database only should have been handed over by now."""
    lines = await seal_store.lines_after(work, outside, 1)
    try:
        return any(work.now - Seal.from_line(line).at > HANDOVER_GRACE for _, line in lines)
    except SealUnreadable:
        return True
