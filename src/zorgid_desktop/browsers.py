"""Opens the browser in which a login began, without a shell (docs/desktop-protocol.md, chapter 6)."""

import shutil
import subprocess
import webbrowser
from collections.abc import Mapping
from typing import Final

from zorgid.protocol.links import Browser

PROGRAMS: Final[Mapping[Browser, tuple[str, ...]]] = {
    Browser.chrome: ("google-chrome", "chrome"),
    Browser.chromium: ("chromium", "chromium-browser"),
    Browser.edge: ("microsoft-edge", "msedge"),
    Browser.firefox: ("firefox", "firefox-esr"),
}
"""The fixed list of browsers.

A hint that names none of them, or one that is not here, means the default one.
"""


def open_in_browser(address: str, browser: Browser) -> bool:
    """Open `address` in the hinted browser, else the default one; false when none could be started.

    The address holds a one-time code; it is handed to the browser and kept nowhere.
    """
    for name in PROGRAMS.get(browser, ()):
        program = shutil.which(name)
        if program is not None and _started(program, address):
            return True
    try:
        return webbrowser.get().open(address)
    except webbrowser.Error:
        return False


def _started(program: str, address: str) -> bool:
    try:
        subprocess.Popen(  # noqa: S603 - a program of the fixed list, and no shell
            [program, address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:  # such as a file that only looks like a program
        return False
    return True
