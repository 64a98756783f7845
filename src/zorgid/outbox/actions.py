"""What other rooms call: emit an event in the transaction of the act.

And what the operator needs: see, retry.
"""

from collections.abc import Mapping
from typing import Any, Final

from zorgid.audit.rules import fit_facts
from zorgid.kernel.ids import new_id
from zorgid.outbox import store
from zorgid.storage.database import Work

CHANNEL: Final = "outbox"
"""Where nodes hear that an event was committed."""


async def emit(work: Work, name: str, facts: Mapping[str, Any]) -> None:
    """Store an event within `work`, run its companions in it, and wake the dispatchers at commit.

    A companion that raises undoes the whole act. `facts` may hold ids, text, whole numbers, times and enums;
    ids rather than personal data, since an event may wait. Companions and handlers get them as they are
    stored: as JSON.

    Raises:
        TypeError: a fact is bytes, a secret or another thing that does not belong in an event.
    """
    stored = fit_facts(facts)
    await store.add(work, new_id(work.random), name, stored)
    for companion in work.companions.get(name, ()):
        await companion(work, stored)
    await work.notify(CHANNEL)
