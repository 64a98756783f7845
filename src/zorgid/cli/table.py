"""The commands and their options, as a table, and what reads a command line by it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from zorgid.settings import Settings


class Option:
    """An option or argument, as argparse takes it."""

    def __init__(self, name: str, **facts: Any) -> None:
        self.name = name
        self.facts = facts


@dataclass(frozen=True)
class Command:
    """A command: its words on the command line, and the function in this package that does it."""

    name: str
    does: str
    """Module and function, imported when the command runs."""
    help: str
    options: Sequence[Option] = ()

    def load(self) -> Callable[[Settings, argparse.Namespace], Coroutine[None, None, int]]:
        """Return the function, which answers an exit code."""
        module, _, function = self.does.partition(":")
        loaded: Callable[[Settings, argparse.Namespace], Coroutine[None, None, int]] = getattr(
            import_module(f"zorgid.cli.{module}"), function
        )
        return loaded


ROOT: Final = (
    Option("--root-keys", type=Path, metavar="FOLDER", help="home of the root's key (default: no other)"),
    Option("--root-passphrase-file", type=Path, metavar="FILE"),
)
"""The keys of the root, which lie apart in production."""

SIGNING: Final = (
    Option("--signing-keys", type=Path, required=True, metavar="FOLDER", help="home of the key"),
    Option("--signing-passphrase-file", type=Path, required=True, metavar="FILE"),
)
"""The home of the key that signs lists of environments."""

GROUPS: Final[Mapping[str, str]] = {
    "ca": "the certificate authorities",
    "crl": "certificate revocation lists",
    "client": "care applications",
    "environments": "where Desktop Apps look for their platform",
    "audit": "the audit log",
}

COMMANDS: Final = (
    Command(
        "serve",
        "running:serve",
        "answer on all addresses, until a signal to stop",
        [
            Option(
                "--with-worker",
                action=argparse.BooleanOptionalAction,
                default=True,
                help="also do the work of `zorgid worker` (default: yes)",
            )
        ],
    ),
    Command("worker", "running:worker", "publish, seal, sweep and dispatch, until a signal to stop"),
    Command("migrate", "running:migrate", "bring the tables up to this version"),
    Command(
        "ca init",
        "authorities:initialise",
        "make keys, authorities and first CRLs, as far as they are missing",
        ROOT,
    ),
    Command(
        "crl publish",
        "authorities:publish",
        "publish new CRLs now; that of the root when its keys are given",
        ROOT,
    ),
    Command(
        "client register",
        "applications:register",
        "register a care application, or change its registration",
        [Option("file", type=Path, metavar="FILE", help="the registration as JSON (docs/supplier.md)")],
    ),
    Command(
        "environments key",
        "environments:show_key",
        "make the signing key if need be, and show its public half",
        SIGNING,
    ),
    Command(
        "environments sign",
        "environments:sign",
        "sign a list of environments (docs/packages.md)",
        [
            Option("file", type=Path, metavar="FILE", help="the list as JSON"),
            Option("--output", type=Path, required=True, metavar="FILE", help="where the signed list goes"),
            *SIGNING,
        ],
    ),
    Command(
        "audit verify",
        "audit:verify",
        "check the whole log against its seals",
        [Option("--at-least", type=int, default=0, metavar="N", help="a seal number known to have existed")],
    ),
    Command("doctor", "doctor:examine_all", "look at every part and say what to do about it"),
    Command(
        "demo",
        "demo:run_demo",
        "run the platform with the demo world",
        [
            Option("--once", action="store_true", help="run the main job by itself and end"),
            Option("--report", type=Path, metavar="FILE", help="with --once: write the facts as JSON"),
            Option(
                "--keep-running", action="store_true", help="with --once: leave the platform up afterwards"
            ),
        ],
    ),
)


def parser() -> argparse.ArgumentParser:
    """Return what understands the command line."""
    whole = argparse.ArgumentParser(
        prog="zorgid",
        description="The ZORG-ID platform. Settings are variables ZORGID_…; see docs/settings.md.",
    )
    groups = {"": whole.add_subparsers(required=True, metavar="command")}
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        if group not in groups:
            below = groups[""].add_parser(group, help=GROUPS[group])
            groups[group] = below.add_subparsers(required=True, metavar="what")
        added = groups[group].add_parser(name, help=command.help, description=command.help)
        added.set_defaults(command=command)
        for option in command.options:
            added.add_argument(option.name, **option.facts)
    return whole
