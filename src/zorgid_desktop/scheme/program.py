"""How this very program is started, from a package or from the project."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONSOLE: Final = "zorgid-desktop"
WINDOW: Final = "zorgid-desktop-window"
"""The names of the two programs in a package: on Windows a program has a console or has none."""


@dataclass(frozen=True)
class Program:
    """A program that opens links: the words that start it, and the words for a link."""

    start: tuple[str, ...]
    options: tuple[str, ...] = ()
    """Come between program and command, such as the folder of the demo's cards."""
    has_window: bool = True

    @property
    def command(self) -> tuple[str, ...]:
        """All words before the link; `--` keeps whatever a link looks like from being an option."""
        return (*self.start, *self.options, "open", *(("--window",) if self.has_window else ()), "--")


def is_packaged() -> bool:
    """Tell whether this program runs from a package."""
    return bool(getattr(sys, "frozen", False))


def program_for(cards_folder: Path | None) -> Program:
    """Return this program; it keeps finding the virtual cards, wherever a browser starts it."""
    return this_program(("--cards-folder", str(cards_folder.resolve())) if cards_folder else ())


def this_program(options: tuple[str, ...] = ()) -> Program:
    """Return the program that runs now, with windows when this computer can draw them."""
    if is_packaged():
        return _packaged(Path(sys.executable), options)
    beside = Path(sys.executable).with_name(CONSOLE + Path(sys.executable).suffix)
    start = (str(beside),) if beside.is_file() else (sys.executable, "-m", "zorgid_desktop.cli")
    return Program(start, options, has_window=importlib.util.find_spec("PySide6") is not None)


def _packaged(executable: Path, options: tuple[str, ...]) -> Program:
    window = executable.with_name(WINDOW + executable.suffix)
    return Program((str(window if window.is_file() else executable),), options, has_window=window.is_file())
