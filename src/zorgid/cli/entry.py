"""Runs one command; whatever ends it is said in words, and by the exit code."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from zorgid.cli.table import parser
from zorgid.cli.terminal import FAILED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from zorgid.cli.table import Command
    from zorgid.kernel.errors import Refusal
    from zorgid.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 when all is well."""
    asked = parser().parse_args(arguments)
    import structlog  # noqa: PLC0415 - `--help` needs none of it

    from zorgid.kernel.errors import Fault, Refusal  # noqa: PLC0415
    from zorgid.logs import configure_logs  # noqa: PLC0415
    from zorgid.pki.names import allow_accents_in_long_names  # noqa: PLC0415
    from zorgid.settings import Settings  # noqa: PLC0415

    command: Command = asked.command
    allow_accents_in_long_names()
    try:
        settings = Settings.from_environment(os.environ)
        configure_logs(level=log_level(settings, asked))
        return asyncio.run(command.load()(settings, asked))
    except Refusal as refusal:
        sys.stderr.write(in_both_languages(refusal))
        return FAILED
    except Fault as stop:
        sys.stderr.write(f"zorgid: {type(stop).__name__}: {stop}\n")
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except Exception as error:  # noqa: BLE001 - told in the log, where no values are written
        if type(error).__module__.startswith("psycopg"):
            says = "the database cannot be used"  # its own text may quote the password
        else:
            says = "a fault ended the command, see the log"
            structlog.get_logger("zorgid").exception("command ended")
        sys.stderr.write(f"zorgid: {says} ({type(error).__name__}); run `zorgid doctor`\n")
        return FAILED


def in_both_languages(refusal: Refusal) -> str:
    """Return what a terminal says of a refusal: in Dutch and in English, each with what to do next."""
    from zorgid.kernel.sentences import Language  # noqa: PLC0415
    from zorgid.web.shell import load_sentences  # noqa: PLC0415

    sentences = load_sentences()
    if refusal.code not in sentences.codes():
        return f"zorgid: {type(refusal).__name__}: {refusal}\n"
    said = [sentences.sentence(refusal.code, refusal.facts, language) for language in Language]
    return "\n".join(f"zorgid: {one.text}\n{one.next_step}\n" for one in said)


def log_level(settings: Settings, asked: argparse.Namespace) -> str:
    """Return from which weight on lines are written; less by default where progress is shown beside them."""
    if getattr(asked, "once", False) and "log_level" not in settings.model_fields_set:
        return "warning"
    return settings.log_level
