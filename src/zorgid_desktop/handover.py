"""One app for one desk: a second start hands its link to the program that runs already.

Only within the same user and the same desktop session (docs/decisions/0580-one-window-at-a-desk.md). The way
is a socket in the user's runtime folder. Before anything is sent, the second program asks the kernel whose
process listens there; before anything is read, the first asks whose process calls. A socket that somebody put
in the way gets nothing.

Where there is no such folder, or the kernel does not tell (Windows, macOS), every start stands by itself.
"""

import contextlib
import hashlib
import json
import os
import socket
import stat
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from zorgid.protocol.errors import LinkMalformed
from zorgid.protocol.links import LaunchLink, parse_link
from zorgid_desktop.places import NAME, runtime_home

SESSION_VARIABLES: Final = ("XDG_SESSION_ID", "WAYLAND_DISPLAY", "DISPLAY")
"""What tells one desktop session of a user from another."""

MOST_BYTES: Final = 1000
PATIENCE_SECONDS: Final = 3.0
CREDENTIALS: Final = struct.Struct("3i")
"""Process, user and group of the other side (Linux, unix(7), SO_PEERCRED)."""


class Answer(StrEnum):
    """What the first program says to a link."""

    taken = "taken"
    """It shows this very login."""
    busy = "busy"
    """It is in the middle of another one."""
    refused = "refused"
    """It is no link, or not from this desktop."""


class AlreadyRunning(Exception):
    """Another program of this user is the first at this desk."""


class PlaceUnsafe(Exception):
    """Somebody else owns or may write what should be this user's alone; nothing was sent."""

    code = "handover-unsafe"


@dataclass(frozen=True)
class HandoverPlace:
    """Where programs of one user at one desk meet."""

    folder: Path
    session: str
    """Stands for the desktop session; a hash, so that it fits in a name."""

    @property
    def socket_path(self) -> Path:
        """The socket of the first program."""
        return self.folder / f"{self.session}.socket"

    @property
    def lock_path(self) -> Path:
        """Whoever has the lock of this file is the first program."""
        return self.folder / f"{self.session}.lock"


def place_of(variables: Mapping[str, str], platform: str = sys.platform) -> HandoverPlace | None:
    """Return the meeting place of this desk; None where there is none, and every start stands by itself."""
    home = runtime_home(variables)
    if home is None or not platform.startswith("linux"):
        return None
    desk = "\n".join(variables.get(name, "") for name in SESSION_VARIABLES)
    return HandoverPlace(home / NAME, hashlib.sha256(desk.encode()).hexdigest()[:16])


def hand_over(place: HandoverPlace, link: LaunchLink) -> Answer | None:
    """Give a link to the first program and return what it says; None when none answers.

    Raises:
        PlaceUnsafe: what is there is not this user's alone; the link was not sent.
    """
    if not _is_ours_alone(place.folder, stat.S_ISDIR) or not _is_ours_alone(place.socket_path, stat.S_ISSOCK):
        return None
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_SECONDS)
        try:
            line.connect(str(place.socket_path))
            if _user_of(line) != os.getuid():
                raise PlaceUnsafe
            line.sendall(_message(place, link))
            line.shutdown(socket.SHUT_WR)
            return Answer(_read(line).decode("ascii"))
        except (OSError, ValueError):
            return None


def _message(place: HandoverPlace, link: LaunchLink) -> bytes:
    return json.dumps({"session": place.session, "link": link.text()}).encode()


def _is_ours_alone(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Tell whether `path` is there. Raises `PlaceUnsafe` when it is not of its kind, or not only ours."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    if not is_kind(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PlaceUnsafe
    return True


def _user_of(line: socket.socket) -> int:
    """Return the user whose process is at the other side, as the kernel knows it."""
    said = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, user, _ = CREDENTIALS.unpack(said)
    return int(user)


def _read(line: socket.socket) -> bytes:
    """Return all that the other side sends, up to a bound. Raises `ValueError` beyond it."""
    received = b""
    while part := line.recv(MOST_BYTES):
        received += part
        if len(received) > MOST_BYTES:
            raise ValueError("too long")
    return received


class Listening:
    """The first program at this desk, listening for links while the block runs.

    `on_link` is called in a thread of the listener, one link at a time, answers at once and raises nothing.
    Nothing of a link is kept or logged here.

    Raises:
        AlreadyRunning: another program is the first.
        PlaceUnsafe: the folder is not this user's alone.
    """

    def __init__(self, place: HandoverPlace, on_link: Callable[[LaunchLink], Answer]) -> None:
        self._place = place
        self._on_link = on_link
        self._stack = contextlib.ExitStack()
        self._thread = threading.Thread(target=self._serve, name="hand-over", daemon=True)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._take_lock(stack)
            self._line = stack.enter_context(socket.socket(socket.AF_UNIX))
            self._place.socket_path.unlink(missing_ok=True)  # of a first program that was killed
            self._line.bind(str(self._place.socket_path))
            stack.callback(self._place.socket_path.unlink, missing_ok=True)
            self._place.socket_path.chmod(0o600)  # the folder lets nobody else in before that either
            self._line.listen()
            self._stack = stack.pop_all()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        self._stack.close()

    def _take_lock(self, stack: contextlib.ExitStack) -> None:
        import fcntl  # noqa: PLC0415 - not on every system

        folder = self._place.folder
        folder.mkdir(mode=0o700, exist_ok=True)
        _is_ours_alone(folder, stat.S_ISDIR)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = stack.enter_context(os.fdopen(os.open(self._place.lock_path, flags, 0o600), "r+"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning from None

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._line.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError):
                line.settimeout(PATIENCE_SECONDS)
                if _user_of(line) == os.getuid():
                    line.sendall(self._answer(line).encode("ascii"))

    def _answer(self, line: socket.socket) -> Answer:
        try:
            told = json.loads(_read(line))
            if told["session"] != self._place.session:
                return Answer.refused
            link = parse_link(told["link"])
        except (ValueError, KeyError, TypeError, RecursionError, LinkMalformed):
            return Answer.refused
        return self._on_link(link)
