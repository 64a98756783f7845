"""Where seals go: outside the database, to a folder that its administrators cannot write.

A folder holds one file per day, `seals-2026-06-15.jsonl`, with one seal per line in the order of their
numbers. Several nodes may each have a folder of their own (each then holds the whole chain) or share one.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from zorgid.audit.chain import Seal, SealUnreadable
from zorgid.kernel.errors import Fault

FILES: Final = "seals-*.jsonl"


class PlaceUnfit(Fault):
    """The last line of the seals is no seal; somebody was in the folder.

    The operator runs `zorgid audit verify`.
    """


@dataclass(frozen=True)
class KeptLine:
    """A line as it was found, and where; it may be anything."""

    place: str
    unverified_line: str


class SealPlace(Protocol):
    """Keeps seals where whoever can write the database cannot."""

    def last_number(self) -> int:
        """Return the number of the newest seal, 0 when there is none. Raises `PlaceUnfit`."""

    def append(self, seals: Sequence[Seal]) -> None:
        """Keep the seals that are newer than the newest; on disk when this returns.

        Raises `PlaceUnfit`, `OSError`.
        """

    def lines(self) -> Iterator[KeptLine]:
        """Give everything that is kept, in order."""


class FolderSeals:
    """Keeps seals in a folder, made on first use and open to its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last_number(self) -> int:
        """Return the number of the newest seal, 0 when there is none.

        Raises:
            PlaceUnfit: the last whole line is no seal.
        """
        for file in reversed(self._files()):
            whole = [line for line in _last_lines(file) if line]
            if whole:
                return _number(file, whole[-1])
        return 0

    def append(self, seals: Sequence[Seal]) -> None:
        """Keep the seals that are newer than the newest; they are on disk when this returns.

        A line that a crash left half-written is taken away first; the seal itself comes again.

        Raises:
            PlaceUnfit: the last whole line is no seal.
            OSError: the disk is full, or the folder may not be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked():
            newest = self.last_number()
            for seal in seals:
                if seal.number > newest:
                    _append_line(self._folder / f"seals-{seal.at.date().isoformat()}.jsonl", seal.line())
            _sync(self._folder)

    def lines(self) -> Iterator[KeptLine]:
        """Give every line of every file, in order; also a last line without its end."""
        for file in self._files():
            with file.open(encoding="utf-8", errors="replace", newline="\n") as opened:
                for number, line in enumerate(opened, start=1):
                    yield KeptLine(f"{file.name}:{number}", line.removesuffix("\n"))

    def _files(self) -> Sequence[Path]:
        return sorted(self._folder.glob(FILES))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


TAIL_BYTES: Final = 8192
"""More than the longest seal: enough of the end of a file to hold its last whole line."""


def _last_lines(file: Path) -> Sequence[str]:
    """Return the whole lines at the end of a file; the first may be a piece, the last is what counts."""
    with file.open("rb") as opened:
        opened.seek(max(file.stat().st_size - TAIL_BYTES, 0))
        whole, _, _ = opened.read().rpartition(b"\n")
    return whole.decode("utf-8", "replace").split("\n")


def _number(file: Path, line: str) -> int:
    try:
        return Seal.from_line(line).number
    except SealUnreadable as unreadable:
        raise PlaceUnfit(f"the last line of {file.name} is no seal") from unreadable


def _append_line(file: Path, line: str) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(size - TAIL_BYTES, 0))
        half_line = len(opened.read().rpartition(b"\n")[2])
        opened.truncate(size - half_line)
        opened.seek(0, os.SEEK_END)
        opened.write(line.encode("utf-8") + b"\n")
        opened.flush()
        os.fsync(opened.fileno())


def _sync(folder: Path) -> None:
    """Make the names of new files last, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
