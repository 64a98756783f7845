"""Where modules of other vendors stand, on each system; found by their usual names, or named by a setting.

Whole paths only: a library is never looked for in the folder somebody happens to be in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "linux": (
        "/usr/lib/libaetpkss.so.3",
        "/usr/lib64/libaetpkss.so.3",
        "/usr/lib/x86_64-linux-gnu/libaetpkss.so.3",
        "/usr/local/lib/libaetpkss.so.3",
        "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
        "/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so",
        "/usr/lib64/opensc-pkcs11.so",
        "/usr/lib/opensc-pkcs11.so",
        "/usr/lib/x86_64-linux-gnu/libykcs11.so.2",
        "/usr/lib/aarch64-linux-gnu/libykcs11.so.2",
        "/usr/lib64/libykcs11.so.2",
        "/usr/lib/libykcs11.so.2",
    ),
    "darwin": (
        "/Library/Frameworks/eToken.framework/Versions/Current/libaetpkss.dylib",
        "/usr/local/lib/libaetpkss.dylib",
        "/Applications/tokenadmin.app/Contents/Frameworks/libaetpkss.dylib",
        "/Library/OpenSC/lib/opensc-pkcs11.so",
        "/usr/local/lib/opensc-pkcs11.so",
        "/usr/local/lib/libykcs11.dylib",
        "/opt/homebrew/lib/libykcs11.dylib",
    ),
    "win32": (
        r"{SystemRoot}\System32\aetpkss1.dll",
        r"{ProgramFiles}\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll",
        r"{ProgramFiles}\Yubico\Yubico PIV Tool\bin\libykcs11.dll",
    ),
}
"""In the order in which they are asked: SafeSign (UZI cards), OpenSC, ykcs11."""


@dataclass(frozen=True)
class Modules:
    """The files of the modules that may be used, and whether somebody named them or they were found."""

    paths: tuple[str, ...]
    are_named: bool


def named_modules(text: str) -> Modules:
    """Return the modules that a setting names, separated as paths are on this system; none for no text."""
    paths = tuple(part.strip() for part in text.split(os.pathsep) if part.strip())
    return Modules(paths, are_named=True)


def usual_modules(
    system: str,
    variables: Mapping[str, str],
    exists: Callable[[str], bool] = lambda path: Path(path).is_file(),
) -> Modules:
    """Return the modules that are there under their usual names; `system` as in `sys.platform`."""
    folders = {name: variables.get(name, "") for name in ("SystemRoot", "ProgramFiles")}
    candidates = [place.format_map(folders) for place in USUAL.get(system, ())]
    return Modules(tuple(path for path in candidates if exists(path)), are_named=False)
