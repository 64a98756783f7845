"""Pages that show Smartcards: those of an organisation, one's own, and one card (LIFE-1).

Who may see what is decided by `roles`; here it is only asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from zorgid.audit.model import Event, Subject
from zorgid.cards import actions as cards
from zorgid.cards.model import Card, CardPage, CardState, Hold, HoldOwnerKind, PageKey
from zorgid.kernel.ids import CardId, OrganisationId
from zorgid.organisations import actions as organisations
from zorgid.organisations.model import Organisation
from zorgid.people import actions as people
from zorgid.people.model import Person
from zorgid.roles import actions as roles
from zorgid.roles.errors import RightMissing
from zorgid.roles.model import MANAGING_ROLES, Act, Target
from zorgid.storage.database import Work
from zorgid.web.edge import act_of, render, work_of
from zorgid.web.portal.session import Visit, for_visitors

LIVING: Final = frozenset({CardState.active, CardState.held})
"""Cards that can still be held or revoked."""


def routes() -> list[BaseRoute]:
    """Return the routes of the pages that show cards."""
    return [Route("/portal/cards", show_cards), Route("/portal/cards/{number}", show_card)]


@dataclass(frozen=True)
class ShownHold:
    """A hold, by whom it was set, and whether the visitor may release it."""

    hold: Hold
    organisation: Organisation | None
    may_release: bool


@dataclass(frozen=True)
class ShownCard:
    """A card with all that its page shows to this visitor."""

    card: Card
    holder: Person
    is_own: bool
    organisations: Sequence[Organisation]
    holds: Sequence[ShownHold]
    last_used_at: datetime | None
    may_hold: bool
    may_revoke: bool


@for_visitors
async def show_cards(request: Request, visit: Visit) -> Response:
    """List the cards of an organisation that the visitor manages, and the visitor's own."""
    async with work_of(request) as work:
        managed = await managed_organisations(work, visit)
        chosen = choose_organisation(managed, request.query_params.get("organisation"))
        own = await cards.cards_of_holder(work, visit.session.person_id)
        page = await cards_page(work, visit, chosen, page_key(request.query_params.get("after")))
        holders = await people.people_of(work, {listed.card.holder_id for listed in page.cards})
    return render(
        request,
        "portal/cards.html",
        visit=visit,
        managed=managed,
        chosen=chosen,
        own=own,
        page_of_cards=page,
        holders=holders,
        next_key=key_text(page.next),
    )


@for_visitors
async def show_card(request: Request, visit: Visit) -> Response:
    """Show one card and what the visitor may do with it."""
    number = request.path_params["number"]
    on = Subject("card-number", number)
    async with act_of(request, event=Event.card_viewed, by=visit.actor, on=on) as work:
        shown = await shown_card(work, visit, number)
    return render(request, "portal/card.html", visit=visit, shown=shown)


async def managed_organisations(work: Work, visit: Visit) -> Sequence[Organisation]:
    """Return the organisations that the visitor manages, by name."""
    grants = await roles.grants_of(work, visit.session.person_id)
    ids = {
        grant.organisation_id for grant in grants if grant.role in MANAGING_ROLES and grant.organisation_id
    }
    found = [await organisations.organisation(work, organisation_id) for organisation_id in ids]
    return sorted(found, key=lambda organisation: organisation.name)


def choose_organisation(managed: Sequence[Organisation], asked: str | None) -> Organisation | None:
    """Return the organisation whose cards are listed: the one asked for, else the first, else none."""
    chosen = [organisation for organisation in managed if str(organisation.id) == asked]
    return next(iter([*chosen, *managed]), None)


async def cards_page(
    work: Work, visit: Visit, chosen: Organisation | None, after: PageKey | None
) -> CardPage:
    """Return one page of the cards of an organisation. Raises `RightMissing`."""
    if chosen is None:
        return CardPage((), None)
    return await cards.cards_of_organisation(work, organisation_id=chosen.id, by=visit.actor, after=after)


def page_key(text: str | None) -> PageKey | None:
    """Return where a page begins, from an address; nonsense means at the beginning."""
    moment, _, card_id = (text or "").partition("~")
    try:
        key = PageKey(datetime.fromisoformat(moment), CardId(UUID(card_id)))
    except ValueError:
        return None
    return key if key.linked_at.tzinfo else None


def key_text(key: PageKey | None) -> str | None:
    """Return where the next page begins, for an address."""
    return f"{key.linked_at.isoformat()}~{key.card_id}" if key else None


async def shown_card(work: Work, visit: Visit, number: str) -> ShownCard:
    """Return what the page of a card shows to this visitor. Raises `CardUnknown`."""
    card = await cards.view_card(work, number=number, by=visit.actor)
    is_own = card.holder_id == visit.session.person_id
    linked = frozenset(link.organisation_id for link in await cards.links_of(work, card.id))
    target = Target(holder_id=card.holder_id, linked_organisations=linked)
    mine = {organisation.id for organisation in await managed_organisations(work, visit)}
    holds = await cards.holds_of(work, card.id)
    names = await organisations_by_id(
        work, (linked if is_own else linked & mine) | {hold.owner.organisation_id for hold in holds}
    )
    shown_holds = [await shown_hold(work, visit, card, hold, names) for hold in holds]
    is_living = card.state in LIVING
    holds_already = any(shown.may_release for shown in shown_holds)
    return ShownCard(
        card=card,
        holder=await people.person(work, card.holder_id),
        is_own=is_own,
        organisations=[names[place] for place in linked if is_own or place in mine],
        holds=shown_holds,
        last_used_at=await cards.last_used_at(work, card.id),
        may_hold=is_living and not holds_already and await may(work, visit, Act.hold_card, target),
        may_revoke=is_living and await may(work, visit, Act.revoke_card, target),
    )


async def shown_hold(
    work: Work, visit: Visit, card: Card, hold: Hold, names: Mapping[OrganisationId, Organisation]
) -> ShownHold:
    """Return a hold as the page of its card shows it."""
    place = hold.owner.organisation_id
    target = Target(
        holder_id=card.holder_id,
        hold_of_organisation=place,
        is_hold_of_holder=hold.owner.kind is HoldOwnerKind.holder,
    )
    may_release = await may(work, visit, Act.release_hold, target)
    return ShownHold(hold, names[place] if place else None, may_release)


async def organisations_by_id(
    work: Work, ids: Iterable[OrganisationId | None]
) -> Mapping[OrganisationId, Organisation]:
    """Return the organisations by id."""
    return {one: await organisations.organisation(work, one) for one in ids if one is not None}


async def may(work: Work, visit: Visit, act: Act, target: Target) -> bool:
    """Tell whether to offer an act on a page; the act itself asks again."""
    try:
        await roles.require_right(work, person_id=visit.session.person_id, act=act, target=target)
    except RightMissing:
        return False
    return True
