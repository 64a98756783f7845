r"""The scheme on Windows: keys of this user in the registry, under `HKEY_CURRENT_USER\Software\Classes`.

Source: Microsoft, "Registering an Application to a URI Scheme".
"""

import contextlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from zorgid.protocol.links import SCHEME
from zorgid_desktop.scheme.program import Program

CLASSES: Final = r"Software\Classes"
ROOT: Final = rf"{CLASSES}\{SCHEME}"
COMMAND: Final = rf"{ROOT}\shell\open\command"
CHOICE: Final = rf"Software\Microsoft\Windows\Shell\Associations\UrlAssociations\{SCHEME}\UserChoice"
"""Holds what the user chose in the settings of Windows; it counts before anything else."""


@dataclass(frozen=True)
class Entry:
    """A value in the registry: its key below the user's hive, its name (empty for the default), its text."""

    key: str
    name: str
    text: str


class Registry(Protocol):
    """The registry, as far as it is needed."""

    def read(self, key: str, name: str) -> str | None:
        """Return a text of this user, else of this computer; None when it is not there."""
        ...

    def write(self, entry: Entry) -> None:
        """Write a text, and the keys above it."""
        ...

    def remove(self, key: str) -> None:
        """Remove a key that has no keys below it; nothing happens when it is not there."""
        ...


def entries(program: Program) -> Sequence[Entry]:
    """Return what makes links of the scheme start this program; `%1` is the link."""
    command = " ".join([*(quoted(word) for word in program.command), '"%1"'])
    return (
        Entry(ROOT, "", "URL:ZORG-ID"),
        Entry(ROOT, "URL Protocol", ""),
        Entry(rf"{ROOT}\DefaultIcon", "", f"{quoted(program.start[0])},0"),
        Entry(COMMAND, "", command),
    )


def quoted(word: str) -> str:
    """Return a word of a command line between quotes when it has a blank.

    No path of Windows and no option of ours has a quote in it.
    """
    return f'"{word}"' if " " in word or "\\" in word else word


def words_of(command: str) -> Sequence[str]:
    """Return the words of a command line as Windows splits it, as far as registrations need."""
    words, is_quoted, word, is_word = [], False, "", False
    for sign in command:
        if sign == '"':
            is_quoted, is_word = not is_quoted, True
        elif sign == " " and not is_quoted:
            words += [word] if is_word else []
            word, is_word = "", False
        else:
            word, is_word = word + sign, True
    return tuple([*words, word] if is_word else words)


def registered_command(registry: Registry) -> Sequence[str] | None:
    """Return the words of the command that a link starts; None when nothing is registered."""
    chosen = registry.read(CHOICE, "ProgId")
    command = registry.read(rf"{CLASSES}\{chosen}\shell\open\command" if chosen else COMMAND, "")
    return words_of(command) if command else None


def write(registry: Registry, program: Program) -> None:
    """Write all entries."""
    for entry in entries(program):
        registry.write(entry)


def remove(registry: Registry) -> None:
    """Remove all that `write` wrote, the innermost key first."""
    for key in (COMMAND, rf"{ROOT}\shell\open", rf"{ROOT}\shell", rf"{ROOT}\DefaultIcon", ROOT):
        registry.remove(key)


class UserRegistry:
    """The registry of Windows through the standard library's `winreg`."""

    def __init__(self) -> None:
        self._winreg = importlib.import_module("winreg")
        self._hive = self._winreg.HKEY_CURRENT_USER

    def read(self, key: str, name: str) -> str | None:
        """Return a text of this user, else of this computer; None when it is not there."""
        for hive in (self._hive, self._winreg.HKEY_LOCAL_MACHINE):
            with contextlib.suppress(OSError), self._winreg.OpenKey(hive, key) as opened:
                return str(self._winreg.QueryValueEx(opened, name)[0])
        return None

    def write(self, entry: Entry) -> None:
        """Write a text, and the keys above it."""
        with self._winreg.CreateKey(self._hive, entry.key) as opened:
            self._winreg.SetValueEx(opened, entry.name, 0, self._winreg.REG_SZ, entry.text)

    def remove(self, key: str) -> None:
        """Remove a key that has no keys below it; nothing happens when it is not there."""
        with contextlib.suppress(OSError):
            self._winreg.DeleteKey(self._hive, key)


def open_registry() -> Registry:
    """Return the registry of this user."""
    return UserRegistry()
