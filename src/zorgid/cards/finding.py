"""Finds cards: one by id or number, the holder's, and an organisation's in pages.

Nothing changes but the log.
"""

from datetime import datetime
from typing import Final

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, Event, Subject
from zorgid.cards import rules, store
from zorgid.cards.errors import CardUnknown
from zorgid.cards.model import Card, CardPage, Hold, Link, PageKey
from zorgid.kernel.ids import CardId, OrganisationId, PersonId
from zorgid.roles.actions import require_right
from zorgid.roles.errors import RightMissing
from zorgid.roles.model import Act, Permission, Target
from zorgid.storage.database import Work

LARGEST_PAGE: Final = 200
PAGE_SIZE: Final = 50


async def card(work: Work, card_id: CardId) -> Card:
    """Return the card. Raises `CardUnknown`. The caller answers for who sees it."""
    return known(await store.card(work, card_id))


async def card_by_number(work: Work, number: str) -> Card:
    """Return the card with this number, as printed on it. Raises `CardUnknown`.

    The caller answers for who sees it.
    """
    return known(await store.by_number(work, number))


async def view_card(work: Work, *, number: str, by: Actor, acting_for: OrganisationId | None = None) -> Card:
    """Return the card with this number for somebody who may see it, and record that it was seen.

    Raises:
        CardUnknown: there is none, or it is not the asker's to see: the answer is the same (LIFE-4).
    """
    found = await card_by_number(work, number)
    try:
        permission = await permit(
            work,
            by,
            Act.view_card,
            rules.target(found, await store.links(work, found.id)),
            acting_for=acting_for,
        )
    except RightMissing:
        raise CardUnknown from None
    await record(
        work,
        event=Event.card_viewed,
        by=by,
        on=subject(found.id),
        organisation_id=permission.organisation_id,
    )
    return found


async def cards_of_holder(work: Work, holder_id: PersonId) -> tuple[Card, ...]:
    """Return all cards that were ever made for the person, the newest first."""
    return tuple(await store.of_holder(work, holder_id))


async def cards_of_organisation(
    work: Work,
    *,
    organisation_id: OrganisationId,
    by: Actor,
    after: PageKey | None = None,
    limit: int = PAGE_SIZE,
) -> CardPage:
    """Return a page of the cards linked to the organisation now, the newest link first; record who saw it.

    Args:
        work: a transaction.
        organisation_id: whose list it is.
        by: who asks.
        after: the `next` of the page before, or None for the first page.
        limit: cards on the page, 200 at most.

    Raises:
        RightMissing: the person manages nothing there.
    """
    await permit(work, by, Act.view_organisation, Target(organisation_id=organisation_id))
    size = min(max(limit, 1), LARGEST_PAGE)
    found = await store.page(work, organisation_id, after, size + 1)
    shown = tuple(found[:size])
    await record(
        work,
        event=Event.cards_listed,
        by=by,
        on=Subject("organisation", str(organisation_id)),
        organisation_id=organisation_id,
        facts={"cards": len(shown)},
    )
    is_last = len(found) <= size
    return CardPage(shown, None if is_last else PageKey(shown[-1].linked_at, shown[-1].card.id))


async def links_of(work: Work, card_id: CardId) -> tuple[Link, ...]:
    """Return the card's links that run now, oldest first."""
    return await store.links(work, card_id)


async def holds_of(work: Work, card_id: CardId) -> tuple[Hold, ...]:
    """Return the holds on the card that run now, oldest first."""
    return await store.holds(work, card_id)


async def last_used_at(work: Work, card_id: CardId) -> datetime | None:
    """Return when the card was last used, to the minute; None when it never was."""
    return await store.last_used_at(work, card_id)


async def permit(
    work: Work, by: Actor, act: Act, target: Target, *, acting_for: OrganisationId | None = None
) -> Permission:
    """Return the right by which the actor may do this. Raises `RightMissing`, also for who is no person."""
    if by.person_id is None:
        raise RightMissing(act=act)
    return await require_right(work, person_id=by.person_id, act=act, target=target, acting_for=acting_for)


def known(found: Card | None) -> Card:
    """Return the card that was found. Raises `CardUnknown`."""
    if found is None:
        raise CardUnknown
    return found


def subject(card_id: CardId) -> Subject:
    """Return the card as the log names it."""
    return Subject("card", str(card_id))
