"""Fixes the organisation of work in a grant: the one on the card, or one that a link or role names."""

from collections.abc import Sequence
from uuid import UUID

from zorgid.cards import actions as cards
from zorgid.kernel.ids import CardId, OrganisationId
from zorgid.login.model import MeansUsed, Session
from zorgid.oidc.model import Organisation
from zorgid.organisations import actions as organisations
from zorgid.organisations.errors import OrganisationUnknown
from zorgid.organisations.model import Organisation as RegisteredOrganisation
from zorgid.organisations.model import OrganisationState
from zorgid.roles import actions as roles
from zorgid.storage.database import Work

CHECKED_STATES = frozenset({OrganisationState.validated, OrganisationState.registered})
"""Before that the name is only what somebody typed in a public form."""


async def organisations_of_work(
    work: Work, wishes: Sequence[tuple[Session, str | None]]
) -> Sequence[Organisation]:
    """Return for each session and asked URA the organisation for which the person works in it (LOGIN-3).

    Without a wish, or when nothing ties the person to the organisation that is asked, it is the one on the
    card; then `guest` is true.
    """
    on_cards = await organisations.organisations_by_ura(work, [session.means.ura for session, _ in wishes])
    return [
        await _organisation_of_work(work, session, asked, _if_checked(own))
        for (session, asked), own in zip(wishes, on_cards, strict=True)
    ]


async def _organisation_of_work(
    work: Work, session: Session, asked_ura: str | None, own: RegisteredOrganisation | None
) -> Organisation:
    card_ura = session.means.ura
    own_name = own.name if own else None
    if asked_ura in {None, card_ura}:
        return Organisation(card_ura, own_name, guest=False)
    asked = await _checked(work, asked_ura or "")
    if asked is not None and asked.id in await _tied(work, session):
        return Organisation(asked.ura, asked.name, guest=False)
    return Organisation(card_ura, own_name, guest=True)


async def _checked(work: Work, ura: str) -> RegisteredOrganisation | None:
    try:
        return _if_checked(await organisations.organisation_by_ura(work, ura))
    except OrganisationUnknown:
        return None


def _if_checked(found: RegisteredOrganisation | None) -> RegisteredOrganisation | None:
    return found if found is not None and found.state in CHECKED_STATES else None


async def _tied(work: Work, session: Session) -> frozenset[OrganisationId]:
    """Return the organisations that link the person's card or gave the person a role."""
    granted = {grant.organisation_id for grant in await roles.grants_of(work, session.person_id)}
    if session.means.kind is MeansUsed.smartcard:
        links = await cards.links_of(work, CardId(UUID(session.means.reference)))
        granted |= {link.organisation_id for link in links}
    return frozenset(one for one in granted if one is not None)
