"""The command that checks the log against its seals."""

import argparse
from datetime import datetime
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from zorgid.audit.places import FolderSeals
from zorgid.audit.verify import Verification
from zorgid.audit.verify import verify as verify_log
from zorgid.cli.terminal import FAILED, OK, say
from zorgid.kernel.sentences import Language
from zorgid.opening import (
    AUDIT_ENTRIES,
    AUDIT_SEALS,
    database_address,
    open_database,
    open_keys,
    origin_of_command,
)
from zorgid.settings import Settings
from zorgid.web.shell import load_sentences

WHY_NOT_SEALED: Final = (
    "Commands write entries, this one too. While `zorgid serve`, `zorgid worker` or `zorgid demo` does the "
    "background work they are sealed within seconds; else they wait until one of them does."
)

WHERE_TO_LOOK: Final = (
    "Entries should wait for seconds only: look whether `zorgid serve`, `zorgid worker` or `zorgid demo` runs"
    " and can write its folder of seals."
)


async def verify(settings: Settings, asked: argparse.Namespace) -> int:
    """Check the whole log against its seals; the exit code says whether it is as it was written."""
    keys = open_keys(settings)
    public_key = keys.public_key(AUDIT_SEALS)
    assert isinstance(public_key, Ed25519PublicKey)
    async with database_address(settings) as url, open_database(settings, url, keys) as database:
        result = await verify_log(
            database,
            FolderSeals(settings.seals_in),
            partial(keys.mac, AUDIT_ENTRIES),
            public_key,
            origin=origin_of_command(settings, "audit-verify"),
            at_least=asked.at_least,
        )
    _tell(result)
    return OK if result.is_sound else FAILED


def _tell(result: Verification) -> None:
    sentences = load_sentences()
    for finding in result.findings:
        found = sentences.sentence(finding.code, finding.facts, Language.en)
        say(f"FOUND {found.text} {found.next_step}")
    if result.more_findings:
        say(f"FOUND {result.more_findings} more")
    for line in summary(result):
        say(line)


def summary(result: Verification) -> list[str]:
    """Return what the operator reads of a verification, line by line."""
    last = f", the last is number {result.last_seal}" if result.seals else ""
    counts = [
        f"{counted(result.entries, 'entry', 'entries')}, {counted(result.seals, 'seal', 'seals')}{last}",
        f"{counted(result.unsealed, 'entry', 'entries')} not sealed yet",
        f"{counted(result.erased, 'personal fact', 'personal facts')} erased",
    ]
    lines = ["; ".join(counts)]
    if result.oldest_unsealed_at:
        lines.append(_waiting(result, result.oldest_unsealed_at))
    lines += [
        f"nothing was sealed from {silence.from_at:%Y-%m-%d %H:%M:%S} to {silence.until_at:%H:%M:%S} UTC"
        for silence in result.silences
    ]
    return [*lines, "the log is as it was written" if result.is_sound else "THE LOG IS NOT AS IT WAS WRITTEN"]


def _waiting(result: Verification, oldest: datetime) -> str:
    """Return since when entries wait for their seal, and why or where to look."""
    waiting = f"the oldest that is not sealed is of {_moment(oldest)}."
    if not result.is_sealing_late:
        return f"{waiting} {WHY_NOT_SEALED}"
    sealed = result.last_sealed_at
    since = f"Nothing was sealed since {_moment(sealed)}." if sealed else "Nothing was ever sealed."
    return f"{waiting} {since} {WHERE_TO_LOOK}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def counted(number: int, one: str, more: str) -> str:
    """Return a number with the word for what it counts."""
    return f"{number} {one if number == 1 else more}"
