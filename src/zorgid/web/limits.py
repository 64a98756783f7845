"""How often one source or one client may ask: login, attach, completion, token requests.

Each key has an allowance that fills up again evenly: `most` at once, and one more every `per / most` (the
generic cell rate algorithm). A shared limit is counted in the database by all nodes together; a limit of a
node is counted in memory and costs nothing. `docs/decisions/0120-limits.md` says which is which and why.
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from psycopg.rows import tuple_row
from starlette.requests import HTTPConnection

from zorgid.kernel.clock import Clock
from zorgid.kernel.errors import Refusal
from zorgid.storage.database import Database, Mac, Origin, Work
from zorgid.storage.rows import first_of_each
from zorgid.storage.together import Part, Together
from zorgid.web.edge import origin_of


class TooMany(Refusal):
    """One source or client asked more often than its limit allows; it waits and asks again."""

    code = "too-many-requests"
    status: ClassVar[int] = 429

    def __init__(self, *, limit: str, retry_after_seconds: int) -> None:
        super().__init__(limit=limit, retry_after_seconds=retry_after_seconds)


@dataclass(frozen=True)
class Limit:
    """At most `most` in every `per`, for each key. A shared limit counts over all nodes, another per node."""

    name: str
    most: int
    per: timedelta
    is_shared: bool = True

    @property
    def step(self) -> timedelta:
        """Return the time in which one more is allowed."""
        return self.per / self.most


MINUTE: Final = timedelta(minutes=1)

# A care institution reaches us from one address: the morning's logins of a hospital must fit.
BEGIN_PER_ADDRESS: Final = Limit("begin", 600, MINUTE)
ATTACH_PER_ADDRESS: Final = Limit("attach", 600, MINUTE)
COMPLETE_PER_ADDRESS: Final = Limit("complete", 600, MINUTE)

# These requests are signed by a key that is looked up first: their limits guard the node, not a secret.
APP_PER_ADDRESS: Final = Limit("app", 6000, MINUTE, is_shared=False)
SESSION_PER_ADDRESS: Final = Limit("session", 6000, MINUTE, is_shared=False)
SESSION_END_PER_ADDRESS: Final = Limit("session-end", 6000, MINUTE, is_shared=False)
TOKEN_PER_ADDRESS: Final = Limit("token-address", 6000, MINUTE, is_shared=False)
TOKEN_PER_CLIENT: Final = Limit("token-client", 60_000, MINUTE, is_shared=False)

# So that nobody fills the audit log by being refused; every refusal stands in the operator's log.
RECORDED_PER_ADDRESS: Final = Limit("refusal-recorded", 600, MINUTE, is_shared=False)

SWEPT_AFTER: Final = 1000
"""Takes of shared limits after which a node sweeps the table."""

SWEPT_AT_ONCE: Final = 10_000

MOST_KEYS_IN_MEMORY: Final = 100_000
"""Keys a node remembers; beyond that it forgets the one that asked longest ago."""


def after_taking(limit: Limit, full_at: datetime | None, now: datetime) -> datetime:
    """Return when a key has its full allowance back after taking one now; `full_at` is what that was before.

    Raises:
        TooMany: nothing is left.
    """
    taken = max(full_at or now, now) + limit.step
    if taken > now + limit.per:
        raise too_many(limit, full_at or now, now)
    return taken


def too_many(limit: Limit, full_at: datetime, now: datetime) -> TooMany:
    """Return the refusal that says in how many seconds the next one is allowed."""
    wait = full_at + limit.step - limit.per - now
    return TooMany(limit=limit.name, retry_after_seconds=max(1, math.ceil(wait.total_seconds())))


def source_of(address: str | None) -> str:
    """Return what counts as one source: an IPv4 address, or the /64 that one household has as a whole."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


class Limits:
    """Counts what was asked. `mac` hides the keys, so that the table tells no address."""

    def __init__(self, database: Database, *, clock: Clock, mac: Mac) -> None:
        self._database = database
        self._clock = clock
        self._mac = mac
        self._in_memory: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._shared_takes = 0
        self._together: Together[Take, datetime] = Together(database, take_in_database)

    async def take(self, connection: HTTPConnection, limit: Limit, key: str | None = None) -> None:
        """Count one request against `limit`, for its source address, or for `key` where one is given.

        A shared limit is counted in a transaction apart from the request's, so that it counts also when the
        request is refused; those who ask at the same moment share it.

        Raises:
            TooMany: the limit is reached.
        """
        origin = origin_of(connection)
        await self.take_for(origin, limit, source_of(origin.address) if key is None else key)

    async def take_for(self, origin: Origin, limit: Limit, key: str) -> None:
        """Count one against `limit` for `key`. Raises `TooMany`."""
        if not limit.is_shared:
            self._take_in_memory(limit, key)
            return
        hashed = self._mac(b"zorgid limit\n" + limit.name.encode() + b"\n" + key.encode("utf-8", "replace"))
        await self._take_shared(origin, limit, hashed)

    def _take_in_memory(self, limit: Limit, key: str) -> None:
        named = (limit.name, key)
        self._in_memory[named] = after_taking(limit, self._in_memory.get(named), self._clock())
        self._in_memory.move_to_end(named)
        if len(self._in_memory) > MOST_KEYS_IN_MEMORY:
            self._in_memory.popitem(last=False)

    async def _take_shared(self, origin: Origin, limit: Limit, key: bytes) -> None:
        await self._together.ask(origin, (limit, key))
        self._shared_takes += 1
        if self._shared_takes % SWEPT_AFTER == 0:
            async with self._database.work(origin) as work:
                await sweep(work)


TAKE: Final = """
    insert into limit_use as used (key, full_at) values (%(key)s, %(now)s + %(step)s)
    on conflict (key) do update set full_at = greatest(used.full_at, %(now)s) + %(step)s
    where greatest(used.full_at, %(now)s) + %(step)s <= %(now)s + %(per)s
    returning full_at
"""


Take = tuple[Limit, bytes]
"""A limit, and the hidden key that is counted."""


async def take_in_database(parts: Sequence[Part[Take]]) -> Sequence[datetime | TooMany]:
    """Count each in the table; the same rule as `after_taking`, in one statement. Answers `TooMany`.

    In the order of the keys, so that nodes that count the same ones never wait for each other in a circle.
    """
    in_order = sorted(range(len(parts)), key=lambda place: parts[place].asked[1])
    answers = await _take_each(parts[0].work, [parts[place].asked for place in in_order])
    by_place = dict(zip(in_order, answers, strict=True))
    return [by_place[place] for place in range(len(parts))]


async def _take_each(work: Work, takes: Sequence[Take]) -> Sequence[datetime | TooMany]:
    facts = [{"key": key, "now": work.now, "step": limit.step, "per": limit.per} for limit, key in takes]
    rows = await first_of_each(work, TAKE, facts, tuple_row)
    return [
        row[0] if row else await _refusal(work, limit, key)
        for row, (limit, key) in zip(rows, takes, strict=True)
    ]


async def _refusal(work: Work, limit: Limit, key: bytes) -> TooMany:
    cursor = await work.connection.execute("select full_at from limit_use where key = %s", (key,))
    row = await cursor.fetchone()
    return too_many(limit, row[0] if row else work.now, work.now)


SWEEP: Final = """
    delete from limit_use where key in (
        select key from limit_use where full_at < %s order by full_at limit %s for update skip locked
    )
"""


async def sweep(work: Work) -> int:
    """Take away keys that have their full allowance back, some at a time; return how many."""
    return (await work.connection.execute(SWEEP, (work.now, SWEPT_AT_ONCE))).rowcount
