"""Which platform an environment id in a link means. A link never brings an address of its own.

A build knows one environment, its own. That of the demo is on this computer; where the others are stands in a
list that the operator signed (`zorgid.protocol.environments`): the one in the build, or a newer one that the
administrator of the computer put beside it.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from zorgid.protocol.environments import (
    MOST_BYTES,
    EnvironmentList,
    EnvironmentRefused,
    EnvironmentsMalformed,
    verify_environments,
)
from zorgid_desktop.build import ENVIRONMENT_KEYS, FLAVOUR, Flavour
from zorgid_desktop.places import machine_folder, state_folder
from zorgid_desktop.refused import HOSTS_OF_THIS_COMPUTER

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DEMO_ORIGIN: Final = "http://localhost:8600"
DEMO_ORIGIN_VARIABLE: Final = "ZORGID_DESKTOP_DEMO_ORIGIN"
"""Moves the demo, and nothing but the demo, to another port of this computer."""

FILE: Final = "environments.json"


class EnvironmentUnknown(EnvironmentRefused):
    """The link names an environment that this build does not know; the right build solves it."""

    code = "environment-unknown"


class EnvironmentsMissing(EnvironmentRefused):
    """This build has no list of environments; installing the app anew solves it."""

    code = "environments-missing"


@dataclass(frozen=True)
class Sources:
    """What decides where a platform is, for one build on one computer."""

    flavour: Flavour
    keys: Sequence[str]
    in_build: "Path | Traversable"
    on_computer: Path
    """What an administrator put beside it; of both the newer one counts."""
    last_serial: Path
    """Remembers the highest serial that was in use, so that an older list cannot come back."""


def sources(variables: Mapping[str, str], platform: str = sys.platform) -> Sources:
    """Return the sources of this build on this computer."""
    return Sources(
        flavour=FLAVOUR,
        keys=ENVIRONMENT_KEYS,
        in_build=files("zorgid_desktop") / FILE,
        on_computer=machine_folder(variables, platform) / FILE,
        last_serial=state_folder(variables, platform) / "environments-serial",
    )


def origin_of(
    environment: str, variables: Mapping[str, str], given: Sources | None = None, now: datetime | None = None
) -> str:
    """Return the origin (scheme://host[:port]) of an environment.

    Raises:
        EnvironmentUnknown: this build is for another one.
        EnvironmentRefused: the list that should tell is missing or does not count.
    """
    given = given or sources(variables)
    if environment != given.flavour:
        raise EnvironmentUnknown
    if given.flavour is Flavour.demo:
        return _demo_origin(variables)
    listed = listed_environments(given, now or datetime.now(UTC))
    return next(one.origin for one in listed.environments if one.id == environment)


def _demo_origin(variables: Mapping[str, str]) -> str:
    origin = variables.get(DEMO_ORIGIN_VARIABLE, DEMO_ORIGIN)
    if urlsplit(origin).hostname not in HOSTS_OF_THIS_COMPUTER:
        raise EnvironmentUnknown
    return origin


def listed_environments(given: Sources, now: datetime) -> EnvironmentList:
    """Return the newest list that counts now, and remember its serial. Raises `EnvironmentRefused`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - not the demo

    keys = [Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in given.keys]
    least = _remembered(given.last_serial)
    accepted: list[EnvironmentList] = []
    refused: list[EnvironmentRefused] = []
    for source in filter(_is_there, (given.on_computer, given.in_build)):
        try:
            listed = verify_environments(_read(source), keys, now=now, least_serial=least)
            accepted.append(_naming(given.flavour, listed))
        except EnvironmentRefused as refusal:
            refused.append(refusal)
    if not accepted:
        raise next(iter(refused), EnvironmentsMissing())
    newest = max(accepted, key=lambda listed: listed.serial)
    _remember(given.last_serial, newest.serial)
    return newest


def _naming(flavour: Flavour, listed: EnvironmentList) -> EnvironmentList:
    """Return a list that says where this build's platform is; one of another environment is nothing to it.

    Its serial is not remembered either: it would keep the right list out. Raises `EnvironmentUnknown`.
    """
    if not any(one.id == flavour for one in listed.environments):
        raise EnvironmentUnknown
    return listed


def _is_there(source: "Path | Traversable") -> bool:
    return source.is_file()


def _read(source: "Path | Traversable") -> bytes:
    """Return a file, or so much of it that it is too long. Raises `EnvironmentsMalformed`."""
    try:
        with source.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError:
        raise EnvironmentsMalformed from None


def _remembered(path: Path) -> int:
    """Return the highest serial that was in use; what cannot be read counts as none."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _remember(path: Path, serial: int) -> None:
    """Write the serial down when it is new; without a place to write the list counts all the same."""
    if serial == _remembered(path):
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(str(serial), encoding="ascii")
    except OSError:
        return
