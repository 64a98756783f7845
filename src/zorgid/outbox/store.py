"""The SQL of the outbox."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from zorgid.storage.database import Work

ADD: Final = "insert into outbox_event (id, name, facts, at, due_at) values (%s, %s, %s, %s, %s)"


async def add(work: Work, event_id: UUID, name: str, facts: Mapping[str, Any]) -> None:
    """Store an event that is due at once."""
    await work.connection.execute(ADD, (event_id, name, Jsonb(facts), work.now, work.now))
