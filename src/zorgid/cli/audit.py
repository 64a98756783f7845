"""The command that checks the log against its seals."""

import argparse
from functools import partial

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
    say(
        f"{result.entries} entries, {result.seals} seals, the last is number {result.last_seal}; "
        f"{result.unsealed} entries not sealed yet; {result.erased} personal facts erased"
    )
    for silence in result.silences:
        say(f"nothing was sealed from {silence.from_at:%Y-%m-%d %H:%M:%S} to {silence.until_at:%H:%M:%S} UTC")
    say("the log is as it was written" if result.is_sound else "THE LOG IS NOT AS IT WAS WRITTEN")
