"""The values of the making of a card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cardkit.attestation import TrustedRoot
from zorgid.ca.keys import KeyProvider
from zorgid.ca.model import Authority, Hierarchy
from zorgid.kernel.ids import CardId, IssuanceId, OrganisationId, PersonId
from zorgid.kernel.secrets import Secret
from zorgid.login.model import ProvedCard
from zorgid.login.setup import LoginSetup
from zorgid.organisations.model import OrganisationType
from zorgid.people.model import MeansPolicy
from zorgid.pki.algorithms import KeyKind
from zorgid.pki.profiles import Profile
from zorgid.protocol.app_key import AppKey
from zorgid.protocol.context import Context
from zorgid.protocol.messages import IssuanceStep, KeyUsage
from zorgid.stock.model import AttestationRoot

PROFILE_OF: Final[Mapping[KeyUsage, Profile]] = {
    KeyUsage.authentication: Profile.authentication,
    KeyUsage.signature: Profile.signature,
    KeyUsage.confidentiality: Profile.confidentiality,
}


class IssuanceAct(StrEnum):
    """What moves a making from one step to another."""

    state_birth_date = "state-birth-date"
    reserve = "reserve"
    certify = "certify"
    keep = "keep"
    prove = "prove"
    abandon = "abandon"
    fail = "fail"


@dataclass(frozen=True)
class IssuanceSetup:
    """What the room is given when the house is put together."""

    login: LoginSetup
    keys: KeyProvider
    hierarchy: Hierarchy
    derive: Callable[[bytes, int], Secret]
    """Derives secrets of a making from the card master key and the given info (HKDF)."""
    means_policy: MeansPolicy
    admitted_types: frozenset[OrganisationType]
    attestation_roots: Mapping[AttestationRoot, Sequence[TrustedRoot]]
    """The pinned roots of each maker.

    Roots are data, and a test root is there only where stand-ins are allowed.
    """
    key_kind: KeyKind | None = None
    """The operator's choice of card keys; None takes the default of the card's kind."""
    may_attest_nothing: bool = False
    """True where cards that cannot attest may be made; they get a lower policy and level (CARD-10)."""
    allows_stand_ins: bool = False
    """True where virtual cards may be made: never in production."""

    @property
    def authority(self) -> Authority:
        """Return the authority that signs the certificates of Smartcards."""
        return self.hierarchy.smartcard

    @property
    def chain(self) -> tuple[Authority, ...]:
        """Return the authorities above a Smartcard's certificates, the root last."""
        return (self.hierarchy.smartcard, self.hierarchy.root)


@dataclass(frozen=True)
class UziCertificate:
    """The UZI certificate that a card was made with, as its issuer names it (CARD-16)."""

    issuer: bytes
    """The distinguished name, DER."""
    serial: bytes
    """Big-endian, without leading zeros."""


@dataclass(frozen=True)
class Issuance:
    """One making, as stored."""

    id: IssuanceId
    person_id: PersonId
    organisation_id: OrganisationId
    app_key: AppKey
    step: IssuanceStep
    proved: ProvedCard
    opened_at: datetime
    expires_at: datetime
    card_number: str | None = None
    chip_serial: str | None = None
    card_id: CardId | None = None
    attempt: bytes | None = None
    """Random id of the present attempt on a card; everything that the card is given derives from it."""
    challenge: bytes | None = None
    context: Context | None = None
    is_asked_again: bool = False
    """True while the very request in hand came before: what it counted is not counted again (ALL-8).

    Not stored.
    """
