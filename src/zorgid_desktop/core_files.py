"""Leaves nothing of the memory behind when the app dies: what a person typed is in there."""

import contextlib
import ctypes
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4
"""Source: prctl(2): with nought, no core file is written and no other program may look into this one."""


def keep_no_core_files() -> None:
    """Let a crash leave no memory behind; on a system that cannot do that, nothing changes."""
    try:
        import resource  # noqa: PLC0415 - not on Windows, where error reports are the administrator's setting
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
