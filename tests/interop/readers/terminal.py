"""A person at a real terminal, in which `zorgid-desktop` runs as a process of its own."""

import codecs
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_SECONDS = 60
HEARS_CTRL_C = ("env", "--default-signal=INT")
"""What a shell starts in the background is deaf to Ctrl-C, and so is all that it starts, such as these tests."""


class Terminal:
    """The screen and the keyboard of one running command."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a read may end within a character
        self.screen = ""
        self._read_to = 0

    def read_until(self, words: str) -> str:
        """Wait until these words stand on the screen, after those waited for before; return what led to them."""
        end, wanted = time.monotonic() + WAIT_SECONDS, re.compile(r"\s+".join(map(re.escape, words.split())))
        while (found := wanted.search(self.screen, self._read_to)) is None:
            left = end - time.monotonic()
            assert left > 0, f"not on the screen: {words}\n{self.screen}"
            if select.select([self._descriptor], [], [], left)[0]:
                assert self._read(), f"the command ended without: {words}\n{self.screen}"
        before, self._read_to = self._read_to, found.end()
        return self.screen[before : self._read_to]

    def _read(self) -> bool:
        """Put what came on the screen; tells whether more may come."""
        try:
            came = os.read(self._descriptor, 4096)
        except OSError:  # the process closed its end
            return False
        self.screen += self._decoder.decode(came)
        return True

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._descriptor, line.encode() + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._descriptor, b"\x03")

    def ended(self) -> int:
        """Wait for the end of the command, with all that it still writes, and return its exit code."""
        while select.select([self._descriptor], [], [], WAIT_SECONDS)[0] and self._read():
            pass
        return self._process.wait(WAIT_SECONDS)


@contextmanager
def running(*words: str, folder: Path, **variables: str) -> Iterator[Terminal]:
    """Run `zorgid-desktop` with these words in a folder; ended when the block ends."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *HEARS_CTRL_C, sys.executable, "-m", "zorgid_desktop.cli", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "LC_ALL": "nl_NL.UTF-8", "COLUMNS": "200", **variables},
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
