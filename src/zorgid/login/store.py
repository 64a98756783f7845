"""The SQL of transactions and app keys: each step is one conditional update on the state before it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from zorgid.kernel.ids import PersonId, TransactionId
from zorgid.login.model import MeansUsed, ProvedCard, Purpose, Shown, Transaction
from zorgid.login.stored import proved_from_json, proved_to_json
from zorgid.protocol.app_key import AppKey
from zorgid.protocol.context import Context
from zorgid.protocol.messages import TransactionState
from zorgid.storage.database import Work

TRANSACTION_COLUMNS: Final[LiteralString] = """
    t.transaction_id, t.purpose, t.state, t.client_id, t.client_name, t.organisation_name, t.act, t.acr,
    t.accepts, t.return_to, t.browser, t.address, t.created_at, t.expires_at, k.x, k.y, t.challenge,
    t.context, t.proved, t.person_id, t.completion_expires_at, t.completed_at
"""


async def insert_transaction(
    work: Work,
    *,
    transaction_id: TransactionId,
    handle_hash: bytes,
    cookie_hash: bytes,
    purpose: Purpose,
    shown: Shown,
    acr: str | None,
    accepts: Sequence[MeansUsed],
    return_to: str,
    browser: str,
    expires_at: datetime,
) -> None:
    """Store a new transaction."""
    await work.connection.execute(
        """
        insert into login_transaction (
            transaction_id, handle_hash, cookie_hash, purpose, state, client_id, client_name,
            organisation_name, act, acr, accepts, return_to, browser, address, created_at, expires_at
        ) values (%s, %s, %s, %s, 'new', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            transaction_id, handle_hash, cookie_hash, purpose, shown.client_id, shown.client_name,
            shown.organisation_name, shown.act, acr, list(accepts), return_to, browser, work.origin.address,
            work.now, expires_at,
        ),
    )  # fmt: skip


async def transaction_by_handle(work: Work, handle_hash: bytes, *, lock: bool = False) -> Transaction | None:
    """Return the transaction of a launch link, locked for this work when `lock` is set."""
    return await _one_transaction(work, "t.handle_hash = %s", handle_hash, lock=lock)


async def transaction_by_cookie(work: Work, cookie_hash: bytes, *, lock: bool = False) -> Transaction | None:
    """Return the transaction of a browser."""
    return await _one_transaction(work, "t.cookie_hash = %s", cookie_hash, lock=lock)


async def _one_transaction(
    work: Work, condition: LiteralString, value: bytes, *, lock: bool
) -> Transaction | None:
    if lock:
        # A statement of its own: whoever waited for the lock must see the app key that was joined meanwhile.
        await work.connection.execute(
            f"select from login_transaction t where {condition} for update",
            (value,),
        )
    query: LiteralString = (
        f"select {TRANSACTION_COLUMNS} from login_transaction t "  # noqa: S608 - literals only
        f"left join app_key k on k.thumbprint = t.app_key where {condition}"
    )
    async with work.connection.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(query, (value,))).fetchone()
    return _transaction(row) if row else None


