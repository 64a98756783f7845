"""The decisions of the login room: times, the transaction's states, which card may do what. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from zorgid.kernel.errors import Refusal
from zorgid.login.errors import (
    CardTypeNotForPurpose,
    FunctionCardNotPersonal,
    MeansNotAccepted,
    PharmacyAssistantKeepsUziCard,
    ProfessionalKeepsUziCard,
    SessionEnded,
    TransactionNotOpen,
)
from zorgid.login.model import MeansUsed, ProvedCard, Purpose, Session, Transaction
from zorgid.protocol.messages import TransactionState

TRANSACTION_LASTS: Final = timedelta(minutes=5)
COMPLETION_LASTS: Final = timedelta(seconds=60)
"""A one-time code lives at most 60 s (ALL-4)."""
CONFIRMATION_LASTS: Final = timedelta(minutes=10)
"""How long after completing a person may still confirm what was shown ("klopt dit?")."""
KEPT_FOR: Final = timedelta(days=2)
"""How long transactions and sessions stay after their end; issuances of a day refer to them."""
SESSION_IDLE: Final = timedelta(minutes=15)
SESSION_LASTS: Final = timedelta(hours=10)
SESSION_ASKED_EVERY: Final = timedelta(minutes=2)
"""How often an app asks whether the session of its login is still alive; a pull it tells at once."""
TOUCH_EVERY: Final = timedelta(seconds=30)
"""A session's last use is written at most this often."""

PHARMACY_ASSISTANT: Final = "83.000"


class Act(StrEnum):
    """What can happen to a transaction."""

    attach = "attach"
    prove = "prove"
    complete = "complete"
    cancel = "cancel"
    abort = "abort"
    expire = "expire"


S = TransactionState
TRANSITIONS: Final[Mapping[tuple[TransactionState, Act], TransactionState]] = {
    (S.new, Act.attach): S.attached,
    (S.attached, Act.attach): S.attached,  # the same app key again; another one aborts
    (S.attached, Act.prove): S.proved,
    (S.proved, Act.prove): S.proved,  # the same proof again gets the same code
    (S.proved, Act.complete): S.completed,
    (S.new, Act.cancel): S.cancelled,
    (S.attached, Act.cancel): S.cancelled,
    (S.cancelled, Act.cancel): S.cancelled,  # asked again
    (S.attached, Act.abort): S.aborted,
    (S.proved, Act.abort): S.aborted,
    (S.new, Act.expire): S.expired,
    (S.attached, Act.expire): S.expired,
    (S.proved, Act.expire): S.expired,
}


def next_state(state: TransactionState, act: Act) -> TransactionState:
    """Return the state after `act`. Raises `TransactionNotOpen` for any pair that is not in the table."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise TransactionNotOpen(state=state) from None


def states_before(act: Act) -> list[TransactionState]:
    """Return the states from which `act` is possible, for the conditional update."""
    return [state for state, known in TRANSITIONS if known is act]


def ends_at(transaction: Transaction) -> datetime:
    """Return when an open transaction ends (exclusive): its five minutes, or the minute of its code."""
    if transaction.state is S.proved and transaction.completion_expires_at is not None:
        return min(transaction.expires_at, transaction.completion_expires_at)
    return transaction.expires_at


def state_at(transaction: Transaction, *, now: datetime) -> TransactionState:
    """Return the state at `now`: what is over is over, whatever the sweep has written down already."""
    can_expire = (transaction.state, Act.expire) in TRANSITIONS
    return S.expired if can_expire and now >= ends_at(transaction) else transaction.state


@dataclass(frozen=True)
class PurposeRule:
    """What a purpose accepts."""

    means: frozenset[MeansUsed]
    uzi_types: frozenset[str]


BOTH: Final = frozenset(MeansUsed)
PURPOSES: Final[Mapping[Purpose, PurposeRule]] = {
    Purpose.login: PurposeRule(BOTH, frozenset({"Z", "N"})),
    Purpose.make_card: PurposeRule(frozenset({MeansUsed.uzi_card}), frozenset({"N"})),
    Purpose.validate_organisation: PurposeRule(frozenset({MeansUsed.uzi_card}), frozenset({"Z"})),
    Purpose.prove_new_card: PurposeRule(frozenset({MeansUsed.smartcard}), frozenset()),
}


def require_fit(proved: ProvedCard, *, purpose: Purpose, accepts: tuple[MeansUsed, ...]) -> ProvedCard:
    """Return the proved card when its kind may be used for `purpose` (CARD-2, ORG-4, LOGIN-2).

    Raises:
        MeansNotAccepted: neither the purpose nor the client takes this kind of card.
        FunctionCardNotPersonal, ProfessionalKeepsUziCard, PharmacyAssistantKeepsUziCard,
        CardTypeNotForPurpose:
            a UZI card of another type is needed.
    """
    rule = PURPOSES[purpose]
    admitted = rule.means & set(accepts)
    if proved.means.kind not in admitted:
        raise MeansNotAccepted(used=proved.means.kind, accepted=", ".join(sorted(admitted)))
    if proved.means.kind is MeansUsed.uzi_card and proved.card_type not in rule.uzi_types:
        raise _type_refusal(proved, purpose)
    return proved


def _type_refusal(proved: ProvedCard, purpose: Purpose) -> Refusal:
    if proved.card_type == "M":
        return FunctionCardNotPersonal()
    if purpose is Purpose.make_card:
        return (
            PharmacyAssistantKeepsUziCard()
            if proved.role == PHARMACY_ASSISTANT
            else ProfessionalKeepsUziCard()
        )
    return CardTypeNotForPurpose(card_type=proved.card_type or "", purpose=purpose)


class EndReason(StrEnum):
    """Why a session ended."""

    idle = "idle"
    too_old = "too-old"
    logged_out = "logged-out"
    replaced = "replaced"
    means_not_good = "means-not-good"
    role_lost = "role-lost"
    card_out = "card-out"
    """The card was pulled at the workplace where the login was done."""


def require_alive(session: Session, *, now: datetime) -> Session:
    """Return the session when it is alive at `now` (LOGIN-10). Raises `SessionEnded`.

    Both ends are exclusive.
    """
    if now >= session.expires_at:
        raise SessionEnded(reason=EndReason.too_old)
    if now >= session.last_seen_at + SESSION_IDLE:
        raise SessionEnded(reason=EndReason.idle)
    return session


def is_local_path(path: str) -> bool:
    """Tell whether `path` leads to this host only: one slash in front, no host, no control characters."""
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isprintable()
        and "\\" not in path
    )
