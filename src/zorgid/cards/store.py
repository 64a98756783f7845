"""The SQL of cards, links, holds and uses.

Every change of a card locks its row first, so that changes of one card follow each other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg.rows import kwargs_row

from zorgid.cards.model import (
    Card,
    CardState,
    Hold,
    HoldId,
    HoldOwner,
    HoldOwnerKind,
    HoldReason,
    Link,
    ListedCard,
    PageKey,
)
from zorgid.kernel.ids import CardId, OrganisationId, PersonId, new_id
from zorgid.pki.recognise import Level
from zorgid.storage.database import Work
from zorgid.storage.rows import first_of_each

ADD: Final = """
    insert into card (id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until,
        changed_at)
    values (%(id)s, %(number)s, %(chip_serial)s, %(kind)s, %(holder_id)s, %(made_for)s, %(state)s, %(level)s,
        %(made_at)s, %(valid_until)s, %(made_at)s)
"""

CARD: Final = """
    select id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until
    from card where id = %(id)s
"""

CARD_FOR_CHANGE: Final = """
    select id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until
    from card where id = %(id)s for no key update
"""

# Makes a change of the card wait until this work, which relies on its state, has ended.
CARD_FOR_USE: Final = """
    select id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until
    from card where id = %(id)s for share
"""

# A number that failed and was made anew names the newer card.
BY_NUMBER: Final = """
    select id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until
    from card where number = %(number)s order by state = 'failed', made_at desc, id limit 1
"""

OF_HOLDER: Final = """
    select id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until
    from card where holder_id = %(holder_id)s order by made_at desc, id
"""

LIVING_OF_HOLDER: Final = """
    select id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until
    from card where holder_id = %(holder_id)s and state in ('active', 'held') order by id for no key update
"""

UNFINISHED: Final = """
    select id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until
    from card where number = %(number)s and state = 'issuing'
"""

# Passes over cards that are being changed; the next sweep finds what is left of them.
TO_EXPIRE: Final = """
    select id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until
    from card where state in ('active', 'held') and valid_until < %(now)s
    order by valid_until, id limit %(most)s for no key update skip locked
"""

SET_STATE: Final = "update card set state = %(state)s, changed_at = %(now)s where id = %(id)s"

ADD_LINK: Final = """
    insert into card_link (id, card_id, organisation_id, linked_at)
    values (%(id)s, %(card_id)s, %(organisation_id)s, %(now)s)
    on conflict (card_id, organisation_id) where ended_at is null do nothing
"""

LINKS: Final = """
    select organisation_id, linked_at from card_link where card_id = %(card_id)s and ended_at is null
    order by linked_at, organisation_id
"""

ADD_HOLD: Final = """
    insert into card_hold (id, card_id, owner, organisation_id, reason, set_at)
    values (%(id)s, %(card_id)s, %(owner)s, %(organisation_id)s, %(reason)s, %(set_at)s)
"""

HOLDS: Final = """
    select id, card_id, owner, organisation_id, reason, set_at from card_hold
    where card_id = %(card_id)s and ended_at is null order by set_at, id
"""

HOLD: Final = """
    select id, card_id, owner, organisation_id, reason, set_at from card_hold
    where id = %(id)s and ended_at is null
"""

END_HOLD: Final = "update card_hold set ended_at = %(now)s where id = %(id)s and ended_at is null"

END_HOLDS: Final = "update card_hold set ended_at = %(now)s where card_id = %(card_id)s and ended_at is null"

PAGE: Final = """
    select card.id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until,
        linked_at, last_used_at
    from card_link join card on card.id = card_link.card_id left join card_use on card_use.card_id = card.id
    where organisation_id = %(organisation_id)s and ended_at is null
        and (card_link.linked_at, card_link.card_id) < (%(linked_at)s, %(card_id)s)
    order by card_link.linked_at desc, card_link.card_id desc limit %(most)s
"""

FIRST_PAGE: Final = """
    select card.id, number, chip_serial, kind, holder_id, made_for, state, level, made_at, valid_until,
        linked_at, last_used_at
    from card_link join card on card.id = card_link.card_id left join card_use on card_use.card_id = card.id
    where organisation_id = %(organisation_id)s and ended_at is null
    order by card_link.linked_at desc, card_link.card_id desc limit %(most)s
"""

NOTE_USE: Final = """
    insert into card_use (card_id, last_used_at) values (%(card_id)s, %(now)s)
    on conflict (card_id) do update set last_used_at = excluded.last_used_at
    where card_use.last_used_at < %(before)s
