"""Nothing of what a person typed is left in a core file, whichever face asked for it (ALL-4)."""

import subprocess
import sys
from pathlib import Path

import pytest

PR_GET_DUMPABLE = 3
TELL = (
    "import ctypes, resource;"
    f"print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl({PR_GET_DUMPABLE}, 0, 0, 0, 0))"
)


@pytest.mark.parametrize("command", [["cards"], ["pin", "change"], ["pin", "unblock"], ["open", "no link"]])
def test_no_core_file_is_written_by_the_terminal(tmp_path: Path, command: list[str]) -> None:
    """In a program of its own: a limit that was lowered stays so."""
    words = ["--cards-folder", str(tmp_path), *command]
    done = subprocess.run(
        [sys.executable, "-c", f"from zorgid_desktop.cli import main; main({words}); {TELL}"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "(0, 0) 0"
