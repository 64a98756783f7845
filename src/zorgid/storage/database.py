"""The pool of connections and the one way to change anything: a `Work`, which is one transaction.

The edge (a request, a command, a job) opens a work and hands it to one action; the action may call others
with it. What happens inside stands or falls together.
"""

import select
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Self

from psycopg import AsyncConnection, OperationalError
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

from zorgid.kernel.clock import Clock
from zorgid.kernel.errors import Fault, Refusal
from zorgid.kernel.randomness import RandomSource

OLDEST_SERVER: Final = 150000
"""The oldest PostgreSQL that is accepted (ALL-3), as the server counts versions."""

SESSION_OPTIONS: Final = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "timezone": "UTC",
        "lock_timeout": "10s",
        "statement_timeout": "60s",
        "idle_in_transaction_session_timeout": "60s",
    }.items()
)
"""What every connection of ours asks of the server; no lock outlives a stuck node for long."""


class DatabaseUnfit(Fault):
    """The database server is too old or keeps its texts in another encoding.

    The operator must choose another.
    """


class WorkBroken(Fault):
    """A statement failed and was caught inside a work, so that PostgreSQL would drop the rest at commit."""


Mac = Callable[[bytes], bytes]
"""Gives the HMAC-SHA256 (32 bytes) of some bytes under a key that is not in the database."""


def mac_without_key(data: bytes) -> bytes:
    """Stand where a `Mac` was not handed in.

    Always raises: an audit entry is never written without its key.
    """
    raise Fault(f"no key for the audit log was handed to Database.open ({len(data)} bytes to authenticate)")


@dataclass(frozen=True)
class Origin:
    """Where a work comes from: one request, command or job, for the audit log and the operator's log."""

    request_id: str
    address: str | None
    node: str


@dataclass(frozen=True)
class Work:
    """One transaction, with the moment it began and everything an action may not fetch for itself.

    `companions` are run by `outbox.emit` inside this same transaction, by name of the event; `audit_mac`
    authenticates what `audit.record` appends.
    """

    connection: AsyncConnection[Any]
    now: datetime
    random: RandomSource
    origin: Origin
    companions: "Companions"
    audit_mac: Mac = mac_without_key

    def asked_from(self, origin: Origin) -> Self:
        """Return this same transaction for one of several who share it (`together`)."""
        return replace(self, origin=origin)

    async def notify(self, channel: str, payload: str = "") -> None:
        """Tell every listening node after the commit; nobody hears of it when the work is rolled back.

        `payload` is at most 7,999 bytes; equal notifications within one work arrive once.
        """
        await self.connection.execute("select pg_notify(%s, %s)", (channel, payload))


Companion = Callable[[Work, Mapping[str, Any]], Awaitable[None]]
"""Something another room must do in the same transaction when an event is emitted; gets the event's facts."""

Companions = Mapping[str, Sequence[Companion]]

NO_COMPANIONS: Final[Companions] = MappingProxyType({})


class Database:
    """A pool of connections to one PostgreSQL database.

    Open it inside the running event loop; close it at the end.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[Any]],
        *,
        clock: Clock,
        random: RandomSource,
        companions: Companions,
        audit_mac: Mac = mac_without_key,
    ) -> None:
        self._pool = pool
        self.clock = clock
        self._random = random
        self._companions = companions
        self._audit_mac = audit_mac

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock: Clock,
        random: RandomSource,
        companions: Companions = NO_COMPANIONS,
        audit_mac: Mac = mac_without_key,
        least_connections: int = 1,
        most_connections: int = 10,
        wait_seconds: float = 10.0,
    ) -> Self:
        """Return an open database; its connections are made at once, as far as `least_connections` says.

        Raises:
            psycopg.OperationalError: the server cannot be reached within `wait_seconds`.
            DatabaseUnfit: it is older than PostgreSQL 15 or does not speak UTF-8.
        """
        pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            url,
            kwargs={"options": SESSION_OPTIONS},
            min_size=least_connections,
            max_size=most_connections,
            timeout=wait_seconds,
            open=False,
        )
        try:
            await pool.open(wait=True, timeout=wait_seconds)
            async with pool.connection() as connection:
                require_fit_server(connection)
        except BaseException:
            await pool.close()
            raise
        return cls(pool, clock=clock, random=random, companions=companions, audit_mac=audit_mac)

    @asynccontextmanager
    async def work(self, origin: Origin) -> AsyncIterator[Work]:
        """Open one transaction: committed at the end, rolled back when an exception leaves it.

        A `Refusal` with `keeps_changes` is the exception to that: what was written is committed, then it is
        raised.

        Raises:
            WorkBroken: a failed statement was caught inside; nothing was kept.
        """
        kept: Refusal | None = None
        async with self._connection() as connection, connection.transaction():
            try:
                yield Work(connection, self.clock(), self._random, origin, self._companions, self._audit_mac)
            except Refusal as refusal:
                if not refusal.keeps_changes:
                    raise
                kept = refusal
            if connection.info.transaction_status is TransactionStatus.INERROR:
                raise WorkBroken("a failed statement was caught inside the work") from kept
        if kept is not None:
            raise kept

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Give a living connection, and take it back."""
        connection = await self._living_connection()
        try:
            async with connection:
                yield connection
        finally:
            await self._pool.putconn(connection)

    async def _living_connection(self) -> AsyncConnection[Any]:
        """Return a connection that answers.

        One dead connection means that the server was away and the others are dead too: all are replaced at
        once. The pool's own check would try them one by one, with a pause after each that doubles.
        """
        while True:
            connection, is_living = await self._pool.getconn(), False
            try:
                is_living = await is_alive(connection)
            finally:
                if not is_living:
                    await self._pool.putconn(connection)
            if is_living:
                return connection
            await self._pool.check()

    async def close(self) -> None:
        """Close every connection. Works that are still open get five seconds to end."""
        await self._pool.close()


def require_fit_server(connection: AsyncConnection[Any]) -> None:
    """Check version and encoding of the server. Raises `DatabaseUnfit`."""
    info = connection.info
    if info.server_version < OLDEST_SERVER:
        raise DatabaseUnfit(f"PostgreSQL 15 or newer is needed, this is {info.server_version}")
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseUnfit(f"the database must be made with encoding UTF8, this one has {encoding}")


async def is_alive(connection: AsyncConnection[Any]) -> bool:
    """Tell whether a connection still answers, without a round trip for a live one.

    An idle connection has nothing to read; when it has, the server said goodbye or died, and only then is it
    asked.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return True
    try:
        await AsyncConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True
