"""Keeps secrets out of what a dying program says: no words of errors on any output."""

import sys
import threading
from collections.abc import Callable
from types import TracebackType

from zorgid_desktop.flow.asking import Trouble
from zorgid_desktop.flow.ending import reference_of, why_it_ended


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
