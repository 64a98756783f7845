"""The scheme on Linux: a .desktop file of this user, made the default by xdg-utils.

Source: Desktop Entry Specification 1.5, chapter "The Exec key"; MIME Applications Associations 1.0.1.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from zorgid.protocol.links import SCHEME
from zorgid_desktop.places import data_folders, data_home
from zorgid_desktop.scheme import SchemeNotRegistered
from zorgid_desktop.scheme.program import Program

FILE: Final = "zorgid-desktop.desktop"
TYPE: Final = f"x-scheme-handler/{SCHEME}"
TOOL_SECONDS: Final = 10

RESERVED: Final = re.compile(r"[\s\"'\\><~|&;$*?#()`]")
"""Signs for which a word must stand between quotes."""

WORD: Final = re.compile(r'"(?:\\.|[^"\\])*"|[^\s"]+')
"""A word of an Exec line, quoted or not."""

LAUNCHER: Final = """[Desktop Entry]
Type=Application
Name=ZORG-ID Desktop App
Comment=Log in with your card, and make a ZORG-ID Smartcard
Comment[nl]=Inloggen met uw kaart, en een ZORG-ID Smartcard maken
Exec={command}
Terminal={terminal}
Categories=Utility;
MimeType={kind};
"""


def register(program: Program, variables: Mapping[str, str]) -> None:
    """Write the launcher and make it the default for the scheme. Raises `SchemeNotRegistered`."""
    folder = data_home(variables) / "applications"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(launcher(program), encoding="utf-8")
    except OSError:
        raise SchemeNotRegistered from None
    _run(["update-desktop-database", str(folder)], variables)
    _run(["xdg-mime", "default", FILE, TYPE], variables)
    if not (registered_command(variables) or ("",))[0] == program.start[0]:
        raise SchemeNotRegistered


def unregister(variables: Mapping[str, str]) -> None:
    """Remove the launcher, and its name from the list of defaults."""
    folder = data_home(variables) / "applications"
    (folder / FILE).unlink(missing_ok=True)
    if folder.is_dir():
        _run(["update-desktop-database", str(folder)], variables)
    for listing in _default_lists(variables):
        if listing.is_file():
            text = listing.read_text(encoding="utf-8")
            listing.write_text(without_us(text), encoding="utf-8")


def registered_command(variables: Mapping[str, str]) -> Sequence[str] | None:
    """Return the words of the command that a link starts; None when nothing is registered."""
    name = _run(["xdg-mime", "query", "default", TYPE], variables).strip()
    if not name:
        return None
    for folder in data_folders(variables):
        file = folder / "applications" / name
        if file.is_file():
            return command_in(file.read_text(encoding="utf-8", errors="replace")) or (name,)
    return (name,)


def launcher(program: Program) -> str:
    """Return the .desktop file of a program; the link takes the place of `%u`."""
    words = " ".join(quoted(word) for word in program.command)
    return LAUNCHER.format(command=f"{words} %u", terminal=str(not program.has_window).lower(), kind=TYPE)


def quoted(word: str) -> str:
    """Return a word as it stands in an Exec line: quoted only when it must be.

    Simple openers, xdg-open outside a desktop among them, cannot read quotes.
    """
    escaped = word.replace("%", "%%")
    if word and not RESERVED.search(word):
        return escaped
    inner = re.sub(r'([\\"`$])', r"\\\1", escaped)
    return '"' + inner.replace("\\", "\\\\") + '"'


def command_in(text: str) -> Sequence[str] | None:
    """Return the words of the first Exec line of a .desktop file; None when it has none that can be read."""
    main = text.partition("[Desktop Entry]")[2].partition("\n[")[0]
    found = re.search(r"^Exec[ \t]*=[ \t]*(.*)$", main, re.MULTILINE)
    if found is None:
        return None
    line = found.group(1).replace("\\\\", "\\").strip()
    if WORD.sub("", line).strip():
        return None
    words = (_plain(match.group()) for match in WORD.finditer(line))
    return tuple(word.replace("%%", "%") for word in words) or None


def _plain(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word


def without_us(listing: str) -> str:
    """Return a list of defaults (mimeapps.list) in which this app opens nothing any more."""
    kept = []
    for line in listing.splitlines(keepends=True):
        key, _, names = line.rstrip("\n").partition("=")
        others = [name for name in names.split(";") if name and name != FILE]
        if key.strip() != TYPE or FILE not in names.split(";"):
            kept.append(line)
        elif others:
            kept.append(f"{key}={';'.join(others)};\n")
    return "".join(kept)


def _default_lists(variables: Mapping[str, str]) -> list[Path]:
    home = Path(variables.get("HOME") or Path.home())
    given = Path(variables.get("XDG_CONFIG_HOME", ""))
    config = given if given.is_absolute() else home / ".config"
    desktops = [name.lower() for name in variables.get("XDG_CURRENT_DESKTOP", "").split(":") if name]
    names = ["mimeapps.list", *(f"{name}-mimeapps.list" for name in desktops)]
    return [config / name for name in names] + [data_home(variables) / "applications" / "mimeapps.list"]


def _run(words: Sequence[str], variables: Mapping[str, str]) -> str:
    """Return what a tool of the desktop says; nothing when it is not there or fails."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, and no shell
            words,
            capture_output=True,
            text=True,
            timeout=TOOL_SECONDS,
            check=False,
            env={**os.environ, **variables},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
