"""Typed ids: one type per kind of thing, so that a person is never passed where a card is meant."""

from typing import NewType
from uuid import UUID

from zorgid.kernel.randomness import RandomSource

PersonId = NewType("PersonId", UUID)
OrganisationId = NewType("OrganisationId", UUID)
CardId = NewType("CardId", UUID)
IssuanceId = NewType("IssuanceId", UUID)
TransactionId = NewType("TransactionId", UUID)
SessionId = NewType("SessionId", UUID)
GrantId = NewType("GrantId", UUID)


def new_id(random: RandomSource) -> UUID:
    """Return a random id (RFC 9562, section 5.4: version 4)."""
    return UUID(bytes=random(16), version=4)
