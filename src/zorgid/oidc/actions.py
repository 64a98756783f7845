"""What other rooms and the jobs call: the end of grants with their session, and the sweep."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from zorgid.kernel.ids import SessionId
from zorgid.oidc import store
from zorgid.storage.database import Companions, Work

GRANTS_KEPT_FOR: Final = timedelta(days=1)
"""Longer than any session: the reuse of a code is noticed as long."""


async def revoke_with_session(work: Work, facts: Any) -> None:
    """Companion of "session-ended": the session's grant families end in the same transaction."""
    await store.revoke_families_of_session(work, SessionId(UUID(str(facts["session_id"]))))


async def sweep(work: Work) -> None:
    """Drop requests, assertions, codes, tokens and grants that are over."""
    await store.sweep(work, grants_before=work.now - GRANTS_KEPT_FOR)


COMPANIONS: Final[Companions] = {"session-ended": (revoke_with_session,)}
"""What this room does in the transaction of other rooms' events; wired in `app.py`."""
