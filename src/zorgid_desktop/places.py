"""Folders of this user and of this computer, by the custom of each system.

Source: XDG Base Directory Specification 0.8; known folders of Windows; Apple's file system guide.
"""

from collections.abc import Mapping
from pathlib import Path

NAME = "zorg-id"


def _home(variables: Mapping[str, str]) -> Path:
    return Path(variables.get("HOME") or Path.home())


def _folder_in(variables: Mapping[str, str], name: str, otherwise: str) -> Path:
    """Return the folder of a variable; XDG says that a relative one counts as none."""
    given = Path(variables.get(name, ""))
    return given if given.is_absolute() else _home(variables) / otherwise


def data_home(variables: Mapping[str, str]) -> Path:
    """Return where programs of this user on Linux keep their data, `applications` among them."""
    return _folder_in(variables, "XDG_DATA_HOME", ".local/share")


def data_folders(variables: Mapping[str, str]) -> list[Path]:
    """Return all folders with data of programs on Linux, the user's first."""
    shared = variables.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [data_home(variables), *(Path(one) for one in shared.split(":") if one)]


def state_folder(variables: Mapping[str, str], platform: str) -> Path:
    """Return where this app remembers things of this user between starts."""
    if platform == "win32":
        return Path(variables.get("LOCALAPPDATA") or _home(variables)) / "ZORG-ID"
    if platform == "darwin":
        return _home(variables) / "Library/Application Support/ZORG-ID"
    return _folder_in(variables, "XDG_STATE_HOME", ".local/state") / NAME


def machine_folder(variables: Mapping[str, str], platform: str) -> Path:
    """Return where the administrator of this computer configures this app."""
    if platform == "win32":
        return Path(variables.get("PROGRAMDATA") or r"C:\ProgramData") / "ZORG-ID"
    if platform == "darwin":
        return Path("/Library/Application Support/ZORG-ID")
    return Path("/etc") / NAME


def runtime_home(variables: Mapping[str, str]) -> Path | None:
    """Return this user's folder that lives as long as the login, on Linux; none where there is none."""
    given = Path(variables.get("XDG_RUNTIME_DIR", ""))
    return given if given.is_absolute() else None
