"""Whose program opens `zorg-id:` links on this computer: registering this one, and noticing another.

Registered per user (per computer is the installer's work, docs/packages.md). Whoever took the scheme gets the
handle of a login and nothing else: it is worthless without the card and the cookie of the browser that began.
Still the person must know (docs/security.md, logging in).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zorgid_desktop.flow.asking import Said
from zorgid_desktop.scheme.program import Program


class SchemeState(StrEnum):
    """Whom the links start."""

    ours = "ours"
    other = "other"
    absent = "absent"
    unknown = "unknown"
    """This system does not tell."""


@dataclass(frozen=True)
class Registered:
    """What the system says; `program` is the command that another one put there."""

    state: SchemeState
    program: str = ""


class SchemeNotRegistered(Exception):
    """The system did not take the registration; the administrator of the computer can do it."""

    code = "scheme-not-registered"


def compare(found: Sequence[str] | None, program: Program) -> Registered:
    """Return whose command was found: ours when it starts this very program for a link."""
    if not found:
        return Registered(SchemeState.absent)
    if tuple(found[: len(program.start)]) == program.start and "open" in found:
        return Registered(SchemeState.ours)
    return Registered(SchemeState.other, found[0])


def registered(program: Program, variables: Mapping[str, str], platform: str = sys.platform) -> Registered:
    """Return whom the links of this user start."""
    if platform == "win32":
        from zorgid_desktop.scheme import windows  # noqa: PLC0415 - one system is this one

        return compare(windows.registered_command(windows.open_registry()), program)
    if platform.startswith("linux"):
        from zorgid_desktop.scheme import linux  # noqa: PLC0415

        return compare(linux.registered_command(variables), program)
    return Registered(SchemeState.unknown)


def register(program: Program, variables: Mapping[str, str], platform: str = sys.platform) -> None:
    """Let the links of this user start this program. Raises `SchemeNotRegistered`."""
    if platform == "win32":
        from zorgid_desktop.scheme import windows  # noqa: PLC0415

        windows.write(windows.open_registry(), program)
    elif platform.startswith("linux"):
        from zorgid_desktop.scheme import linux  # noqa: PLC0415

        linux.register(program, variables)
    else:  # a bundle says it in its Info.plist, and the system reads that
        raise SchemeNotRegistered


def unregister(variables: Mapping[str, str], platform: str = sys.platform) -> None:
    """Take away what `register` wrote."""
    if platform == "win32":
        from zorgid_desktop.scheme import windows  # noqa: PLC0415

        windows.remove(windows.open_registry())
    elif platform.startswith("linux"):
        from zorgid_desktop.scheme import linux  # noqa: PLC0415

        linux.unregister(variables)


def said_of(found: Registered) -> Said | None:
    """Return what to tell at the start; nothing when the links start us, or nobody knows."""
    match found.state:
        case SchemeState.other:
            return Said("scheme-other", {"program": found.program})
        case SchemeState.absent:
            return Said("scheme-absent")
        case _:
            return None
