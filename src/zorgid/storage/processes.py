"""Which living processes work in a folder. The server and all its children work in their data folder.

A number in a pid file says little: after a restart it can be anybody's.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PROCESSES_ARE_VISIBLE: Final = Path("/proc/self/cwd").exists()
"""True where the system shows the working folder of a process, as Linux does."""


def process_space() -> str:
    """Return the name of the space in which process numbers mean something; containers have one each."""
    return str(Path("/proc/self/ns/pid").readlink()) if PROCESSES_ARE_VISIBLE else ""


def works_in(process: int, folder: Path) -> bool:
    """Tell whether `process` lives and works in `folder`; without a view on processes, whether it lives."""
    if not PROCESSES_ARE_VISIBLE:
        return _lives(process)
    try:
        return Path(f"/proc/{process}/cwd").samefile(folder)
    except OSError:
        return False


def workers_in(folder: Path) -> Sequence[int]:
    """Return every process that works in `folder`; none where processes cannot be seen."""
    if not PROCESSES_ARE_VISIBLE:
        return []
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [number for number in numbers if works_in(number, folder)]


def nobody_works_in(folder: Path, seconds: float) -> bool:
    """Wait until no process works in `folder`; false when `seconds` were not enough."""
    deadline = time.monotonic() + seconds
    while workers_in(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
