"""What is done with organisations: request, decide, validate, register, and find them."""

from collections.abc import Sequence
from typing import Unpack

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, Event, Subject
from zorgid.kernel.codes import new_code
from zorgid.kernel.ids import OrganisationId, new_id
from zorgid.organisations import rules, store
from zorgid.organisations.errors import OrganisationUnknown, RequestAlreadyOpen
from zorgid.organisations.model import (
    Organisation,
    OrganisationAct,
    OrganisationState,
    OrganisationType,
    RegistrationForm,
    RegistrationRequest,
)
from zorgid.organisations.rules import ADMITTED_FOR_SMARTCARDS
from zorgid.storage.database import Work

REFERENCE_CHARACTERS = 8

EVENTS = {
    OrganisationAct.ask: Event.registration_question_asked,
    OrganisationAct.answer: Event.registration_question_answered,
    OrganisationAct.approve: Event.registration_approved,
    OrganisationAct.reject: Event.registration_rejected,
    OrganisationAct.withdraw: Event.registration_withdrawn,
    OrganisationAct.validate: Event.organisation_validated,
    OrganisationAct.register: Event.organisation_registered,
}
"""What the log calls each act."""


async def request_registration(
    work: Work,
    *,
    type: OrganisationType,  # noqa: A002 - the domain's word
    by: Actor,
    **form: Unpack[RegistrationForm],
) -> Organisation:
    """Take a registration request (ORG-1) and return the organisation in state `requested`.

    Raises:
        UraMalformed, RegistrationRequestUnfit: a field cannot be right.
        RequestAlreadyOpen: the URA has a living organisation or an open request.
    """
    rules.require_fit_request(**form)
    ura = form["ura"]
    organisation = Organisation(
        id=OrganisationId(new_id(work.random)),
        ura=ura,
        name=form["name"].strip(),
        type=type,
        means=form["means"],
        state=OrganisationState.requested,
        changed_at=work.now,
    )
    reference = new_code(REFERENCE_CHARACTERS, work.random)
    request = RegistrationRequest(
        organisation_id=organisation.id,
        reference=reference,
        administrator_uzi_number=form["administrator_uzi_number"],
        administrator_email=form["administrator_email"],
        representative_email=form["representative_email"],
        requested_at=work.now,
        words=None,
    )
    if not await store.add(work, organisation, request):
        raise RequestAlreadyOpen(ura=ura)
    await record(
        work,
        event=Event.registration_requested,
        by=by,
        on=subject(organisation.id),
        organisation_id=organisation.id,
        becomes=organisation.state,
        facts={"ura": ura, "reference": reference},
    )
    return organisation


async def ask_question(work: Work, *, organisation_id: OrganisationId, words: str, by: Actor) -> Organisation:
    """Ask the applicant something; the request waits for the answer (ORG-3)."""
    return await _move(work, organisation_id, OrganisationAct.ask, by=by, words=words)


async def answer_question(
    work: Work, *, organisation_id: OrganisationId, words: str, by: Actor
) -> Organisation:
    """Answer support's question; the request goes on (ORG-3)."""
    return await _move(work, organisation_id, OrganisationAct.answer, by=by, words=words)


async def approve_request(work: Work, *, organisation_id: OrganisationId, by: Actor) -> Organisation:
    """Approve the request, after which the organisation can be validated (ORG-3)."""
    return await _move(work, organisation_id, OrganisationAct.approve, by=by)


async def reject_request(
    work: Work, *, organisation_id: OrganisationId, words: str, by: Actor
) -> Organisation:
    """Reject the request with a reason; the URA is free again (ORG-3)."""
    return await _move(work, organisation_id, OrganisationAct.reject, by=by, words=words)


async def withdraw_request(work: Work, *, organisation_id: OrganisationId, by: Actor) -> Organisation:
    """Withdraw the request; the URA is free again (ORG-3)."""
    return await _move(work, organisation_id, OrganisationAct.withdraw, by=by)


