"""The SQL of the making of cards."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from zorgid.issuance.model import Issuance, UziCertificate
from zorgid.kernel.ids import CardId, IssuanceId, OrganisationId, PersonId, TransactionId
from zorgid.login.stored import proved_from_json, proved_to_json
from zorgid.protocol.app_key import AppKey
from zorgid.protocol.context import Context
from zorgid.protocol.messages import IssuanceStep, KeyUsage
from zorgid.storage.database import Work

COLUMNS: Final[LiteralString] = """
    issuance_id, person_id, organisation_id, app_x, app_y, step, proved, opened_at, expires_at, card_number,
    chip_serial, card_id, attempt, challenge, context
"""


async def insert(work: Work, issuance: Issuance, transaction_id: TransactionId) -> None:
    """Store a new making."""
    await work.connection.execute(
        """
        insert into issuance (issuance_id, transaction_id, person_id, organisation_id, app_x, app_y, step,
        proved,
                              opened_at, expires_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            issuance.id, transaction_id, issuance.person_id, issuance.organisation_id, issuance.app_key.x,
            issuance.app_key.y, issuance.step, Jsonb(proved_to_json(issuance.proved)), issuance.opened_at,
            issuance.expires_at,
        ),
    )  # fmt: skip


async def rebind(work: Work, issuance: Issuance, transaction_id: TransactionId) -> None:
    """Bind an open making to the app key and the card of a fresh proof; an earlier challenge is forgotten."""
    await work.connection.execute(
        """
        update issuance set transaction_id = %s, app_x = %s, app_y = %s, proved = %s, challenge = null,
        context = null where issuance_id = %s
        """,
        (
            transaction_id,
            issuance.app_key.x,
            issuance.app_key.y,
            Jsonb(proved_to_json(issuance.proved)),
            issuance.id,
        ),
    )


async def by_id(work: Work, issuance_id: IssuanceId) -> Issuance | None:
    """Return a making, locked for this work; one that was over so long that it was forgotten is not there."""
    return await _one(work, "issuance_id = %s and proved is not null for update", issuance_id)


async def open_of_person(work: Work, person_id: PersonId) -> Issuance | None:
    """Return the open making of a person, locked for this work."""
    return await _one(work, "person_id = %s and step not in ('done', 'failed') for update", person_id)


async def by_transaction(work: Work, transaction_id: TransactionId) -> Issuance | None:
    """Return the making that a transaction opened or went on with."""
    return await _one(work, "transaction_id = %s and proved is not null", transaction_id)


async def expired(work: Work, *, now: datetime) -> Issuance | None:
    """Return one making whose day has passed, locked; those that another node works on are skipped."""
    condition: LiteralString = (
        "step not in ('done', 'failed') and expires_at <= %s limit 1 for update skip locked"
    )
    return await _one(work, condition, now)


async def ended(work: Work, *, before: datetime) -> Issuance | None:
    """Return one making that ended before `before` and still names its person, locked.

    Those that another node works on are skipped.
    """
    condition: LiteralString = (
        "finished_at < %s and proved is not null order by finished_at limit 1 for update skip locked"
    )
    return await _one(work, condition, before)


async def forget_person(work: Work, issuance_id: IssuanceId, made_with: UziCertificate | None) -> None:
    """Clear what is personal in a making that is over, and note the UZI certificate of a card it made."""
    await work.connection.execute(
        """
        update issuance set proved = null, app_x = null, app_y = null, challenge = null, context = null,
                            made_with_issuer = %s, made_with_serial = %s
        where issuance_id = %s
        """,
        (made_with and made_with.issuer, made_with and made_with.serial, issuance_id),
    )


async def _one(work: Work, condition: LiteralString, value: object) -> Issuance | None:
    query: LiteralString = f"select {COLUMNS} from issuance where {condition}"  # noqa: S608 - literals only
    async with work.connection.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(query, (value,))).fetchone()
    return _issuance(row) if row else None


def _issuance(row: Mapping[str, Any]) -> Issuance:
    return Issuance(
        id=IssuanceId(row["issuance_id"]),
        person_id=PersonId(row["person_id"]),
        organisation_id=OrganisationId(row["organisation_id"]),
        app_key=AppKey(x=row["app_x"], y=row["app_y"]),
        step=IssuanceStep(row["step"]),
        proved=proved_from_json(row["proved"]),
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
        card_number=row["card_number"],
        chip_serial=row["chip_serial"],
        card_id=CardId(row["card_id"]) if row["card_id"] else None,
        attempt=row["attempt"],
        challenge=row["challenge"],
        context=Context.model_validate(row["context"]) if row["context"] else None,
    )


async def set_step(work: Work, issuance_id: IssuanceId, step: IssuanceStep) -> None:
    """Move a making, which this work holds locked, to a step."""
    await work.connection.execute(
        """
        update issuance set step = %s, finished_at = case when %s in ('done', 'failed') then %s else
        finished_at end where issuance_id = %s
        """,
        (step, step, work.now, issuance_id),
    )


async def set_card(work: Work, issuance: Issuance) -> None:
    """Note which card is made, and by which attempt; the challenge of an earlier one is forgotten."""
    await work.connection.execute(
        """
        update issuance set card_number = %s, chip_serial = %s, card_id = %s, attempt = %s, challenge = null,
                            context = null
        where issuance_id = %s
        """,
        (issuance.card_number, issuance.chip_serial, issuance.card_id, issuance.attempt, issuance.id),
    )


async def forget_card(work: Work, issuance_id: IssuanceId) -> None:
    """Note that no card is in making any more."""
    await work.connection.execute(
        """
        update issuance set card_number = null, chip_serial = null, card_id = null, attempt = null, challenge
        = null,
                            context = null
        where issuance_id = %s
        """,
        (issuance_id,),
    )


async def set_challenge(work: Work, issuance_id: IssuanceId, *, challenge: bytes, context: Context) -> None:
    """Store what the new card must sign."""
    await work.connection.execute(
        "update issuance set challenge = %s, context = %s where issuance_id = %s",
        (challenge, Jsonb(context.model_dump(mode="json")), issuance_id),
    )


async def add_guid(work: Work, *, guid: bytes, chip_serial: str, issuance_id: IssuanceId) -> None:
    """Note a GUID that will be written on a chip, before it is."""
    await work.connection.execute(
        "insert into issuance_guid (guid, chip_serial, issuance_id, given_at) values (%s, %s, %s, %s)",
        (guid, chip_serial, issuance_id, work.now),
    )


async def guids_of_chip(work: Work, chip_serial: str) -> frozenset[bytes]:
    """Return the GUIDs that makings were given for a chip."""
    cursor = await work.connection.execute(
        "select guid from issuance_guid where chip_serial = %s", (chip_serial,)
    )
    return frozenset(bytes(row[0]) for row in await cursor.fetchall())


async def keep_attestation(
    work: Work,
    *,
    card_id: CardId,
    usage: KeyUsage,
    root_name: str,
    chip_serial: str,
    firmware: str,
    pin_policy: str,
    statement: bytes,
    issuer: bytes,
) -> None:
    """Keep the checked proof that a key was made on the card; of the same key again, the first stays."""
    await work.connection.execute(
        """
        insert into issuance_attestation (card_id, usage, root_name, chip_serial, firmware, pin_policy,
        statement, issuer,
                                          checked_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (card_id, usage) do nothing
        """,
        (card_id, usage, root_name, chip_serial, firmware, pin_policy, statement, issuer, work.now),
    )
