"""The PostgreSQL that comes along: made, started, joined and stopped by whoever uses its folder.

One server serves all processes that use the same folder. Each holds a shared lock on `users.lock` as long as
it lives, so that the system itself counts them, also when they are killed. The last to end cleanly stops the
server; a server that killed processes left behind is found and used again by the next.

As root the server runs as a system user. Where that user may not go, programs and data stand below
`/var/lib/zorgid` instead, and the file `elsewhere` in the folder says where: rights of folders that are not
ours never change.
"""

import fcntl
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from zorgid.kernel.errors import Fault
from zorgid.storage.binaries import Binaries, ProgramFailed, run
from zorgid.storage.locks import exclusive, try_lock
from zorgid.storage.places import SHARED, home_of, keep_names
from zorgid.storage.processes import PROCESSES_ARE_VISIBLE, nobody_works_in, process_space, works_in
from zorgid.storage.server_user import our_name, server_user

DATABASE: Final = "zorgid"
OWNER: Final = "zorgid"
"""The role of the platform: it owns the database and is no superuser."""

SUPERUSER: Final = "postgres"

DURABLE: Final[Mapping[str, str]] = MappingProxyType(
    {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
)
"""A commit that was answered survives the loss of power."""

QUIET_LOG: Final[Mapping[str, str]] = MappingProxyType(
    {
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length_on_error": "0",
        "log_timezone": "UTC",
    }
)
"""The server's log names errors without statements, values or keys, which may be personal (ALL-4)."""

LONGEST_SOCKET_FOLDER: Final = 85
"""Bytes; the path of a socket ends at 107 (sun_path in unix(7)) and PostgreSQL adds a name of its own."""

FIRST_WITH_BUILTIN_LOCALES: Final = 17
"""The major version from which PostgreSQL brings C.UTF-8 itself; before, the system's own is used."""

LARGEST_LOG_BYTES: Final = 10_000_000

START_SECONDS: Final = 60
"""Recovery after a crash counts in."""


class FolderOfAnotherMajor(Fault):
    """The data were made by another major version of PostgreSQL.

    The text tells the operator how to upgrade.
    """


class FolderOfAnotherUser(Fault):
    """The folder belongs to another user of this machine; the operator runs all commands as the same one."""


class EmbeddedPostgres:
    """A PostgreSQL server on `folder`, which is made when absent.

    `settings` change those of the server when this process starts it; tests give up durability with them. Use
    it as a context manager: the block gets the address of the database, and the server is stopped after the
    last user.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Binaries | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._folder = folder.absolute()
        self._offered = binaries
        self._settings = {"timezone": "UTC", **DURABLE, **QUIET_LOG, **settings}
        self._users: TextIOWrapper | None = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> str:
        """Start or join the server and return the address of the database, on a socket of this machine.

        Raises:
            FolderOfAnotherMajor, FolderOfAnotherUser: see there; nothing was changed.
            FolderIsACopy, DataAreGone: see `places`.
            ServerUserMissing, BinariesMissing, ProgramFailed: what their names say.
        """
        if self._users is not None:
            return self.url()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self._folder / "turn.lock"):
                self._users = self._come_in()
        except PermissionError as error:
            raise FolderOfAnotherUser(f"{our_name()} may not use {self._folder}: {error}") from error
        return self.url()

    def stop(self) -> None:
        """Let go of the server, and stop it when nobody else uses it."""
        if self._users is not None:
            with exclusive(self._folder / "turn.lock"):
                self._let_go(self._users)

    def discard(self) -> None:
        """Let go of the server; when nobody else uses it, throw all data away too.

        For worlds that end, as in tests.
        """
        if self._users is not None:
            with exclusive(self._folder / "turn.lock"):
                self._let_go(self._users)
                if self._postmaster() is None:
                    shutil.rmtree(self._home)
                    shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = DATABASE, role: str = OWNER) -> str:
        """Return the address of a database on the running server."""
        socket = quote(str(self._socket_folder()), safe="")
        return f"postgresql://{quote(role)}@/{quote(database)}?host={socket}"

    @property
    def data(self) -> Path:
        """The data folder of PostgreSQL."""
        return self._home / "data"

    @property
    def process_id(self) -> int | None:
        """The process of the running server, or None."""
        return self._postmaster()

    def _come_in(self) -> TextIOWrapper:
        """Bring the server up and return the lock that counts this process among its users."""
        self._choose_places()
        users = (self._folder / "users.lock").open("a")
        try:
            self._bring_up(is_alone=try_lock(users, fcntl.LOCK_EX))
            fcntl.flock(users, fcntl.LOCK_SH)
        except BaseException:
            users.close()
            raise
        return users

    def _let_go(self, users: TextIOWrapper) -> None:
        self._users = None
        with users:
            if try_lock(users, fcntl.LOCK_EX) and self._postmaster() is not None:
                self._end_server()

    def _choose_places(self) -> None:
        self._user = server_user()
        self._home = home_of(self._folder, self._user)
        self._binaries = (self._offered or Binaries.of_wheel()).readable_by(self._user, SHARED)

    def _bring_up(self, *, is_alone: bool) -> None:
        if not self.data.exists():
            self._initialise()
        self._require_ours()
        with self._connect(is_alone=is_alone) as connection:
            _make_database(connection)

    def _initialise(self) -> None:
        unfinished = self._home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._user.make_folder(unfinished)
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        locale = builtin if self._binaries.major() >= FIRST_WITH_BUILTIN_LOCALES else ["--locale=C.UTF-8"]
        sync = ["--no-sync"] if self._settings["fsync"] == "off" else []
        fixed = ["--encoding=UTF8", "--auth=reject", "--data-checksums", "--username", SUPERUSER]
        run([self._binaries.programs / "initdb", "-D", unfinished, *fixed, *locale, *sync], user=self._user)
        unfinished.rename(self.data)
        keep_names(self._home)

    def _require_ours(self) -> None:
        """Check who owns the data and which version made them. Raises as `start` says."""
        if self.data.stat().st_uid != self._user.user_id:
            raise FolderOfAnotherUser(f"{self.data} belongs to another user than {self._user.name}")
        made_by, ours = (self.data / "PG_VERSION").read_text().strip(), str(self._binaries.major())
        if made_by != ours:
            raise FolderOfAnotherMajor(
                f"{self.data} was made by PostgreSQL {made_by} and this version brings {ours}. To upgrade: "
                f"start the previous version, write all out with its pg_dump, move {self._folder} away, "
                "start this version once, and read the dump in with psql."
            )

    def _launch(self) -> None:
        self._user.make_folder(self._home / "run")
        log = self._home / "run" / "log"
        with suppress(FileNotFoundError):
            if log.stat().st_size > LARGEST_LOG_BYTES:
                log.rename(log.with_name("log.1"))
        settings = {**self._settings, **self._access(), "listen_addresses": ""}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        (self._home / "started-in").write_text(process_space())
        self._control("start", "-l", str(log), "-o", options)

    def _access(self) -> Mapping[str, str]:
        """Write down who may come in (this user, by socket) and return the settings that say where."""
        files = {"hba_file": self._home / "hba.conf", "ident_file": self._home / "ident.conf"}
        files["hba_file"].write_text("local all all peer map=zorgid\nlocal replication all peer map=zorgid\n")
        files["ident_file"].write_text(
            "".join(f'zorgid "{our_name()}" {role}\n' for role in (SUPERUSER, OWNER))
        )
        for file in files.values():
            file.chmod(0o644)
        socket = '"' + str(self._socket_place()).replace('"', '""') + '"'  # a list of folders, so quoted
        return {"unix_socket_directories": socket, **{name: str(file) for name, file in files.items()}}

    def _socket_place(self) -> Path:
        """Return a folder for the socket: beside the data, or a fresh one with a short path."""
        beside = self._home / "run"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
            return beside
        short = Path(tempfile.mkdtemp(prefix="zorgid-"))
        if not self._user.is_ourselves:
            os.chown(short, self._user.user_id, self._user.group_id)
        return short

    def _socket_folder(self) -> Path:
        """Return where the running server's socket is, as it says itself in line 5 of postmaster.pid."""
        return Path((self.data / "postmaster.pid").read_text().splitlines()[4])

    def _connect(self, *, is_alone: bool) -> psycopg.Connection:
        """Return a superuser's connection to the server that runs, or is started here.

        A server that another process began to start is waited for; one that dies meanwhile is started again.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._postmaster() is None:
                self._forget_the_dead(is_alone=is_alone)
                self._launch()
            try:
                return psycopg.connect(self.url(SUPERUSER, SUPERUSER), autocommit=True, connect_timeout=5)
            except (psycopg.OperationalError, OSError, IndexError) as error:
                if time.monotonic() > deadline:
                    raise Fault(f"the embedded PostgreSQL does not answer: {error}") from error
                time.sleep(0.1)

    def _end_server(self) -> None:
        socket = self._socket_folder()
        try:
            self._control("stop", "-m", "fast")
        except ProgramFailed:
            if self._postmaster() is not None:  # else it died by itself just now, and nothing is left to stop
                raise
        if socket.parent == Path(tempfile.gettempdir()):
            with suppress(OSError):
                socket.rmdir()

    def _control(self, act: str, *arguments: str) -> None:
        program = self._binaries.programs / "pg_ctl"
        waiting = ["-D", str(self.data), "-w", "-t", str(START_SECONDS)]
        run([program, act, *waiting, *arguments], user=self._user, seconds=START_SECONDS * 2)

    def _postmaster(self) -> int | None:
        """Return the process that serves the data folder, or None."""
        try:
            process = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return process if works_in(process, self.data) else None

    def _forget_the_dead(self, *, is_alone: bool) -> None:
        """Remove the lock files of a dead server; the numbers in them can be anybody's by now.

        Children that outlive a killed server for a moment still write to its memory, so they are waited for.
        Nothing is removed while a server may live out of sight: started in another container, by users that
        still hold the lock.
        """
        is_in_sight = PROCESSES_ARE_VISIBLE and (is_alone or self._started_here())
        if is_in_sight and nobody_works_in(self.data, START_SECONDS):
            for file in (self.data / "postmaster.pid", *(self._home / "run").glob(".s.PGSQL.*")):
                file.unlink(missing_ok=True)

    def _started_here(self) -> bool:
        try:
            return (self._home / "started-in").read_text() == process_space()
        except FileNotFoundError:
            return False


def _make_database(connection: psycopg.Connection) -> None:
    """Make the platform's role and database where they are not there yet."""
    if not connection.execute("select 1 from pg_roles where rolname = %s", (OWNER,)).fetchone():
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(OWNER)))
    if not connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone():
        made = sql.SQL("create database {} owner {}")
        connection.execute(made.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
