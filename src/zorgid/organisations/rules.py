"""The life cycle of an organisation as a table, and what a registration must look like. Pure."""

from collections.abc import Mapping
from typing import Final, Unpack

from zorgid.organisations.errors import (
    OrganisationActRefused,
    OrganisationNotForSmartcards,
    OrganisationNotRegistered,
    OrganisationTypeNotAdmitted,
    RegistrationRequestUnfit,
    UraMalformed,
    ValidatingCardTypeRefused,
    ValidatorNotNamed,
)
from zorgid.organisations.model import (
    MeansKind,
    Organisation,
    OrganisationAct,
    OrganisationState,
    OrganisationType,
    RegistrationForm,
    RegistrationRequest,
)

TRANSITIONS: Final[Mapping[tuple[OrganisationState, OrganisationAct], OrganisationState]] = {
    (OrganisationState.requested, OrganisationAct.ask): OrganisationState.question,
    (OrganisationState.question, OrganisationAct.answer): OrganisationState.requested,
    (OrganisationState.requested, OrganisationAct.approve): OrganisationState.approved,
    (OrganisationState.requested, OrganisationAct.reject): OrganisationState.rejected,
    (OrganisationState.requested, OrganisationAct.withdraw): OrganisationState.withdrawn,
    (OrganisationState.approved, OrganisationAct.validate): OrganisationState.validated,
    (OrganisationState.validated, OrganisationAct.register): OrganisationState.registered,
    (OrganisationState.registered, OrganisationAct.merge): OrganisationState.merged,
    (OrganisationState.registered, OrganisationAct.end): OrganisationState.ended,
}

CLOSED: Final = frozenset(
    {
        OrganisationState.rejected,
        OrganisationState.withdrawn,
        OrganisationState.merged,
        OrganisationState.ended,
    }
)
"""The states that leave the URA free for a new request; the index in migration 0030 names the same ones."""

ADMITTED_FOR_SMARTCARDS: Final = frozenset(
    {
        OrganisationType.huisarts,
        OrganisationType.apotheekhoudend_huisarts,
        OrganisationType.huisartsenpost,
        OrganisationType.apotheek,
    }
)
"""The types that Smartcards are made for unless a setting says otherwise (CARD-3)."""

VALIDATING_CARD_TYPES: Final = frozenset({"Z"})
"""The types of UZI card with which an organisation is validated for Smartcards (ORG-4)."""

URA_DIGITS: Final = 8
UZI_NUMBER_DIGITS: Final = 9
LONGEST_NAME: Final = 200
LONGEST_EMAIL: Final = 254
"""RFC 5321, section 4.5.3.1.3: a path is at most 256 octets, its two brackets included."""


def next_state(state: OrganisationState, act: OrganisationAct) -> OrganisationState:
    """Return the state after `act`. Raises `OrganisationActRefused` for every pair not in the table."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise OrganisationActRefused(state=state, act=act) from None


def require_ura(text: str) -> str:
    """Return `text`, which is eight ASCII digits. Raises `UraMalformed`."""
    if not is_digits(text, URA_DIGITS):
        raise UraMalformed
    return text


def is_digits(text: str, count: int) -> bool:
    """Tell whether `text` is exactly `count` ASCII digits."""
    return len(text) == count and text.isascii() and text.isdigit()


def require_fit_request(**form: Unpack[RegistrationForm]) -> None:
    """Check the fields of a registration request, in the order of the form.

    Raises:
        UraMalformed: the URA is not eight digits.
        RegistrationRequestUnfit: another field cannot be right.
    """
    require_ura(form["ura"])
    name = form["name"]
    fitness = {
        "name": 0 < len(name.strip()) <= LONGEST_NAME and name.isprintable(),
        "means": bool(form["means"]),
        "administrator_uzi_number": is_digits(form["administrator_uzi_number"], UZI_NUMBER_DIGITS),
        "administrator_email": is_like_email(form["administrator_email"]),
        "representative_email": is_like_email(form["representative_email"]),
    }
    for part, is_fit in fitness.items():
        if not is_fit:
            raise RegistrationRequestUnfit(part=part)


def is_like_email(text: str) -> bool:
    """Tell whether `text` could be an address; only a message that arrives proves that it is one."""
    name, at, domain = text.rpartition("@")
    return (
        bool(name and at and domain)
        and len(text) <= LONGEST_EMAIL
        and text.isprintable()
        and not any(character.isspace() for character in text)
    )


def require_validator(request: RegistrationRequest, *, ura: str, uzi_number: str, card_type: str) -> None:
    """Check that the UZI card is a professional's and is the one named in the request (ORG-4).

    Raises:
        ValidatingCardTypeRefused: the card is not a zorgverlenerspas.
        ValidatorNotNamed: the card has another UZI number.
    """
    if card_type not in VALIDATING_CARD_TYPES:
        raise ValidatingCardTypeRefused(card_type=card_type)
    if uzi_number != request.administrator_uzi_number:
        raise ValidatorNotNamed(ura=ura)


def require_for_smartcards(
    organisation: Organisation, admitted_types: frozenset[OrganisationType]
) -> Organisation:
    """Return the organisation, for which Smartcards may be made now (CARD-3).

    Raises:
        OrganisationNotRegistered: its registration is not finished, or over.
        OrganisationNotForSmartcards: it registered for phones only.
        OrganisationTypeNotAdmitted: its type is not among `admitted_types`.
    """
    if organisation.state is not OrganisationState.registered:
        raise OrganisationNotRegistered(ura=organisation.ura, state=organisation.state)
    if MeansKind.smartcard not in organisation.means:
        raise OrganisationNotForSmartcards(ura=organisation.ura)
    if organisation.type not in admitted_types:
        raise OrganisationTypeNotAdmitted(ura=organisation.ura, organisation_type=organisation.type)
    return organisation
