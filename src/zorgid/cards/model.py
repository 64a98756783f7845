"""What a Smartcard is: its state, its links to organisations and the holds on it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from zorgid.kernel.ids import CardId, OrganisationId, PersonId
from zorgid.pki.recognise import Level

HoldId = NewType("HoldId", UUID)


class CardState(StrEnum):
    """The states of a card; `rules.TRANSITIONS` has the only ways between them."""

    issuing = "issuing"
    active = "active"
    failed = "failed"
    held = "held"
    revoked = "revoked"
    expired = "expired"


class CardAct(StrEnum):
    """What moves a card from one state to another.

    A card that is held by two parties stays held when one lets go: `release_one` is that, `release_last` the
    other.
    """

    activate = "activate"
    fail = "fail"
    hold = "hold"
    release_one = "release-one"
    release_last = "release-last"
    revoke = "revoke"
    expire = "expire"


class HoldReason(StrEnum):
    """Why a card is held, as the confirm page offers it."""

    lost = "lost"
    stolen = "stolen"
    left_behind = "left-behind"
    misuse_suspected = "misuse-suspected"
    absence = "absence"
    other = "other"


class RevocationReason(StrEnum):
    """Why a card is revoked, in the words of the product; `rules.CRL_REASONS` has those of a CRL."""

    lost = "lost"
    stolen = "stolen"
    damaged = "damaged"
    pin_or_puk_lost = "pin-or-puk-lost"
    misuse = "misuse"
    replaced = "replaced"
    no_longer_needed = "no-longer-needed"


class HoldOwnerKind(StrEnum):
    """Who set a hold: that party, or support, can release it (LIFE-2)."""

    organisation = "organisation"
    holder = "holder"
    support = "support"


@dataclass(frozen=True)
class Card:
    """A Smartcard. `number` is printed on it; `valid_until` is the last second of its certificates."""

    id: CardId
    number: str
    chip_serial: str
    kind: str
    holder_id: PersonId
    made_for: OrganisationId
    """The organisation whose URA is on the UZI card that the card was made with (CARD-14)."""
    state: CardState
    level: Level
    made_at: datetime
    valid_until: datetime


@dataclass(frozen=True)
class HoldOwner:
    """Whose hold it is; `organisation_id` is set for an organisation only."""

    kind: HoldOwnerKind
    organisation_id: OrganisationId | None = None


@dataclass(frozen=True)
class Hold:
    """A hold that was not released yet."""

    id: HoldId
    card_id: CardId
    owner: HoldOwner
    reason: HoldReason
    set_at: datetime


@dataclass(frozen=True)
class Link:
    """A link of a card to an organisation that may manage it."""

    organisation_id: OrganisationId
    linked_at: datetime


@dataclass(frozen=True)
class PageKey:
    """Where the next page of a list begins: after the card `card_id`, which was linked at `linked_at`."""

    linked_at: datetime
    card_id: CardId


@dataclass(frozen=True)
class ListedCard:
    """A card as an organisation's list shows it."""

    card: Card
    linked_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class CardPage:
    """A page of a list, newest link first; `next` is None on the last page."""

    cards: tuple[ListedCard, ...]
    next: PageKey | None
