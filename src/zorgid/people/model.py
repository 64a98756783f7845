"""What a person is, and the kinds of means that can be reserved for one."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from zorgid.kernel.ids import PersonId
from zorgid.organisations.model import MeansKind

__all__ = ["MeansKind", "MeansPolicy", "Names", "Person", "ReservedMeans"]


class MeansPolicy(StrEnum):
    """Whether one person may have means of both kinds: the switch of CARD-4."""

    one_kind = "one_kind"
    both_kinds = "both_kinds"


@dataclass(frozen=True)
class Names:
    """The names as they stand on a UZI card, in full Unicode (ALL-7); never split or put together by us."""

    full_name: str
    surname: str
    given_names: str


@dataclass(frozen=True)
class Person:
    """A person. The UZI number is not the identity: it changes with a name or a birth date."""

    id: PersonId
    names: Names = field(repr=False)
    birth_on: date | None = field(repr=False)
    created_at: datetime


@dataclass(frozen=True)
class ReservedMeans:
    """One reason why a kind of means is taken: a card, a phone, an invitation or a role, by its reference."""

    kind: MeansKind
    reference: str
    reserved_at: datetime
