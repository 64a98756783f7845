"""What other rooms call (emit an event in the transaction of the act) and the operator needs (see, retry)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, Event, Subject
from zorgid.audit.rules import fit_facts
from zorgid.kernel.ids import new_id
from zorgid.outbox import store
from zorgid.outbox.errors import FailedEventUnknown
from zorgid.outbox.model import FailedEvent
from zorgid.storage.database import Work

CHANNEL: Final = "outbox"
"""Where nodes hear that an event was committed."""

FAILED_SHOWN: Final = 200


async def emit(work: Work, name: str, facts: Mapping[str, Any]) -> None:
    """Store an event within `work`, run its companions in it, and wake the dispatchers at commit.

    A companion that raises undoes the whole act. `facts` may hold ids, text, whole numbers, times and enums;
    ids rather than personal data, since an event may wait. Companions and handlers get them as they are
    stored: as JSON, so an id arrives as text.

    Raises:
        TypeError: a fact is bytes, a secret or another thing that does not belong in an event.
    """
    stored = fit_facts(facts)
    await store.add(work, new_id(work.random), name, stored)
    for companion in work.companions.get(name, ()):
        await companion(work, stored)
    await work.notify(CHANNEL)


async def failed_events(work: Work, *, most: int = FAILED_SHOWN) -> Sequence[FailedEvent]:
    """Return the events that are not tried any more, the newest failure first, for the operator to see."""
    return await store.failed(work, most)


async def retry_event(work: Work, event_id: UUID, *, by: Actor) -> None:
    """Let a failed event be tried again from the first pause on; handlers that are done are not run again.

    Raises:
        FailedEventUnknown: no event with this id has failed.
    """
    name = await store.retry(work, event_id)
    if name is None:
        raise FailedEventUnknown(event_id=event_id)
    on = Subject("outbox-event", str(event_id))
    await record(work, event=Event.outbox_event_retried, by=by, on=on, facts={"name": name})
    await work.notify(CHANNEL)
