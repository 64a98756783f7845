"""What a Linux computer lacks to show windows: a library of the system, and the package that has it."""

import re
from typing import Final

from zorgid_desktop.flow.asking import Said

MISSING: Final = re.compile(r"([\w.+-]+\.so[\w.]*): cannot open shared object file")
"""What the system's loader says."""
LIBRARY: Final = re.compile(r"(.+)\.so\.(\d+)")
NAMED_OTHERWISE: Final = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libz.so.1": "zlib1g",
}
"""Packages in Debian 12 that do not follow the rule, of libraries that Qt needs."""


def library_missing_in(message: str) -> str | None:
    """Return the library that the loader did not find, by its message."""
    found = MISSING.search(message)
    return found.group(1) if found else None


def without_library(library: str) -> Said:
    """Return what to tell when a library of the system is missing."""
    return Said("window-library-missing", {"library": library, "package": debian_package(library)})


def debian_package(library: str) -> str:
    """Return the package that holds a library, by the rule for its name where none is known.

    Source: Debian Policy, 8.1: small letters, the number behind it, and a hyphen after a digit.
    """
    if library in NAMED_OTHERWISE:
        return NAMED_OTHERWISE[library]
    parts = LIBRARY.fullmatch(library.lower())
    if parts is None:
        return library
    name, number = parts.groups()
    return f"{name}-{number}" if name[-1].isdigit() else f"{name}{number}"
