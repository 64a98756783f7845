"""Brings a database to the shape this version needs: forward only, each step once, each step whole.

Steps are plain SQL files, `migrations/NNNN_name.sql`, run in the order of their names. A step and the note
that it was done are one transaction, so that a process killed at any moment leaves a database that the next
one can go on with. Steps hold no `begin` or `commit` of their own. A released step is never changed: the next
one mends it.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import psycopg
from psycopg import Connection

from zorgid.kernel.errors import Fault

STEP_NAME: Final = re.compile(r"\d{4}_[a-z0-9_]+\.sql")

LOCK_KEY: Final = int.from_bytes(b"zorgid-m")
"""The advisory lock that lets one node migrate while the others wait."""

LEDGER: Final = """
    create table if not exists migration_step (
        name text primary key,
        sha256 bytea not null,
        applied_at timestamptz not null default now()
    )
"""


class MigrationFailed(Fault):
    """A step could not be carried out; nothing of it was kept.

    Its file is named; the developer must mend it.
    """


class MigrationChanged(Fault):
    """A step that this database already has was changed afterwards.

    The operator runs a wrong or a tampered version.
    """


@dataclass(frozen=True)
class Step:
    """One file of SQL."""

    name: str
    text: str

    @property
    def sha256(self) -> bytes:
        """Return the hash under which the step is remembered."""
        return hashlib.sha256(self.text.encode()).digest()


def steps_in(folder: Traversable) -> Sequence[Step]:
    """Return the steps of a folder in order. Raises `MigrationFailed` for a name or number that cannot be."""
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )
    numbers: set[str] = set()
    for file in files:
        if not STEP_NAME.fullmatch(file.name) or file.name[:4] in numbers:
            raise MigrationFailed(f"{file.name}: a step is called NNNN_name.sql and has a number of its own")
        numbers.add(file.name[:4])
    return [Step(file.name, file.read_text(encoding="utf-8")) for file in files]


def our_steps() -> Sequence[Step]:
    """Return the steps of this version."""
    return steps_in(resources.files(__package__).joinpath("migrations"))


def migrate(url: str, steps: Sequence[Step] | None = None) -> Sequence[str]:
    """Carry out every step that the database lacks and return their names.

    Several nodes may call this at once: one works, the others wait and then find nothing to do. Steps that
    this version does not know are left alone: during a roll-out a newer version may have been here first
    (ALL-12).

    Raises:
        MigrationFailed: a step failed; those before it are kept.
        MigrationChanged: the text of a step differs from what was carried out.
    """
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        connection.execute("select pg_advisory_lock(%s)", (LOCK_KEY,))
        connection.execute(LEDGER)
        return _carry_out(connection, our_steps() if steps is None else steps)


def pending(url: str, steps: Sequence[Step] | None = None) -> Sequence[str]:
    """Return the names of the steps that the database lacks, without changing it.

    Raises as `migrate` does.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("select to_regclass('migration_step')").fetchone()
        done = _done(connection) if found and found[0] else {}
        return [step.name for step in _lacking(our_steps() if steps is None else steps, done)]


def _carry_out(connection: Connection, steps: Sequence[Step]) -> Sequence[str]:
    lacking = _lacking(steps, _done(connection))
    for step in lacking:
        try:
            with connection.transaction():
                connection.execute(step.text.encode())
                connection.execute(
                    "insert into migration_step (name, sha256) values (%s, %s)", (step.name, step.sha256)
                )
        except psycopg.Error as error:
            raise MigrationFailed(f"{step.name}: {error}") from error
    return [step.name for step in lacking]


def _done(connection: Connection) -> Mapping[str, bytes]:
    return dict(connection.execute("select name, sha256 from migration_step").fetchall())


def _lacking(steps: Sequence[Step], done: Mapping[str, bytes]) -> Sequence[Step]:
    for step in steps:
        if step.name in done and done[step.name] != step.sha256:
            raise MigrationChanged(f"{step.name} was changed after this database carried it out")
    return [step for step in steps if step.name not in done]
