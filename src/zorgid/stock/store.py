"""The SQL of blank cards. A change names the state it was decided on, and happens only in that state."""

from typing import Any, Final, LiteralString

from psycopg.rows import kwargs_row

from zorgid.kernel.ids import IssuanceId
from zorgid.stock.model import BlankCard, StockState
from zorgid.stock.rules import kind_named
from zorgid.storage.database import Work

ADD: Final = """
    insert into blank_card (number, chip_serial, kind, state, added_at, changed_at)
    values (%(number)s, %(chip_serial)s, %(kind)s, 'in_stock', %(now)s, %(now)s)
    on conflict do nothing
"""

BY_NUMBER: Final = """
    select number, chip_serial, kind, state, sold_at is not null as is_sold, issuance_id, alive_at
    from blank_card where number = %s
"""

BY_CHIP: Final = """
    select number, chip_serial, kind, state, sold_at is not null as is_sold, issuance_id, alive_at
    from blank_card where chip_serial = %s
"""

# Of two works that decided on the same state, the second finds another one and changes nothing.
MOVE: Final = """
    update blank_card set state = %(state)s, issuance_id = %(issuance_id)s, alive_at = %(alive_at)s,
        sold_at = case when %(state)s = 'shipped' then %(now)s else sold_at end, changed_at = %(now)s
    where number = %(number)s and state = %(was_state)s
        and issuance_id is not distinct from %(was_issuance_id)s
        and alive_at is not distinct from %(was_alive_at)s
"""

KEEP_ALIVE: Final = """
    update blank_card set alive_at = %(now)s
    where number = %(number)s and state = 'in_making' and issuance_id = %(issuance_id)s
"""


def _blank_card(**row: Any) -> BlankCard:
    return BlankCard(**{**row, "kind": kind_named(row["kind"]), "state": StockState(row["state"])})


async def add(work: Work, *, number: str, chip_serial: str, kind: str) -> bool:
    """Store a blank card; return False when the number or the chip serial is known."""
    columns = {"number": number, "chip_serial": chip_serial, "kind": kind, "now": work.now}
    return bool((await work.connection.execute(ADD, columns)).rowcount)


async def by_number(work: Work, number: str) -> BlankCard | None:
    """Return the blank card, or None."""
    return await _one(work, BY_NUMBER, number)


async def by_chip(work: Work, chip_serial: str) -> BlankCard | None:
    """Return the blank card with this chip, or None."""
    return await _one(work, BY_CHIP, chip_serial)


async def move(
    work: Work, was: BlankCard, state: StockState, *, issuance_id: IssuanceId | None = None
) -> bool:
    """Bring the card from where it `was` to `state`; return False when it is no longer as it was.

    With an issuance, this is also its first sign of life.
    """
    columns = {
        "number": was.number,
        "state": state,
        "issuance_id": issuance_id,
        "alive_at": work.now if issuance_id else None,
        "now": work.now,
        "was_state": was.state,
        "was_issuance_id": was.issuance_id,
        "was_alive_at": was.alive_at,
    }
    return bool((await work.connection.execute(MOVE, columns)).rowcount)


async def keep_alive(work: Work, number: str, issuance_id: IssuanceId) -> bool:
    """Note a sign of life; return False when the issuance does not have the card."""
    columns = {"number": number, "issuance_id": issuance_id, "now": work.now}
    return bool((await work.connection.execute(KEEP_ALIVE, columns)).rowcount)


async def _one(work: Work, query: LiteralString, key: str) -> BlankCard | None:
    async with work.connection.cursor(row_factory=kwargs_row(_blank_card)) as cursor:
        await cursor.execute(query, (key,))
        return await cursor.fetchone()
