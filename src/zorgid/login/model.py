"""The values of the login room: means, transactions, proofs, sessions."""

from dataclasses import dataclass
from datetime import datetime

from zorgid.kernel.ids import CardId, PersonId, SessionId, TransactionId
from zorgid.kernel.secrets import Secret
from zorgid.protocol.app_key import AppKey
from zorgid.protocol.context import Context, MeansUsed, Purpose
from zorgid.protocol.messages import TransactionState

__all__ = [
    "Begun",
    "Completed",
    "Means",
    "MeansUsed",
    "ProvedCard",
    "Purpose",
    "Session",
    "Shown",
    "Transaction",
]


@dataclass(frozen=True)
class Means:
    """The means that somebody proved to hold, with the facts that its certificate states."""

    kind: MeansUsed
    reference: str
    """The card id of a Smartcard; the SHA-256 of the certificate (hexadecimal) of a UZI card."""
    uzi_number: str
    ura: str
    """The URA on the card, which need not be where the person works now (LOGIN-3)."""
    full_name: str
    level: str
    """Level of assurance as eIDAS URI, from the policy under which the means was issued."""


@dataclass(frozen=True)
class ProvedCard:
    """What a checked proof showed. The person is looked up when the transaction is completed, not before."""

    means: Means
    certificate_der: bytes
    card_id: CardId | None
    """Set for a Smartcard."""
    card_type: str | None
    """Z, N or M for a UZI card."""
    role: str | None
    """The role code of a UZI card, such as 01.015."""
    surname: str
    given_names: str
    organisation_name: str


@dataclass(frozen=True)
class Shown:
    """What the person sees before the PIN is asked."""

    client_name: str
    client_id: str | None = None
    organisation_name: str | None = None
    act: str | None = None


@dataclass(frozen=True)
class Begun:
    """A transaction that just began: the cookie for the browser and the handle for the launch link."""

    transaction_id: TransactionId
    cookie: Secret
    handle: Secret
    expires_at: datetime


@dataclass(frozen=True)
class Transaction:
    """One login transaction as stored."""

    id: TransactionId
    purpose: Purpose
    state: TransactionState
    shown: Shown
    acr: str | None
    accepts: tuple[MeansUsed, ...]
    return_to: str
    browser: str
    address: str | None
    created_at: datetime
    expires_at: datetime
    app_key: AppKey | None
    challenge: bytes | None
    context: Context | None
    proved: ProvedCard | None
    person_id: PersonId | None
    completion_expires_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True)
class Completed:
    """A completed proof, handed to the room whose purpose it is, inside the completing transaction."""

    transaction_id: TransactionId
    purpose: Purpose
    person_id: PersonId
    proved: ProvedCard
    app_key: AppKey
    return_to: str


@dataclass(frozen=True)
class Session:
    """A person who is logged in, in one browser, with one means."""

    id: SessionId
    sid: str
    person_id: PersonId
    means: Means
    authenticated_at: datetime
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
