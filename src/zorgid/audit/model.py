"""The values of the audit log: a fixed vocabulary of events, who acts, on what, and with which result.

The shape of an entry follows NEN 7513: event, user, access point, object, time and result, with the state
before and after. The "client" of that standard stays empty: an identity platform has no patients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NotRequired, TypeAlias, TypedDict
from uuid import UUID

from zorgid.kernel.ids import OrganisationId, PersonId

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
"""What a fact may be made of.

No fractions: their text differs between writers, and no fact here needs one.
"""


class Event(StrEnum):
    """Everything that can happen, by its stable name.

    Each room adds its own; a name is never given another meaning.
    """

    # audit
    audit_read = "audit-read"
    audit_verified = "audit-verified"
    personal_fields_erased = "personal-fields-erased"
    # outbox
    outbox_event_retried = "outbox-event-retried"
    # organisations
    registration_requested = "registration-requested"
    registration_question_asked = "registration-question-asked"
    registration_question_answered = "registration-question-answered"
    registration_withdrawn = "registration-withdrawn"
    registration_approved = "registration-approved"
    registration_rejected = "registration-rejected"
    organisation_validated = "organisation-validated"
    organisation_registered = "organisation-registered"
    organisation_ended = "organisation-ended"
    # people and means
    person_recognised = "person-recognised"
    person_names_changed = "person-names-changed"
    birth_date_stated = "birth-date-stated"
    birth_date_matched = "birth-date-matched"
    birth_date_wrong = "birth-date-wrong"
    means_reserved = "means-reserved"
    means_released = "means-released"
    # roles
    role_granted = "role-granted"
    role_ended = "role-ended"
    # certificates
    authority_created = "authority-created"
    certificate_intended = "certificate-intended"
    certificate_signed = "certificate-signed"
    certificate_status_changed = "certificate-status-changed"
    crl_published = "crl-published"
    # stock
    blank_card_added = "blank-card-added"
    blank_card_allocated = "blank-card-allocated"
    blank_card_shipped = "blank-card-shipped"
    blank_card_reserved = "blank-card-reserved"
    blank_card_used = "blank-card-used"
    blank_card_returned = "blank-card-returned"
    blank_card_barred = "blank-card-barred"
    # cards
    card_begun = "card-begun"
    card_activated = "card-activated"
    card_failed = "card-failed"
    card_held = "card-held"
    card_released = "card-released"
    card_revoked = "card-revoked"
    card_expired = "card-expired"
    card_linked = "card-linked"
    card_unlinked = "card-unlinked"
    card_hold_lifted = "card-hold-lifted"
    card_viewed = "card-viewed"
    cards_listed = "cards-listed"
    # care applications
    client_registered = "client-registered"
    client_changed = "client-changed"
    # login and sessions
    login_begun = "login-begun"
    login_attached = "login-attached"
    login_proved = "login-proved"
    login_completed = "login-completed"
    login_cancelled = "login-cancelled"
    login_aborted = "login-aborted"
    login_not_completed = "login-not-completed"
    session_begun = "session-begun"
    session_ended = "session-ended"
    # identity server
    code_issued = "code-issued"
    tokens_issued = "tokens-issued"
    code_replayed = "code-replayed"
    userinfo_asked = "userinfo-asked"
    signing_key_changed = "signing-key-changed"
    # making a card
    issuance_opened = "issuance-opened"
    issuance_step_taken = "issuance-step-taken"
    issuance_completed = "issuance-completed"
    issuance_failed = "issuance-failed"
    # running
    key_created = "key-created"
    support_invited = "support-invited"


class ActorKind(StrEnum):
    """What sort of party acts."""

    person = "person"
    support = "support"
    client = "client"
    app = "app"
    system = "system"


@dataclass(frozen=True)
class Actor:
    """Who acts, and by which means of identification.

    `reference` is a name in the actor's own world that is not personal: a client id, an app key's thumbprint,
    a command. UZI numbers and names of people go into the `personal` facts of the entry.
    """

    kind: ActorKind
    person_id: PersonId | None = None
    reference: str | None = None
    means: str | None = None


SYSTEM = Actor(ActorKind.system)

BROWSER = Actor(ActorKind.person, reference="browser")
"""Whoever sits at a browser and did not show who it is."""


@dataclass(frozen=True)
class Subject:
    """On whom or what an act is done: `Subject("card", str(card_id))`. `kind` is a noun of the glossary."""

    kind: str
    id: str


class Outcome(StrEnum):
    """How an act ended. `begun` is written before what cannot be undone; `broken` when a fault ended it."""

    done = "done"
    refused = "refused"
    begun = "begun"
    broken = "broken"


class ActFacts(TypedDict):
    """Which act it is: what is known before it ends."""

    event: Event
    by: Actor
    on: Subject
    organisation_id: NotRequired[OrganisationId | None]


class EntryFacts(ActFacts, total=False):
    """What is told of an act; when and where it was done, its work tells."""

    outcome: Outcome
    """`done` unless told."""
    was: str | None
    becomes: str | None
    """The states before and after."""
    facts: Mapping[str, Any] | None
    """Text, whole numbers, booleans, ids, times and enums, and lists and mappings of them.

    Nothing personal and nothing secret.
    """
    personal: Mapping[str, Any] | None
    """What is personal (a name, a UZI number), which can be erased without breaking the chain (ALL-10)."""


@dataclass(frozen=True)
class Entry:
    """One line of the log as it is stored.

    Plain text where the model has enums, so that any stored row can be read.
    """

    id: UUID
    at: datetime
    event: str
    actor_kind: str
    actor_person_id: UUID | None
    actor_reference: str | None
    actor_means: str | None
    subject_kind: str
    subject_id: str
    organisation_id: UUID | None
    request_id: str
    node: str
    outcome: str
    was: str | None
    becomes: str | None
    facts: Mapping[str, Any]
    personal: Mapping[str, Any] = field(repr=False)
    """The personal facts that were not erased; the address of the caller is among them."""
    personal_hashes: Mapping[str, str]
    """A keyed hash of every personal fact, the erased ones included (ALL-10)."""


@dataclass(frozen=True)
class Position:
    """Where a page of entries ended; the next one begins with what is older."""

    at: datetime
    id: UUID


@dataclass(frozen=True)
class Page:
    """Entries, the newest first, and where the next page begins; `None` when there is none."""

    entries: Sequence[Entry]
    next: Position | None
