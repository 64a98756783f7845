"""Says in a sentence that no window can be shown here, where Qt would end the program with a core.

Only Qt knows for certain: it tries each way to a screen (X11, Wayland, or what `QT_QPA_PLATFORM` names), and
tells by a fatal message that none works. It aborts behind that message, so the sentence is said there and the
program ended. Where there is a screen this costs nothing.
"""

import ctypes
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PySide6.QtCore import QLibraryInfo, QMessageLogContext, QtMsgType, qInstallMessageHandler

from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import Said
from zorgid_desktop.needed import library_missing_in, without_library
from zorgid_desktop.texts import in_terminal

REFUSED: Final = 1
TRIED: Final = re.compile(r'Qt platform plugin "([\w-]+)"')
SCREEN_OF: Final[Mapping[str, str]] = {"xcb": "DISPLAY", "wayland": "WAYLAND_DISPLAY"}
"""The variable that names the screen, by the first word of the plugin that draws on it."""


@contextmanager
def said_without_screen(language: Language) -> Iterator[None]:
    """Make Qt's application inside; when there is no screen for it, say so and end the program with 1."""
    heard: list[str] = []

    def hear(kind: QtMsgType, _: QMessageLogContext, text: str) -> None:
        heard.append(text)
        if kind is QtMsgType.QtFatalMsg:
            _end(heard, language)

    before = qInstallMessageHandler(hear)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
    for text in heard:
        print(text, file=sys.stderr)  # noqa: T201 - where Qt itself would have written it


def _end(heard: Sequence[str], language: Language) -> None:
    try:
        plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "platforms"
        said = why_no_window(heard, os.environ, plugins)
        print(in_terminal(said, language), file=sys.stderr, flush=True)  # noqa: T201 - nothing else can say it
    finally:
        os._exit(REFUSED)


def why_no_window(heard: Sequence[str], variables: Mapping[str, str], plugins: Path) -> Said:
    """Return what to tell when Qt could show nothing, from its messages."""
    tried = dict.fromkeys(name for text in heard for name in TRIED.findall(text))
    named_by = {name: SCREEN_OF.get(name.split("-")[0], "QT_QPA_PLATFORM") for name in tried}
    wanted = {name: variable for name, variable in named_by.items() if variables.get(variable)}
    if not wanted:
        return Said("no-screen")
    # A plugin that Qt tried in vain, for a kind of screen that nobody named, is not what is wrong.
    missing = next(filter(None, (_missing_for(plugins / f"libq{name}.so") for name in wanted)), None)
    if missing:
        return without_library(missing)
    variable = next(iter(wanted.values()))
    return Said("screen-unreachable", {"screen": variables[variable], "variable": variable})


def _missing_for(plugin: Path) -> str | None:
    """Return the library of the system that a plugin lacks; Qt keeps to itself which one that is."""
    if not plugin.is_file():
        return None
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        return library_missing_in(str(error))
    return None
