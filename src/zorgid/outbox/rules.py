"""How often and after what pauses an event is tried again."""

from datetime import timedelta
from typing import Final

LEASE: Final = timedelta(minutes=1)
"""How long a dispatcher has for one handler before another may take the event up."""

HANDLER_TIME: Final = timedelta(seconds=45)
"""When a handler that does not end is given up.

Well within the lease, so that it never runs twice at once.
"""

MOST_TRIES: Final = 12
"""Tries before an event waits for the operator; with the pauses below, a good hour."""

LONGEST_PAUSE: Final = timedelta(hours=1)


def pause_after(tries: int) -> timedelta | None:
    """Return the pause before the next try, `tries` counting those that failed.

    None when there is no next one.
    """
    if tries >= MOST_TRIES:
        return None
    return min(timedelta(seconds=2 ** (tries - 1)), LONGEST_PAUSE)
