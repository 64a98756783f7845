"""The command that looks at every part of an installation."""

import argparse
import asyncio

from zorgid.cli.terminal import FAILED, OK, say
from zorgid.doctor import examine
from zorgid.judgements import Verdict
from zorgid.kernel.clock import system_clock
from zorgid.kernel.randomness import system_random
from zorgid.settings import Settings
from zorgid.trust.model import TrustBundle


async def examine_all(settings: Settings, asked: argparse.Namespace) -> int:
    """Look at every part; the exit code says whether one is broken."""
    del asked
    findings = await examine(settings, trust=await asyncio.to_thread(_trust_of_demo, settings))
    for finding in findings:
        say(finding.line())
    return FAILED if any(finding.verdict is Verdict.broken for finding in findings) else OK


def _trust_of_demo(settings: Settings) -> TrustBundle | None:
    """Return what a demo that ran here trusts; elsewhere the trust folder counts."""
    if not settings.is_demo or settings.trust_folder is not None or not settings.data_folder.exists():
        return None
    from zorgid.demo.world import open_world  # noqa: PLC0415 - production need not have what the demo needs

    if not (settings.data_folder / "uzi-register").exists():
        return None
    return open_world(settings, clock=system_clock, random=system_random, folder=settings.data_folder).trust