"""

LAST_USE: Final = "select last_used_at from card_use where card_id = %(card_id)s"


def _card(**row: Any) -> Card:
    return Card(**{**row, "state": CardState(row["state"]), "level": Level(row["level"])})


def _hold(**row: Any) -> Hold:
    owner = HoldOwner(HoldOwnerKind(row["owner"]), row["organisation_id"])
    return Hold(HoldId(row["id"]), CardId(row["card_id"]), owner, HoldReason(row["reason"]), row["set_at"])


def _listed(*, linked_at: datetime, last_used_at: datetime | None, **row: Any) -> ListedCard:
    return ListedCard(_card(**row), linked_at, last_used_at)


async def add(work: Work, card: Card) -> None:
    """Store a card."""
    await work.connection.execute(ADD, vars(card))


async def card(work: Work, card_id: CardId) -> Card | None:
    """Return the card, or None."""
    return await _first(work, CARD, {"id": card_id})


async def card_for_change(work: Work, card_id: CardId) -> Card | None:
    """Return the card, which nobody else changes or relies on until this work ends, or None."""
    return await _first(work, CARD_FOR_CHANGE, {"id": card_id})


async def card_for_use(work: Work, card_id: CardId) -> Card | None:
    """Return the card, which nobody changes until this work ends, or None."""
    return await _first(work, CARD_FOR_USE, {"id": card_id})


async def each_card(work: Work, card_ids: Sequence[CardId], *, stays: bool) -> Sequence[Card | None]:
    """Return each of the cards or None, in one round trip.

    With `stays` nobody changes them until this work ends.
    """
    query = CARD_FOR_USE if stays else CARD
    return await first_of_each(work, query, [{"id": one} for one in card_ids], kwargs_row(_card))


async def by_number(work: Work, number: str) -> Card | None:
    """Return the card with this number; the one that did not fail when there is one; or None."""
    return await _first(work, BY_NUMBER, {"number": number})


async def of_holder(work: Work, holder_id: PersonId) -> list[Card]:
    """Return the person's cards, the newest first."""
    return await _cards(work, OF_HOLDER, {"holder_id": holder_id})


async def living_of_holder(work: Work, holder_id: PersonId) -> list[Card]:
    """Return the person's active and held cards, for change."""
    return await _cards(work, LIVING_OF_HOLDER, {"holder_id": holder_id})


async def unfinished(work: Work, number: str) -> list[Card]:
    """Return the cards of this number whose making was not finished."""
    return await _cards(work, UNFINISHED, {"number": number})


async def to_expire(work: Work, most: int) -> list[Card]:
    """Return at most so many living cards whose time is over, for change, the longest overdue first."""
    return await _cards(work, TO_EXPIRE, {"now": work.now, "most": most})


async def set_state(work: Work, card_id: CardId, state: CardState) -> None:
    """Store the new state."""
    await work.connection.execute(SET_STATE, {"id": card_id, "state": state, "now": work.now})


async def add_link(work: Work, card_id: CardId, organisation_id: OrganisationId) -> None:
    """Link the card to the organisation; a link that runs stays as it is."""
    columns = {
        "id": new_id(work.random),
        "card_id": card_id,
        "organisation_id": organisation_id,
        "now": work.now,
    }
    await work.connection.execute(ADD_LINK, columns)


async def links(work: Work, card_id: CardId) -> tuple[Link, ...]:
    """Return the links that run, oldest first."""
    async with work.connection.cursor(row_factory=kwargs_row(Link)) as cursor:
        await cursor.execute(LINKS, {"card_id": card_id})
        return tuple(await cursor.fetchall())


async def add_hold(work: Work, hold: Hold) -> None:
    """Store a hold."""
    columns = {**vars(hold), "owner": hold.owner.kind, "organisation_id": hold.owner.organisation_id}
    await work.connection.execute(ADD_HOLD, columns)


async def holds(work: Work, card_id: CardId) -> tuple[Hold, ...]:
    """Return the holds that run, oldest first."""
    return await _holds(work, HOLDS, {"card_id": card_id})


async def hold(work: Work, hold_id: HoldId) -> Hold | None:
    """Return the hold when it runs, or None."""
    found = await _holds(work, HOLD, {"id": hold_id})
    return found[0] if found else None


async def end_hold(work: Work, hold_id: HoldId) -> None:
    """End one hold."""
    await work.connection.execute(END_HOLD, {"id": hold_id, "now": work.now})


async def end_holds(work: Work, card_id: CardId) -> None:
    """End every hold on a card."""
    await work.connection.execute(END_HOLDS, {"card_id": card_id, "now": work.now})


async def page(
    work: Work, organisation_id: OrganisationId, after: PageKey | None, most: int
) -> list[ListedCard]:
    """Return at most so many cards that are linked to the organisation, newest link first, after the key."""
    columns = {"organisation_id": organisation_id, "most": most, **(vars(after) if after else {})}
    async with work.connection.cursor(row_factory=kwargs_row(_listed)) as cursor:
        await cursor.execute(PAGE if after else FIRST_PAGE, columns)
        return await cursor.fetchall()


async def note_use(work: Work, card_id: CardId, *, before: datetime) -> None:
    """Note that the card is used now, unless a use at `before` or later is noted."""
    await work.connection.execute(NOTE_USE, {"card_id": card_id, "now": work.now, "before": before})


async def last_used_at(work: Work, card_id: CardId) -> datetime | None:
    """Return when the card was last used, to the minute, or None."""
    found = await (await work.connection.execute(LAST_USE, {"card_id": card_id})).fetchone()
    return found[0] if found else None


async def _first(work: Work, query: LiteralString, columns: Mapping[str, Any]) -> Card | None:
    found = await _cards(work, query, columns)
    return found[0] if found else None


async def _cards(work: Work, query: LiteralString, columns: Mapping[str, Any]) -> list[Card]:
    async with work.connection.cursor(row_factory=kwargs_row(_card)) as cursor:
        await cursor.execute(query, columns)
        return await cursor.fetchall()


async def _holds(work: Work, query: LiteralString, columns: Mapping[str, Any]) -> tuple[Hold, ...]:
    async with work.connection.cursor(row_factory=kwargs_row(_hold)) as cursor:
        await cursor.execute(query, columns)
        return tuple(await cursor.fetchall())