def _transaction(row: Mapping[str, Any]) -> Transaction:
    return Transaction(
        id=TransactionId(row["transaction_id"]),
        purpose=Purpose(row["purpose"]),
        state=TransactionState(row["state"]),
        shown=Shown(row["client_name"], row["client_id"], row["organisation_name"], row["act"]),
        acr=row["acr"],
        accepts=tuple(MeansUsed(kind) for kind in row["accepts"]),
        return_to=row["return_to"],
        browser=row["browser"],
        address=row["address"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        app_key=AppKey(x=row["x"], y=row["y"]) if row["x"] else None,
        challenge=row["challenge"],
        context=Context.model_validate(row["context"]) if row["context"] else None,
        proved=proved_from_json(row["proved"]) if row["proved"] else None,
        person_id=PersonId(row["person_id"]) if row["person_id"] else None,
        completion_expires_at=row["completion_expires_at"],
        completed_at=row["completed_at"],
    )


async def remember_app_key(work: Work, key: AppKey) -> None:
    """Store an app key; the same key again changes nothing."""
    await work.connection.execute(
        "insert into app_key (thumbprint, x, y, created_at) values (%s, %s, %s, %s) on conflict do nothing",
        (key.thumbprint(), key.x, key.y, work.now),
    )


async def advance_counter(work: Work, *, thumbprint: str, counter: int, body_sha256: bytes) -> int | None:
    """Note a request and return the counter before it; None when its counter was used for something else."""
    cursor = await work.connection.execute(
        """
        update app_key set counter = %(counter)s, body_sha256 = %(body)s
        from (select counter as was from app_key where thumbprint = %(thumbprint)s for update) as before
        where thumbprint = %(thumbprint)s
          and (counter < %(counter)s or (counter = %(counter)s and body_sha256 = %(body)s))
        returning was
        """,
        {"thumbprint": thumbprint, "counter": counter, "body": body_sha256},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def attach(
    work: Work, *, transaction_id: TransactionId, thumbprint: str, challenge: bytes, context: Context
) -> bool:
    """Move a new transaction to attached; false when it was not new any more."""
    cursor = await work.connection.execute(
        """
        update login_transaction set state = 'attached', app_key = %s, challenge = %s, context = %s
        where transaction_id = %s and state = 'new'
        """,
        (thumbprint, challenge, Jsonb(context.model_dump(mode="json")), transaction_id),
    )
    return cursor.rowcount == 1


async def prove(
    work: Work,
    *,
    transaction_id: TransactionId,
    proved: ProvedCard,
    completion_hash: bytes,
    completion_expires_at: datetime,
) -> bool:
    """Move an attached transaction to proved; false when it was not attached any more."""
    cursor = await work.connection.execute(
        """
        update login_transaction set state = 'proved', proved = %s, completion_hash = %s,
        completion_expires_at = %s where transaction_id = %s and state = 'attached'
        """,
        (Jsonb(proved_to_json(proved)), completion_hash, completion_expires_at, transaction_id),
    )
    return cursor.rowcount == 1


async def use_completion_code(work: Work, *, transaction_id: TransactionId, completion_hash: bytes) -> bool:
    """Use the completion code up; false when it is another's, too late, or used before."""
    cursor = await work.connection.execute(
        """
        update login_transaction set state = 'completed', completed_at = %(now)s
        where transaction_id = %(id)s and state = 'proved' and completion_hash = %(hash)s
          and completion_expires_at > %(now)s
        """,
        {"now": work.now, "id": transaction_id, "hash": completion_hash},
    )
    return cursor.rowcount == 1


async def name_person(work: Work, *, transaction_id: TransactionId, person_id: PersonId) -> None:
    """Write down who completed the transaction."""
    await work.connection.execute(
        "update login_transaction set person_id = %s where transaction_id = %s", (person_id, transaction_id)
    )


async def move(
    work: Work, *, transaction_id: TransactionId, before: Sequence[TransactionState], after: TransactionState
) -> bool:
    """Move a transaction to another state without other facts; false when it was in none of `before`."""
    cursor = await work.connection.execute(
        "update login_transaction set state = %s where transaction_id = %s and state = any(%s)",
        (after, transaction_id, list(before)),
    )
    return cursor.rowcount == 1


async def use_completed(work: Work, transaction_id: TransactionId) -> bool:
    """Use a completed proof for the act it was for; false when it was used before."""
    cursor = await work.connection.execute(
        "update login_transaction set used_at = %s "
        "where transaction_id = %s and state = 'completed' and used_at is null",
        (work.now, transaction_id),
    )
    return cursor.rowcount == 1


async def alarm_uncompleted(work: Work, *, proved_before: datetime) -> Sequence[TransactionId]:
    """Mark and return proofs whose minute passed without a completion."""
    cursor = await work.connection.execute(
        """
        update login_transaction set alarmed_at = %s
        where state in ('proved', 'aborted') and proved is not null and completion_expires_at <= %s
          and alarmed_at is null
        returning transaction_id
        """,
        (work.now, proved_before),
    )
    return [TransactionId(row[0]) for row in await cursor.fetchall()]


async def expire_transactions(work: Work) -> int:
    """Move transactions whose time has passed to expired; return how many."""
    cursor = await work.connection.execute(
        """
        update login_transaction set state = 'expired'
        where (state in ('new', 'attached') and expires_at <= %(now)s)
          or (state = 'proved' and completion_expires_at <= %(now)s)
        """,
        {"now": work.now},
    )
    return cursor.rowcount


async def sweep(work: Work, *, before: datetime) -> None:
    """Drop transactions, app keys and sessions that ended before `before`.

    The audit log keeps what happened.
    """
    await work.connection.execute("delete from login_transaction where expires_at < %s", (before,))
    await work.connection.execute("delete from session where expires_at < %s", (before,))
    await work.connection.execute(
        "delete from app_key k where created_at < %s and not exists "
        "(select from login_transaction t where t.app_key = k.thumbprint)",
        (before,),
    )
