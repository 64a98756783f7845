"""Sessions: begun by a completed login, checked at every use, ended with the means behind them (LOGIN-10)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Actor, ActorKind, Event, Subject
from zorgid.cards import actions as cards
from zorgid.kernel.errors import Refusal, outcome
from zorgid.kernel.ids import CardId, PersonId, SessionId, TransactionId, new_id
from zorgid.kernel.randomness import base64url
from zorgid.kernel.secrets import Secret
from zorgid.login import rules
from zorgid.login import session_store as store
from zorgid.login.errors import SessionEnded, SessionUnknown
from zorgid.login.model import Completed, MeansUsed, Purpose, Session
from zorgid.login.rules import EndReason
from zorgid.outbox.actions import emit
from zorgid.storage.database import Companions, Work


async def begin_session(work: Work, completed: Completed, *, former: Secret | None) -> tuple[Session, Secret]:
    """Begin a session for a completed login and return it with its new cookie.

    `former` is the session cookie that the browser still had: that session ends, whoever's it was, so that
    the next employee at a workstation never inherits one. Raises `ValueError` for a proof of another purpose.
    """
    if completed.purpose is not Purpose.login:
        msg = "only the purpose login makes a session"
        raise ValueError(msg)
    await _end_former(work, former)
    cookie = Secret.new(32, work.random)
    session = Session(
        id=SessionId(new_id(work.random)),
        sid=base64url(work.random(16)),
        person_id=completed.person_id,
        means=completed.proved.means,
        authenticated_at=work.now,
        created_at=work.now,
        last_seen_at=work.now,
        expires_at=work.now + rules.SESSION_LASTS,
    )
    await store.insert_session(work, session, cookie.digest(), transaction_id=completed.transaction_id)
    await record(
        work,
        event=Event.session_begun,
        by=actor_of(session),
        on=Subject("session", str(session.id)),
        facts={"means": session.means.kind, "level": session.means.level},
    )
    return session, cookie


async def _end_former(work: Work, former: Secret | None) -> None:
    row = await store.session_by(work, cookie_hash=former.digest()) if former else None
    if row is not None and row["end_reason"] is None:
        await _end(work, EndReason.replaced, by=SYSTEM, session_id=row["session_id"])


def actor_of(session: Session) -> Actor:
    """Return the person of a session as an actor for the audit log."""
    return Actor(ActorKind.person, person_id=session.person_id, means=session.means.kind)


async def session_for(work: Work, cookie: Secret | None, *, touch: bool = True) -> Session:
    """Return the living session of a browser; its means is checked anew.

    Raises:
        SessionUnknown: no cookie, or not one of ours.
        SessionEnded: idle for 15 minutes, older than 10 hours, ended, or its means is not good any more.
    """
    row = await store.session_by(work, cookie_hash=cookie.digest()) if cookie else None
    return await _living(work, row, touch=touch)


async def session_by_sid(work: Work, sid: str, *, touch: bool = False) -> Session:
    """Return the living session that a token names. Raises as `session_for`."""
    return await _living(work, await store.session_by(work, sid=sid), touch=touch)


async def sessions_by_sid(
    work: Work, sids: Sequence[str], *, stays: bool = True
) -> Sequence[Session | Refusal]:
    """Return for each `sid` what `session_by_sid` returns or raises, in two round trips for all.

    Without `stays` the card may be held while this work goes on (`cards.actions.active_cards`).
    """
    return await _living_of_each(work, await store.sessions_by_sid(work, sids), stays=stays)


async def sessions_for(work: Work, cookies: Sequence[Secret]) -> Sequence[Session | Refusal]:
    """Return for each cookie what `session_for` returns or raises, in two round trips for all."""
    rows = await store.sessions_by_cookie(work, [cookie.digest() for cookie in cookies])
    living = await _living_of_each(work, rows, stays=True)
    # In one order, so that two works with the same sessions do not wait for each other in a circle.
    for session in sorted((one for one in living if isinstance(one, Session)), key=lambda one: one.id):
        await _touch(work, session)
    return living


async def _living_of_each(
    work: Work, rows: Sequence[Mapping[str, Any] | None], *, stays: bool
) -> Sequence[Session | Refusal]:
    found = [outcome(_alive, row, work.now) for row in rows]
    resting = {one.id: _card_of(one) for one in found if isinstance(one, Session) and _rests_on_card(one)}
    states = await cards.active_cards(work, list(resting.values()), stays=stays)
    bad = {one for one, state in zip(resting, states, strict=True) if isinstance(state, Refusal)}
    return [
        SessionEnded(reason=EndReason.means_not_good) if isinstance(one, Session) and one.id in bad else one
        for one in found
    ]


async def unended_session_of_login(work: Work, transaction_id: TransactionId) -> Session | None:
    """Return the session that a login made, while nothing ended it and its ten hours last; it may be idle.

    A session that is idle here may be alive at a care application, which hears when this one ends.
    """
    row = await store.session_of_login(work, transaction_id)
    if row is None or row["end_reason"] is not None or work.now >= row["expires_at"]:
        return None
    return store.session_of(row)


async def _living(work: Work, row: Mapping[str, Any] | None, *, touch: bool) -> Session:
    session = _alive(row, work.now)
    await _require_good_means(work, session)
    if touch:
        await _touch(work, session)
    return session


async def _touch(work: Work, session: Session) -> None:
    if work.now - session.last_seen_at >= rules.TOUCH_EVERY:
        await store.touch_session(work, session.id)


def _alive(row: Mapping[str, Any] | None, now: datetime) -> Session:
    """Return the session in a row, which did not end; its means is another question."""
    if row is None:
        raise SessionUnknown
    if row["end_reason"] is not None:
        raise SessionEnded(reason=row["end_reason"])
    return rules.require_alive(store.session_of(row), now=now)


async def _require_good_means(work: Work, session: Session) -> None:
    if not _rests_on_card(session):
        return
    try:
        await cards.require_active(work, _card_of(session))
    except Refusal:
        raise SessionEnded(reason=EndReason.means_not_good) from None


def _rests_on_card(session: Session) -> bool:
    """Tell whether the means is a card of ours, whose state counts at every use."""
    return session.means.kind is MeansUsed.smartcard


def _card_of(session: Session) -> CardId:
    return CardId(UUID(session.means.reference))


async def end_session(work: Work, session: Session, *, by: Actor, reason: EndReason) -> None:
    """End one session; its grant families end with it, in this same transaction."""
    await _end(work, reason, by=by, session_id=session.id)


async def end_sessions_of_card(work: Work, facts: Mapping[str, Any]) -> None:
    """Companion of every event that makes a card unusable: end the sessions that rest on it (LIFE-3)."""
    await _end(work, EndReason.means_not_good, by=SYSTEM, means_reference=str(facts["card_id"]))


async def end_sessions_of_role(work: Work, facts: Mapping[str, Any]) -> None:
    """Companion of the end of a role: end the sessions of who had it (LOGIN-10)."""
    await end_sessions_of_person(work, PersonId(UUID(facts["person_id"])), reason=EndReason.role_lost)


async def end_sessions_of_person(work: Work, person_id: PersonId, *, reason: EndReason) -> None:
    """End every session of a person: a role was lost."""
    await _end(work, reason, by=SYSTEM, person_id=person_id)


async def _end(
    work: Work,
    reason: EndReason,
    *,
    by: Actor,
    session_id: SessionId | None = None,
    means_reference: str | None = None,
    person_id: PersonId | None = None,
) -> Sequence[SessionId]:
    ended = await store.end_sessions(
        work, reason=reason, session_id=session_id, means_reference=means_reference, person_id=person_id
    )
    for one, sid, of in ended:
        await record(
            work,
            event=Event.session_ended,
            by=by,
            on=Subject("session", str(one)),
            was="alive",
            becomes="ended",
            facts={"reason": reason},
        )
        await emit(work, "session-ended", {"session_id": one, "sid": sid, "person_id": of})
    return [one for one, _, _ in ended]


COMPANIONS: Companions = {
    **dict.fromkeys(("card-held", "card-revoked", "card-failed", "card-expired"), (end_sessions_of_card,)),
    "role-ended": (end_sessions_of_role,),
}
"""What the login room does in the transaction of other rooms' events; wired in `app.py`."""