async def organisation_to_validate(work: Work, *, ura: str, uzi_number: str, card_type: str) -> Organisation:
    """Return the organisation when the holder of this card may validate it now (ORG-4); nothing changes.

    Raises:
        OrganisationUnknown: no organisation with this URA.
        ValidatingCardTypeRefused, ValidatorNotNamed: it is not the card of the request.
        OrganisationActRefused: the request is not approved, or validation was done before.
    """
    found = await organisation_by_ura(work, ura)
    request = await registration_request(work, found.id)
    rules.require_validator(request, ura=ura, uzi_number=uzi_number, card_type=card_type)
    rules.next_state(found.state, OrganisationAct.validate)
    return found


async def validate_organisation(
    work: Work, *, ura: str, uzi_number: str, card_type: str, by: Actor
) -> Organisation:
    """Mark the organisation as validated by the professional whom the request names (ORG-4).

    Precondition: `ura`, `uzi_number` and `card_type` come from a UZI card that was recognised and whose
    holder proved to be there.

    Raises:
        Refusals of `organisation_to_validate`.
    """
    found = await organisation_to_validate(work, ura=ura, uzi_number=uzi_number, card_type=card_type)
    return await _move(work, found.id, OrganisationAct.validate, by=by)


async def register_organisation(work: Work, *, organisation_id: OrganisationId, by: Actor) -> Organisation:
    """Finish the registration, once an administrator has been appointed (ORG-5)."""
    return await _move(work, organisation_id, OrganisationAct.register, by=by)


async def organisation(work: Work, organisation_id: OrganisationId) -> Organisation:
    """Return the organisation. Raises `OrganisationUnknown`."""
    return _known(await store.organisation(work, organisation_id))


async def organisation_by_ura(work: Work, ura: str) -> Organisation:
    """Return the organisation that bears `ura` now, else the one that bore it last.

    Raises:
        UraMalformed: the URA is not eight digits.
        OrganisationUnknown: nobody ever requested registration for it.
    """
    return _known(await store.organisation_by_ura(work, rules.require_ura(ura)), ura=ura)


async def organisations_by_ura(work: Work, uras: Sequence[str]) -> Sequence[Organisation | None]:
    """Return for each URA the organisation that `organisation_by_ura` returns, or None; in one round trip."""
    return await store.organisations_by_ura(work, uras)


async def registration_request(work: Work, organisation_id: OrganisationId) -> RegistrationRequest:
    """Return the request with which the organisation began. Raises `OrganisationUnknown`."""
    request = await store.request(work, organisation_id)
    if request is None:
        raise OrganisationUnknown(ura="")
    return request


async def require_registered_for_smartcards(
    work: Work, *, ura: str, admitted_types: frozenset[OrganisationType] = ADMITTED_FOR_SMARTCARDS
) -> Organisation:
    """Return the organisation with this URA, for which Smartcards may be made now (CARD-3).

    Raises:
        OrganisationUnknown, OrganisationNotRegistered, OrganisationNotForSmartcards,
        OrganisationTypeNotAdmitted: each says
            what is in the way.
    """
    return rules.require_for_smartcards(await organisation_by_ura(work, ura), admitted_types)


def subject(organisation_id: OrganisationId) -> Subject:
    """Return the organisation as the log names it."""
    return Subject("organisation", str(organisation_id))


async def _move(
    work: Work,
    organisation_id: OrganisationId,
    act: OrganisationAct,
    *,
    by: Actor,
    words: str | None = None,
) -> Organisation:
    was = _known(await store.organisation_locked(work, organisation_id))
    state = rules.next_state(was.state, act)
    await store.set_state(work, organisation_id, state, words)
    await record(
        work,
        event=EVENTS[act],
        by=by,
        on=subject(organisation_id),
        organisation_id=organisation_id,
        was=was.state,
        becomes=state,
    )
    return await organisation(work, organisation_id)


def _known(found: Organisation | None, *, ura: str = "") -> Organisation:
    if found is None:
        raise OrganisationUnknown(ura=ura)
    return found
