"""Tells, line by line, what a screen reader sees of the Desktop App. Run by Debian's Python, which has AT-SPI.

For each line on standard input it writes one line of JSON: every object that is shown, with role, name, text,
place on the screen, and whether it has the focus; null when a window went while it was looked at.
"""

import json
import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402 - the version is chosen first

APP = "zorgid-desktop"
LONGEST_MS = 60_000
Atspi.set_timeout(LONGEST_MS, LONGEST_MS)  # by itself less than a second, too little for a busy computer


def shown_below(node, found):
    states = node.get_state_set()
    if not states.contains(Atspi.StateType.SHOWING):
        return
    place = node.get_extents(Atspi.CoordType.SCREEN)
    is_text = "Text" in node.get_interfaces()
    found.append(
        {
            "role": node.get_role_name(),
            "name": node.get_name(),
            "text": Atspi.Text.get_text(node, 0, -1) if is_text else "",
            "place": [place.x, place.y, place.width, place.height],
            "focused": states.contains(Atspi.StateType.FOCUSED),
        }
    )
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child is not None:
            shown_below(child, found)


def look():
    found = []
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        app = desktop.get_child_at_index(index)
        if app is not None and app.get_name() == APP:
            for number in range(app.get_child_count()):
                window = app.get_child_at_index(number)
                if window is not None:
                    shown_below(window, found)
    return found


for _ in sys.stdin:
    try:
        seen = look()
    except GLib.GError:
        seen = None
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()
