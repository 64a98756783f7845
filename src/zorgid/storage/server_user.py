"""Who runs the embedded PostgreSQL: we ourselves, or a system user of its own when we are root.

PostgreSQL refuses to run as root. Nothing of root's is opened for the system user: what it may not read is
put elsewhere (see `embedded`).
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zorgid.kernel.errors import Fault

SYSTEM_USER: Final = "zorgid-postgres"


class ServerUserMissing(Fault):
    """The system user could not be made; the operator makes it, or runs this as an ordinary user."""


@dataclass(frozen=True)
class ServerUser:
    """The user that runs the server, and the one that speaks to it."""

    name: str
    user_id: int
    group_id: int
    is_ourselves: bool

    def identity(self) -> dict[str, Any]:
        """Return the arguments that let `subprocess` start a program as this user."""
        if self.is_ourselves:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": [], "umask": 0o077}

    def may_run(self, path: Path) -> bool:
        """Tell whether this user can reach and execute (or enter) `path`; the system itself is asked."""
        if self.is_ourselves:
            return os.access(path, os.X_OK)
        asked = subprocess.run(  # noqa: S603 - a fixed program, no shell reads the path
            ["/usr/bin/test", "-x", str(path)], check=False, cwd="/", **self.identity()
        )
        return asked.returncode == 0

    def make_folder(self, path: Path) -> None:
        """Make a folder that only this user may enter, unless it is there."""
        if not path.exists():
            path.mkdir(mode=0o700)
            if not self.is_ourselves:
                os.chown(path, self.user_id, self.group_id)


def our_name() -> str:
    """Return the name of the user that runs this process, as PostgreSQL sees it across a socket."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise ServerUserMissing(
            f"the user with number {os.geteuid()} has no name; PostgreSQL needs one"
        ) from None


def server_user() -> ServerUser:
    """Return who runs the server; as root that is a system user, made when it is not there.

    Raises:
        ServerUserMissing: it is not there and cannot be made.
    """
    if os.geteuid() != 0:
        return ServerUser(our_name(), os.geteuid(), os.getegid(), is_ourselves=True)
    entry = _entry() or _made()
    return ServerUser(SYSTEM_USER, entry.pw_uid, entry.pw_gid, is_ourselves=False)


def _entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def _made() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    if useradd is None:
        raise ServerUserMissing(f"there is no useradd to make the system user {SYSTEM_USER}")
    command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", SYSTEM_USER]
    made = subprocess.run(command, check=False, cwd="/", capture_output=True)  # noqa: S603 - fixed arguments
    entry = _entry()  # another process may have been first, which is as good
    if entry is None:
        raise ServerUserMissing(f"useradd {SYSTEM_USER}: {made.stderr.decode(errors='replace').strip()}")
    return entry
