"""Validates an organisation with the proof of a Z card (ORG-4).

Until the phone exists, its holder becomes administrator.
"""

from dataclasses import dataclass

from zorgid.audit.model import Actor, ActorKind
from zorgid.login import actions as login
from zorgid.login.model import MeansUsed, Purpose, Transaction
from zorgid.organisations import actions as organisations
from zorgid.organisations.model import Organisation
from zorgid.people.model import MeansPolicy
from zorgid.roles import actions as roles
from zorgid.roles.model import Role
from zorgid.storage.database import Work


@dataclass(frozen=True)
class ShownOrganisation:
    """What the person is asked to confirm: "klopt dit?"."""

    organisation: Organisation
    full_name: str


async def organisation_to_validate(work: Work, transaction: Transaction) -> ShownOrganisation:
    """Return the organisation whose URA is on the proved card, before anything changes.

    Raises:
        TransactionNotOpen: the proof was not completed in this browser, or was for something else.
        Refusals of `organisations.organisation_to_validate`, before the person is asked anything.
    """
    completed = login.completed_proof(transaction, Purpose.validate_organisation, now=work.now)
    proved = completed.proved
    organisation = await organisations.organisation_to_validate(
        work, ura=proved.means.ura, uzi_number=proved.means.uzi_number, card_type=proved.card_type or ""
    )
    return ShownOrganisation(organisation, proved.means.full_name)


async def validate_organisation(work: Work, transaction: Transaction, *, policy: MeansPolicy) -> Organisation:
    """Validate the organisation of the proved card and make its holder administrator, once.

    Raises:
        TransactionNotOpen: the proof is another's, too old, or was used before.
        ValidatorNotNamed, ValidatingCardTypeRefused, OrganisationActRefused: see `organisations`.
        OtherMeansReserved: the person has or makes a Smartcard (CARD-4).
    """
    completed = login.completed_proof(transaction, Purpose.validate_organisation, now=work.now)
    proved = (await login.use_proof(work, completed)).proved
    by = Actor(ActorKind.person, person_id=completed.person_id, means=MeansUsed.uzi_card)
    organisation = await organisations.validate_organisation(
        work,
        ura=proved.means.ura,
        uzi_number=proved.means.uzi_number,
        card_type=proved.card_type or "",
        by=by,
    )
    await roles.grant_role(
        work,
        person_id=completed.person_id,
        role=Role.administrator,
        organisation_id=organisation.id,
        policy=policy,
        by=by,
    )
    return await organisations.register_organisation(work, organisation_id=organisation.id, by=by)
