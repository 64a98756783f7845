"""The SQL of this room. Secrets are stored as SHA-256; what may happen once is one conditional statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from zorgid.clients.model import ClientId
from zorgid.kernel.ids import GrantId, PersonId, SessionId
from zorgid.oidc.model import (
    CodeAttempt,
    CodeUse,
    Grant,
    IssuedCode,
    IssuedToken,
    Organisation,
    RedeemedCode,
    Scope,
    SigningKey,
    SigningKeyState,
    StoredRequest,
)
from zorgid.protocol.context import MeansUsed
from zorgid.storage.database import Work
from zorgid.storage.rows import first_of_each, run_each

ROTATION_LOCK: Final = 0x6F696463
"""Number of the advisory lock that lets one node at a time change the signing keys."""


async def keep_request(
    work: Work, *, reference_hash: bytes, client_id: ClientId, encoded: str, expires_at: datetime
) -> None:
    """Keep an authorisation request for a login."""
    await work.connection.execute(
        "insert into oidc_request (reference_hash, client_id, encoded, created_at, expires_at)"
        " values (%s, %s, %s, %s, %s)",
        (reference_hash, client_id, encoded, work.now, expires_at),
    )


async def kept_request(work: Work, reference_hash: bytes) -> StoredRequest | None:
    """Return a kept request that is neither used up nor too old."""
    row = await _one(
        work,
        "select client_id, encoded, created_at from oidc_request"
        " where reference_hash = %s and used_at is null and expires_at > %s",
        (reference_hash, work.now),
    )
    return StoredRequest(**row) if row else None


async def use_up_request(work: Work, reference_hash: bytes) -> bool:
    """Mark a kept request as used; false when somebody was first."""
    cursor = await work.connection.execute(
        "update oidc_request set used_at = %s"
        " where reference_hash = %s and used_at is null and expires_at > %s",
        (work.now, reference_hash, work.now),
    )
    return cursor.rowcount == 1


ADD_CODE: Final = """
    with family as (
        insert into oidc_grant (
            grant_id, client_id, person_id, session_id, sid, scope, nonce, acr, authenticated_at, means,
            uzi_number, ura_on_card, full_name, organisation_ura, organisation_name, organisation_is_guest,
            id_token_claims, created_at
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        returning grant_id, client_id
    )
    insert into oidc_code (code_hash, grant_id, client_id, redirect_uri, code_challenge, expires_at)
    select %s::bytea, grant_id, client_id, %s, %s, %s::timestamptz from family
"""


async def add_codes(work: Work, codes: Sequence[IssuedCode]) -> None:
    """Store codes, each with the new grant that it belongs to."""
    await run_each(work, ADD_CODE, [_columns(one) for one in codes])


def _columns(code: IssuedCode) -> Sequence[Any]:
    grant = code.grant
    return (
        grant.id, grant.client_id, grant.person_id, grant.session_id, grant.sid, list(grant.scope),
        grant.nonce, grant.acr, grant.authenticated_at, grant.means, grant.uzi_number, grant.ura_on_card,
        grant.full_name, grant.organisation.ura, grant.organisation.name, grant.organisation.guest,
        list(grant.id_token_claims), grant.created_at,
        code.code_hash, code.redirect_uri, code.code_challenge, code.expires_at,
    )  # fmt: skip


USE_CODE: Final = """
    with counted as (
        insert into oidc_assertion (client_id, jti_hash, expires_at)
        select %(client_id)s, %(jti_hash)s::bytea, %(assertion_until)s::timestamptz
        where %(jti_hash)s::bytea is not null and %(assertion_until)s::timestamptz > %(now)s
        on conflict do nothing
        returning true
    ), proof as (
        select %(jti_hash)s::bytea is null or exists (select from counted) as is_new
    ), used as (
        update oidc_code set used_at = %(now)s
        where code_hash = %(code_hash)s and client_id = %(client_id)s and used_at is null
            and expires_at > %(now)s and (select is_new from proof)
        returning grant_id, redirect_uri, code_challenge
    )
    select proof.is_new, used.redirect_uri, used.code_challenge, oidc_grant.*
    from proof left join used on true left join oidc_grant on oidc_grant.grant_id = used.grant_id
"""
"""Counts an assertion once and uses a code up once, whoever else tries at the same moment.

The code of an assertion that was seen before stays as it is. One that expired meanwhile counts as seen: what
was remembered of it may have been swept.
"""


TAKE_TURNS: Final = "select pg_advisory_xact_lock(turn) from unnest(%s::bigint[]) as turn"
"""Waits for works of other nodes with the same codes or assertions, before anything of this one is written.

A client that sends the same ones to two nodes in another order would else make both works wait for each
other in a circle, which PostgreSQL breaks after a second.
"""


async def use_codes(work: Work, attempts: Sequence[CodeAttempt]) -> Sequence[CodeUse]:
    """Count assertions and use codes up, in their order and one round trip; return what came of each."""
    values = [{**vars(one), "now": work.now} for one in attempts]
    async with work.connection.pipeline():
        await work.connection.execute(TAKE_TURNS, (_turns(attempts),))
        rows = await first_of_each(work, USE_CODE, values, dict_row)
    return [CodeUse(row["is_new"], _redeemed(row)) for row in rows if row is not None]


def _turns(attempts: Sequence[CodeAttempt]) -> Sequence[int]:
    """Return a number for each code and each assertion, in the order in which every node waits for them."""
    hashes = (one_hash for one in attempts for one_hash in (one.code_hash, one.jti_hash) if one_hash)
    return sorted({int.from_bytes(one_hash[:8], "big", signed=True) for one_hash in hashes})


def _redeemed(row: Mapping[str, Any]) -> RedeemedCode | None:
    if row["grant_id"] is None:
        return None
    return RedeemedCode(row["redirect_uri"], row["code_challenge"], _grant(row))


async def revoke_family_of_used_code(work: Work, *, code_hash: bytes, client_id: ClientId) -> GrantId | None:
    """Revoke the grant of a code that this client used before, and return its id."""
    row = await _one(
        work,
        """
        update oidc_grant set revoked_at = %s, revoked_because = 'code-reused'
        from oidc_code
        where code_hash = %s and oidc_code.client_id = %s and used_at is not null
            and oidc_grant.grant_id = oidc_code.grant_id and revoked_at is null
        returning oidc_grant.grant_id
        """,
        (work.now, code_hash, client_id),
    )
    return GrantId(row["grant_id"]) if row else None


async def revoke_families_of_session(work: Work, session_id: SessionId) -> int:
    """Revoke every grant of a session; return how many."""
    cursor = await work.connection.execute(
        "update oidc_grant set revoked_at = %s, revoked_because = 'session-ended'"
        " where session_id = %s and revoked_at is null",
        (work.now, session_id),
    )
    return cursor.rowcount


async def add_tokens(work: Work, tokens: Sequence[IssuedToken]) -> None:
    """Remember access tokens by their ids."""
    await run_each(
        work,
        "insert into oidc_token (jti, grant_id, issued_at, expires_at) values (%s, %s, %s, %s)",
        [(token.jti, token.grant_id, work.now, token.expires_at) for token in tokens],
    )


async def grants_of_tokens(work: Work, jtis: Sequence[str]) -> Sequence[Grant | None]:
    """Return for each access token that has not expired its grant, if that lives."""
    rows = await first_of_each(
        work,
        "select oidc_grant.* from oidc_token join oidc_grant using (grant_id)"
        " where jti = %s and expires_at > %s and revoked_at is null",
        [(jti, work.now) for jti in jtis],
        dict_row,
    )
    return [_grant(row) if row else None for row in rows]


async def sweep(work: Work, *, grants_before: datetime) -> None:
    """Drop what has expired.

    Grants go when they are older than `grants_before`, codes and tokens with them.
    """
    await work.connection.execute("delete from oidc_request where expires_at < %s", (work.now,))
    await work.connection.execute("delete from oidc_assertion where expires_at < %s", (work.now,))
    await work.connection.execute("delete from oidc_token where expires_at < %s", (work.now,))
    await work.connection.execute("delete from oidc_grant where created_at < %s", (grants_before,))


async def lock_signing_keys(work: Work) -> None:
    """Wait until no other node changes the signing keys; held until the end of the work."""
    await work.connection.execute("select pg_advisory_xact_lock(%s)", (ROTATION_LOCK,))


async def signing_keys(work: Work) -> Sequence[SigningKey]:
    """Return every signing key, the oldest first."""
    async with work.connection.cursor(row_factory=dict_row) as cursor:
        rows = await (
            await cursor.execute("select * from oidc_signing_key order by published_at, kid")
        ).fetchall()
    return [SigningKey(**{**row, "state": SigningKeyState(row["state"])}) for row in rows]


async def add_signing_key(work: Work, key: SigningKey) -> None:
    """Store a new signing key."""
    await work.connection.execute(
        "insert into oidc_signing_key (kid, name, algorithm, state, public_jwk, published_at, active_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        (
            key.kid,
            key.name,
            key.algorithm,
            key.state,
            Jsonb(dict(key.public_jwk)),
            key.published_at,
            key.active_at,
        ),
    )


async def promote_signing_key(work: Work, key: SigningKey) -> None:
    """Retire the active key of the same algorithm and make `key` the active one."""
    await work.connection.execute(
        "update oidc_signing_key set state = 'retired', retired_at = %s"
        " where algorithm = %s and state = 'active'",
        (work.now, key.algorithm),
    )
    await work.connection.execute(
        "update oidc_signing_key set state = 'active', active_at = %s where kid = %s and state = 'next'",
        (work.now, key.kid),
    )


async def remove_signing_key(work: Work, key: SigningKey) -> None:
    """Stop publishing a retired key."""
    await work.connection.execute(
        "delete from oidc_signing_key where kid = %s and state = 'retired'", (key.kid,)
    )


async def _one(work: Work, query: LiteralString, values: Sequence[Any]) -> Mapping[str, Any] | None:
    async with work.connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query, values)).fetchone()


def _grant(row: Mapping[str, Any]) -> Grant:
    return Grant(
        id=GrantId(row["grant_id"]),
        client_id=ClientId(row["client_id"]),
        person_id=PersonId(row["person_id"]),
        session_id=SessionId(row["session_id"]),
        sid=row["sid"],
        scope=tuple(Scope(name) for name in row["scope"]),
        nonce=row["nonce"],
        acr=row["acr"],
        authenticated_at=row["authenticated_at"],
        means=MeansUsed(row["means"]),
        uzi_number=row["uzi_number"],
        ura_on_card=row["ura_on_card"],
        full_name=row["full_name"],
        organisation=Organisation(
            row["organisation_ura"], row["organisation_name"], row["organisation_is_guest"]
        ),
        id_token_claims=tuple(row["id_token_claims"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )
