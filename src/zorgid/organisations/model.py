"""What an organisation is: its URA, its type, the kinds of means it is registered for and its state."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from zorgid.kernel.ids import OrganisationId


class MeansKind(StrEnum):
    """The kinds of means of ZORG-ID; an organisation registers for one or both (ORG-1)."""

    smartcard = "smartcard"
    phone = "phone"


class OrganisationType(StrEnum):
    """The types of care providers, by the words that the registration form uses (CARD-3)."""

    huisarts = "huisarts"
    apotheekhoudend_huisarts = "apotheekhoudend_huisarts"
    huisartsenpost = "huisartsenpost"
    apotheek = "apotheek"
    overig = "overig"
    """Any other care provider; not admitted to Smartcards by default."""


class OrganisationState(StrEnum):
    """The states between a request and an end; `rules.TRANSITIONS` has the only ways between them."""

    requested = "requested"
    question = "question"
    approved = "approved"
    rejected = "rejected"
    withdrawn = "withdrawn"
    validated = "validated"
    registered = "registered"
    merged = "merged"
    ended = "ended"


class OrganisationAct(StrEnum):
    """What moves an organisation from one state to another."""

    ask = "ask"
    answer = "answer"
    approve = "approve"
    reject = "reject"
    withdraw = "withdraw"
    validate = "validate"
    register = "register"
    merge = "merge"
    end = "end"


@dataclass(frozen=True)
class Organisation:
    """A care provider as ZORG-ID knows it. `ura` is eight digits, leading zeros kept."""

    id: OrganisationId
    ura: str
    name: str
    type: OrganisationType
    means: frozenset[MeansKind]
    state: OrganisationState
    changed_at: datetime


class RegistrationForm(TypedDict):
    """What an applicant fills in (ORG-1), not checked yet."""

    ura: str
    name: str
    means: frozenset[MeansKind]
    administrator_uzi_number: str
    administrator_email: str
    representative_email: str


@dataclass(frozen=True)
class RegistrationRequest:
    """Who asked to register an organisation, and what support said to it (ORG-1, ORG-3).

    `reference` is a code that people read aloud; `words` are the open question or the reason of the last
    decision.
    """

    organisation_id: OrganisationId
    reference: str
    administrator_uzi_number: str
    administrator_email: str = field(repr=False)
    representative_email: str = field(repr=False)
    requested_at: datetime
    words: str | None = field(repr=False)
