"""Whose a data folder of the demo is: of one running demo at a time, and of the ports it was made for.

Test cards hold certificates that name the address of the register which made them, so a folder goes with its
ports. Whether a demo runs in it is told by a lock, which the system lets go of however that demo ends.
"""

import fcntl
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cardkit.card import KeySlot
from cardkit.piv import codes
from cardkit.piv.objects import decode_certificate
from cardkit.virtual import VirtualReader
from zorgid.demo.errors import DemoRunsAlready, FolderOfOtherPorts
from zorgid.demo.world import MEMBERS, REGISTER_ABOVE
from zorgid.pki.status import ocsp_addresses
from zorgid.settings import Settings
from zorgid.storage.embedded import FolderOfAnotherUser
from zorgid.storage.locks import try_lock
from zorgid.web.desktop_lines import USUAL_ORIGIN

PKI_ABOVE: Final = 4
APART: Final = 100
"""How far a demo that is proposed stands from this one; the five ports of each lie within six."""
HIGHEST_PORT: Final = 65_535
UNKNOWN: Final = "?"
USUAL_FOLDER: Final = Path("var")


@dataclass(frozen=True)
class Start:
    """A demo that is about to start: for visitors, or the main job by itself."""

    settings: Settings
    is_once: bool

    @property
    def folder(self) -> Path:
        """What nobody else may use meanwhile. The main job by itself leaves the cards of visitors alone."""
        return self.settings.data_folder / "once" if self.is_once else self.settings.data_folder

    @property
    def lock(self) -> Path:
        """Stands outside the folder of the main job, which is thrown away at each start."""
        return self.settings.data_folder / ("once.lock" if self.is_once else "demo.lock")

    @property
    def elsewhere(self) -> str:
        """The line that starts it beside another one, on other ports."""
        port = self.settings.listen_port + APART
        if port + REGISTER_ABOVE > HIGHEST_PORT:
            port -= 2 * APART
        return self.line(port, self.folder_for(port))

    @property
    def here_in_another_folder(self) -> str:
        """The line that starts it on these very ports, in a folder for them."""
        port = self.settings.listen_port
        return self.line(port, self.folder_for(port))

    def folder_for(self, port: int) -> Path:
        """Return a data folder for other ports: `var-8700` beside `var`, and beside `var-8600`."""
        here = self.settings.data_folder.absolute()
        there = here.with_name(f"{re.sub(r'-[0-9]+$', '', here.name)}-{port}")
        return there if self.settings.data_folder.is_absolute() else Path(os.path.relpath(there))

    def line(self, port: int, data_folder: Path) -> str:
        """Return the line that starts it on this port and those beside it, with this data folder."""
        now, pki_port = self.settings, port + PKI_ABOVE
        given = {
            "LISTEN_PORT": str(port),
            "ORIGIN": _moved(now.origin, now.listen_port, port),
            "PKI_LISTEN_PORT": str(pki_port),
            "PKI_ORIGIN": _moved(now.pki_origin, now.pki_listen_port, pki_port),
            "DATA_FOLDER": str(data_folder),
        }
        words = [f"ZORGID_{name}={shlex.quote(value)}" for name, value in given.items()]
        return " ".join([*words, "make", "demo-once" if self.is_once else "demo"])


def line_for_empty_demo(settings: Settings) -> str | None:
    """Return the line that throws everything away and starts the demo anew; None where that would not do.

    No page names a folder of somebody's own to be thrown away: who knows what else is in it.
    """
    if not settings.is_demo or settings.database_url is not None or settings.data_folder != USUAL_FOLDER:
        return None
    is_usual, start = settings.origin == USUAL_ORIGIN, Start(settings, is_once=False)
    again = "make demo" if is_usual else start.line(settings.listen_port, USUAL_FOLDER)
    return f"rm -rf -- {USUAL_FOLDER} && {again}"


def _moved(origin: str, port: int, to: int) -> str:
    """Return an origin on another port; one that does not name the port, as behind a proxy, stays."""
    here = f":{port}"
    return f"{origin.removesuffix(here)}:{to}" if origin.endswith(here) else origin


@contextmanager
def alone(start: Start) -> Iterator[None]:
    """Be the one demo that uses the folder while the block runs.

    Raises:
        DemoRunsAlready: another one does.
        FolderOfAnotherUser: the lock may not be written.
    """
    try:
        start.lock.parent.mkdir(parents=True, exist_ok=True)
        file = start.lock.open("a+", encoding="utf-8")
    except PermissionError as error:
        raise FolderOfAnotherUser(f"{start.lock} may not be written: {error.strerror}") from error
    with file:
        if not try_lock(file, fcntl.LOCK_EX):
            process, origin = _who_runs(file)
            has_ports = origin != start.settings.origin
            elsewhere = start.here_in_another_folder if has_ports else start.elsewhere
            raise DemoRunsAlready(folder=start.folder, process=process, origin=origin, elsewhere=elsewhere)
        file.truncate(0)
        file.write(f"{os.getpid()} {start.settings.origin}\n")
        file.flush()
        yield


def _who_runs(file: TextIOWrapper) -> tuple[str, str]:
    """Return process and origin of the demo that holds the lock; unknown while it is writing them."""
    file.seek(0)
    process, _, origin = file.read().strip().partition(" ")
    return process or UNKNOWN, origin or UNKNOWN


def require_its_ports(start: Start) -> None:
    """Check that the UZI cards in the folder were made for these ports; a folder without cards fits any.

    Raises:
        FolderOfOtherPorts: they were made for others.
    """
    asked, made_for = start.settings.listen_port, made_for_port(start.folder)
    if made_for is not None and made_for != asked:
        raise FolderOfOtherPorts(
            folder=start.folder,
            made_for=made_for,
            asked=asked,
            there=start.line(made_for, start.settings.data_folder),
            elsewhere=start.here_in_another_folder,
        )


def made_for_port(folder: Path) -> int | None:
    """Return the portal's port of the demo that made the UZI cards in a folder; None without cards."""
    tray, name = VirtualReader(folder / "cards"), f"uzi-{MEMBERS[0].professional}"
    if name not in tray.cards:
        return None
    stored = tray.card_state(name).objects[codes.CERTIFICATE_OBJECTS[KeySlot.authentication]]
    register = urlsplit(ocsp_addresses(decode_certificate(stored))[0])
    return register.port - REGISTER_ABOVE if register.port else None
