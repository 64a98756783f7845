"""The SQL of the outbox."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from zorgid.outbox.model import FailedEvent, OutboxEvent
from zorgid.storage.database import Work

ADD: Final = "insert into outbox_event (id, name, facts, at, due_at) values (%s, %s, %s, %s, %s)"


async def add(work: Work, event_id: UUID, name: str, facts: Mapping[str, Any]) -> None:
    """Store an event that is due at once."""
    await work.connection.execute(ADD, (event_id, name, Jsonb(facts), work.now, work.now))


TAKE_UP: Final = """
    update outbox_event set tries = tries + 1, due_at = %(until)s
    where id = (
        select id from outbox_event
        where failed_at is null and due_at <= %(now)s and name = any(%(names)s)
        order by due_at, sequence
        limit 1
        for update skip locked
    )
    returning id, name, facts, at, tries, finished
"""


async def take_up(work: Work, names: Collection[str], lease: timedelta) -> OutboxEvent | None:
    """Take up the event that is due longest, for the time of the lease; None when nothing is due.

    Others pass it by from now on, and may take it up again when the lease is over.
    """
    async with work.connection.cursor(row_factory=class_row(OutboxEvent)) as cursor:
        await cursor.execute(TAKE_UP, {"until": work.now + lease, "now": work.now, "names": list(names)})
        return await cursor.fetchone()


FINISH_HANDLER: Final = """
    update outbox_event set finished = array_append(finished, %s), due_at = %s where id = %s and tries = %s
"""


async def finish_handler(work: Work, event: OutboxEvent, handler: str, lease: timedelta) -> None:
    """Note that one handler of the event is done, and begin the lease anew."""
    await work.connection.execute(FINISH_HANDLER, (handler, work.now + lease, event.id, event.tries))


async def finish(work: Work, event: OutboxEvent) -> None:
    """Take away an event whose handlers are all done."""
    await work.connection.execute("delete from outbox_event where id = %s", (event.id,))


async def try_later(work: Work, event: OutboxEvent, due_at: datetime, error: str) -> None:
    """Leave the event for a later try."""
    await work.connection.execute(
        "update outbox_event set due_at = %s, error = %s where id = %s and tries = %s",
        (due_at, error, event.id, event.tries),
    )


async def give_up(work: Work, event: OutboxEvent, error: str) -> None:
    """Put the event on the list of what failed."""
    await work.connection.execute(
        "update outbox_event set failed_at = %s, error = %s where id = %s and tries = %s",
        (work.now, error, event.id, event.tries),
    )


async def next_due_at(work: Work, names: Collection[str]) -> datetime | None:
    """Return when the next event is due; None when none waits."""
    cursor = await work.connection.execute(
        "select min(due_at) from outbox_event where failed_at is null and name = any(%s)", (list(names),)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


FAILED: Final = """
    select id, name, at, failed_at, tries, finished, coalesce(error, '') as error
    from outbox_event
    where failed_at is not null
    order by failed_at desc, id
    limit %s
"""


async def failed(work: Work, most: int) -> Sequence[FailedEvent]:
    """Return the events that are not tried any more, the newest failure first."""
    async with work.connection.cursor(row_factory=class_row(FailedEvent)) as cursor:
        await cursor.execute(FAILED, (most,))
        return await cursor.fetchall()


RETRY: Final = """
    update outbox_event set failed_at = null, tries = 0, due_at = %s
    where id = %s and failed_at is not null
    returning name
"""


async def retry(work: Work, event_id: UUID) -> str | None:
    """Make a failed event due at once and return its name; None when there is no such failed event."""
    row = await (await work.connection.execute(RETRY, (work.now, event_id))).fetchone()
    return row[0] if row else None
