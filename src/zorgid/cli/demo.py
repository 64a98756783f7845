"""The command that runs the demo world."""

import argparse

from zorgid.cli.running import until_told
from zorgid.demo.command import run
from zorgid.settings import Settings


async def run_demo(settings: Settings, asked: argparse.Namespace) -> int:
    """Run the platform with the demo world around it."""
    return await run(
        settings, until_told(), once=asked.once, report=asked.report, keep_running=asked.keep_running
    )
