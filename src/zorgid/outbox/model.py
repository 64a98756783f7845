"""An event as its handlers see it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class OutboxEvent:
    """Something that happened and was committed.

    `tries` counts this one; `finished` names the handlers that are done.
    """

    id: UUID
    name: str
    facts: Mapping[str, Any]
    at: datetime
    tries: int
    finished: Sequence[str]


@dataclass(frozen=True)
class Handler:
    """What must follow from an event, outside its transaction. It must bear being run twice for one event.

    `name` is stored to know which handlers of an event are done, so it stays the same between versions.
    """

    name: str
    run: Callable[[OutboxEvent], Awaitable[None]]


@dataclass(frozen=True)
class FailedEvent:
    """An event that is not tried any more until somebody asks for it.

    `error` names the type of the last error.
    """

    id: UUID
    name: str
    at: datetime
    failed_at: datetime
    tries: int
    finished: Sequence[str]
    error: str
