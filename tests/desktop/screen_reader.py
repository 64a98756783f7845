"""Run by Debian's Python: at each line on its input, all that a screen reader gets of a program, as JSON.

The line is the title of the window that must be there; what is not there within the time is left out.
"""

import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402 - after the version was chosen

LONGEST_SECONDS = 60
Atspi.set_timeout(1000 * LONGEST_SECONDS, 1000 * LONGEST_SECONDS)  # by itself less than a second


def children(one):
    return [child for child in (one.get_child_at_index(at) for at in range(one.get_child_count())) if child]


def text_of(one):
    text = one.get_text_iface()
    return Atspi.Text.get_text(text, 0, Atspi.Text.get_character_count(text)) if text else ""


def told(one):
    states = one.get_state_set()
    yield {
        "role": one.get_role_name(),
        "name": one.get_name(),
        "description": one.get_description(),
        "focused": states.contains(Atspi.StateType.FOCUSED),
        "showing": states.contains(Atspi.StateType.SHOWING),
        "text": text_of(one),
    }
    for child in children(one):
        yield from told(child)


def windows():
    """Yield every window of every program that shows one."""
    for program in children(Atspi.get_desktop(0)):
        program.clear_cache()
        for window in children(program):
            if window.get_state_set().contains(Atspi.StateType.SHOWING):
                yield window


def told_of(title):
    """Return all of the window with this title, of whichever program; nothing when it is not there in time."""
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        try:
            for window in windows():
                if window.get_name() == title:
                    return list(told(window))
        except GLib.GError:  # one went while it was looked at
            continue
        time.sleep(0.05)
    return []


for line in sys.stdin:
    print(json.dumps(told_of(line.rstrip("\n"))), flush=True)  # noqa: T201
