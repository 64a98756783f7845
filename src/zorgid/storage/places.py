"""Where the embedded PostgreSQL keeps its data: in the folder it was given, or where its user may go.

Rights of folders that are not ours never change. As root, when the system user cannot reach the folder, the
data stand below `SHARED` and the file `elsewhere` in the folder says where.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from zorgid.kernel.errors import Fault
from zorgid.storage.server_user import ServerUser

SHARED: Final = Path("/var/lib/zorgid")
"""Where root keeps what the system user must reach and cannot reach elsewhere."""


class FolderIsACopy(Fault):
    """The folder was copied from another one whose data stand elsewhere; two may not share them unawares."""


class DataAreGone(Fault):
    """The folder says that its data stand elsewhere, and they do not.

    The operator restores or begins anew.
    """


def home_of(folder: Path, user: ServerUser) -> Path:
    """Return the folder that holds the data of `folder`, and make it when there are none yet.

    Raises:
        FolderIsACopy, DataAreGone: see there.
    """
    if not user.is_ourselves:
        _make_open_folder(SHARED)
    pointer = folder / "elsewhere"
    if pointer.exists():
        return _home_elsewhere(Path(pointer.read_text().strip()), folder)
    if (folder / "data").exists() or user.may_run(folder):
        return folder
    home = SHARED / f"data-{secrets.token_hex(8)}"
    _make_open_folder(home)
    (home / "belongs-to").write_text(f"{folder}\n")
    pointer.write_text(f"{home}\n")
    return home


def keep_names(folder: Path) -> None:
    """Make sure that a name given in `folder` is still there after a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _home_elsewhere(home: Path, folder: Path) -> Path:
    belonging = home / "belongs-to"
    if not belonging.exists():
        raise DataAreGone(
            f"{folder} says that its data are in {home}; remove {folder} to begin with an empty database"
        )
    first = Path(belonging.read_text().strip())
    if first != folder:
        if (first / "elsewhere").exists():
            raise FolderIsACopy(f"{folder} is a copy of {first}; remove it to begin with an empty database")
        belonging.write_text(f"{folder}\n")  # the folder was moved, and its data go with it
    return home


def _make_open_folder(path: Path) -> None:
    """Make a folder that everyone may enter, whatever the umask; one that is there is left as it is."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)
