"""The SQL of sessions; a session that ended stays as a row until its time is over, and says why it ended."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row

from zorgid.kernel.ids import PersonId, SessionId, TransactionId
from zorgid.login.model import Means, MeansUsed, Session
from zorgid.storage.database import Work
from zorgid.storage.rows import first_of_each

SESSION_COLUMNS: Final[LiteralString] = """
    session_id, sid, person_id, means_kind, means_reference, uzi_number, ura, full_name, level,
    authenticated_at, created_at, last_seen_at, expires_at, end_reason
"""


async def insert_session(
    work: Work, session: Session, cookie_hash: bytes, *, transaction_id: TransactionId | None = None
) -> None:
    """Store a new session, with the login that it came of."""
    means = session.means
    await work.connection.execute(
        """
        insert into session (
            session_id, cookie_hash, sid, person_id, means_kind, means_reference, uzi_number, ura, full_name,
            level, authenticated_at, created_at, last_seen_at, expires_at, transaction_id
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            session.id, cookie_hash, session.sid, session.person_id, means.kind, means.reference,
            means.uzi_number, means.ura, means.full_name, means.level, session.authenticated_at,
            session.created_at, session.last_seen_at, session.expires_at, transaction_id,
        ),
    )  # fmt: skip


async def session_by(
    work: Work, *, cookie_hash: bytes | None = None, sid: str | None = None
) -> Mapping[str, Any] | None:
    """Return the row of a session by cookie or by `sid`; `end_reason` is null while it lives."""
    query: LiteralString = f"select {SESSION_COLUMNS} from session where cookie_hash = %s or sid = %s"  # noqa: S608 - literals only
    async with work.connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query, (cookie_hash, sid))).fetchone()


async def sessions_by_sid(work: Work, sids: Sequence[str]) -> Sequence[Mapping[str, Any] | None]:
    """Return the row of each session, as `session_by` does, in one round trip."""
    query: LiteralString = f"select {SESSION_COLUMNS} from session where sid = %s"  # noqa: S608 - literals only
    return await first_of_each(work, query, [(sid,) for sid in sids], dict_row)


async def sessions_by_cookie(
    work: Work, cookie_hashes: Sequence[bytes]
) -> Sequence[Mapping[str, Any] | None]:
    """Return the row of each session, as `session_by` does, in one round trip."""
    query: LiteralString = f"select {SESSION_COLUMNS} from session where cookie_hash = %s"  # noqa: S608 - literals only
    return await first_of_each(work, query, [(one,) for one in cookie_hashes], dict_row)


async def session_of_login(work: Work, transaction_id: TransactionId) -> Mapping[str, Any] | None:
    """Return the row of the session that a login made."""
    query: LiteralString = f"select {SESSION_COLUMNS} from session where transaction_id = %s"  # noqa: S608 - literals only
    async with work.connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query, (transaction_id,))).fetchone()


def session_of(row: Mapping[str, Any]) -> Session:
    """Return the session in a row."""
    means = Means(
        kind=MeansUsed(row["means_kind"]),
        reference=row["means_reference"],
        uzi_number=row["uzi_number"],
        ura=row["ura"],
        full_name=row["full_name"],
        level=row["level"],
    )
    return Session(
        id=SessionId(row["session_id"]),
        sid=row["sid"],
        person_id=PersonId(row["person_id"]),
        means=means,
        authenticated_at=row["authenticated_at"],
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
    )


async def touch_session(work: Work, session_id: SessionId) -> None:
    """Write down that the session is in use."""
    await work.connection.execute(
        "update session set last_seen_at = %s where session_id = %s and ended_at is null",
        (work.now, session_id),
    )


async def end_sessions(
    work: Work,
    *,
    reason: str,
    session_id: SessionId | None = None,
    means_reference: str | None = None,
    person_id: PersonId | None = None,
) -> Sequence[tuple[SessionId, str, PersonId]]:
    """End every living session that fits one of the given marks; return their ids, sids and persons.

    In the order of their ids, in which who uses them takes them too: no two works wait in a circle.
    """
    cursor = await work.connection.execute(
        """
        with living as (
            select session_id from session
            where ended_at is null and (session_id = %s or means_reference = %s or person_id = %s)
            order by session_id
            for update
        )
        update session set ended_at = %s, end_reason = %s
        from living where session.session_id = living.session_id
        returning session.session_id, session.sid, session.person_id
        """,
        (session_id, means_reference, person_id, work.now, reason),
    )
    return [(SessionId(row[0]), row[1], PersonId(row[2])) for row in await cursor.fetchall()]
