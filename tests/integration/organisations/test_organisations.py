"""Organisations in the database: from request to registration."""

import asyncio

import pytest
from tests.clock import FakeClock
from tests.register_builders import (
    URA,
    VALIDATOR,
    audited,
    registered_organisation,
    requested_organisation,
)

from zorgid.audit.model import SYSTEM
from zorgid.organisations import actions as organisations
from zorgid.organisations.errors import (
    OrganisationActRefused,
    OrganisationNotRegistered,
    OrganisationUnknown,
    RequestAlreadyOpen,
    UraMalformed,
    ValidatorNotNamed,
)
from zorgid.organisations.model import MeansKind, OrganisationState
from zorgid.storage.database import Database, Origin, Work


async def test_an_organisation_goes_from_request_to_registered_and_each_step_is_in_the_log(
    work: Work,
) -> None:
    """ORG-1, ORG-3, ORG-4, AUD-1."""
    organisation = await registered_organisation(work, means=frozenset(MeansKind))

    assert organisation.state is OrganisationState.registered
    assert organisation.means == frozenset(MeansKind)
    assert await organisations.organisation_by_ura(work, URA) == organisation
    assert sorted(await audited(work, organisation.id), key=str) == sorted(
        [
            ("registration-requested", None, "requested"),
            ("registration-approved", "requested", "approved"),
            ("organisation-validated", "approved", "validated"),
            ("organisation-registered", "validated", "registered"),
        ],
        key=str,
    )


async def test_the_answer_to_a_question_brings_the_request_back(work: Work) -> None:
    """ORG-3."""
    requested = await requested_organisation(work)
    await organisations.ask_question(work, organisation_id=requested.id, words="Klopt de naam?", by=SYSTEM)
    with pytest.raises(OrganisationActRefused):
        await organisations.approve_request(work, organisation_id=requested.id, by=SYSTEM)
    answered = await organisations.answer_question(work, organisation_id=requested.id, words="Ja.", by=SYSTEM)

    assert answered.state is OrganisationState.requested
    assert (await organisations.registration_request(work, requested.id)).words == "Ja."
    assert ("registration-question-asked", "requested", "question") in await audited(work, requested.id)
    assert ("registration-question-answered", "question", "requested") in await audited(work, requested.id)


@pytest.mark.parametrize("closing", ["reject", "withdraw"])
async def test_a_closed_request_leaves_the_ura_free_for_a_new_one(
    work: Work, clock: FakeClock, closing: str
) -> None:
    """ORG-1, ORG-3."""
    first = await requested_organisation(work)
    if closing == "reject":
        await organisations.reject_request(work, organisation_id=first.id, words="Onbekend.", by=SYSTEM)
    else:
        await organisations.withdraw_request(work, organisation_id=first.id, by=SYSTEM)
    assert (await organisations.organisation_by_ura(work, URA)).id == first.id

    second = await requested_organisation(work)

    assert (await organisations.organisation_by_ura(work, URA)).id == second.id


async def test_a_ura_has_one_open_request(work: Work) -> None:
    """ORG-1."""
    await requested_organisation(work)
    with pytest.raises(RequestAlreadyOpen):
        await requested_organisation(work)


async def test_of_two_requests_at_once_for_one_ura_one_is_taken(database: Database, origin: Origin) -> None:
    """ORG-1."""

    async def ask() -> bool:
        try:
            async with database.work(origin) as work:
                await requested_organisation(work)
        except RequestAlreadyOpen:
            return False
        return True

    assert sorted(await asyncio.gather(*(ask() for _ in range(4)))) == [False, False, False, True]


async def test_another_persons_card_validates_nothing(database: Database, origin: Origin) -> None:
    """ORG-4, ORG-8."""
    async with database.work(origin) as work:
        requested = await requested_organisation(work)
        await organisations.approve_request(work, organisation_id=requested.id, by=SYSTEM)
    with pytest.raises(ValidatorNotNamed):
        async with database.work(origin) as work:
            await organisations.validate_organisation(
                work, ura=URA, uzi_number="900000001", card_type="Z", by=SYSTEM
            )
    async with database.work(origin) as work:
        assert (await organisations.organisation(work, requested.id)).state is OrganisationState.approved


async def test_an_organisation_is_validated_once(work: Work) -> None:
    """ORG-5."""
    await registered_organisation(work)
    with pytest.raises(OrganisationActRefused):
        await organisations.validate_organisation(
            work, ura=URA, uzi_number=VALIDATOR, card_type="Z", by=SYSTEM
        )


async def test_smartcards_need_a_known_and_registered_organisation(work: Work) -> None:
    """CARD-3, ORG-8."""
    with pytest.raises(OrganisationUnknown):
        await organisations.require_registered_for_smartcards(work, ura=URA)
    with pytest.raises(UraMalformed):
        await organisations.require_registered_for_smartcards(work, ura="1")
    await requested_organisation(work)
    with pytest.raises(OrganisationNotRegistered):
        await organisations.require_registered_for_smartcards(work, ura=URA)


async def test_smartcards_are_made_for_a_registered_organisation(work: Work) -> None:
    """CARD-3."""
    organisation = await registered_organisation(work)
    assert await organisations.require_registered_for_smartcards(work, ura=URA) == organisation
