"""Keeps secrets out of what a dying program leaves: no core files, no words of errors on any output."""

import contextlib
import ctypes
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final

from zorgid_desktop.flow.asking import Trouble
from zorgid_desktop.flow.ending import reference_of, why_it_ended

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


def catch_unforeseen(show: Callable[[Trouble], None]) -> Callable[[], None]:
    """Show whatever nobody catches, in any thread, by its reference; returns what undoes this.

    Python would print the words of the error, which may hold what a person typed.
    """
    before = sys.excepthook, threading.excepthook, sys.unraisablehook

    def caught(error: BaseException | None) -> None:
        if error is None or isinstance(error, SystemExit | KeyboardInterrupt):
            return
        print(f"zorgid-desktop: {reference_of(error)}", file=sys.stderr)  # noqa: T201 - for the administrator
        show(why_it_ended(error))

    def in_main(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        caught(error)

    sys.excepthook = in_main
    threading.excepthook = lambda args: caught(args.exc_value)
    sys.unraisablehook = lambda args: caught(args.exc_value)

    def undo() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

    return undo
