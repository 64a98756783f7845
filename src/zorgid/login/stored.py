"""How a proved card is kept as JSON, here and in the making that follows from it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from zorgid.kernel.ids import CardId
from zorgid.login.model import Means, MeansUsed, ProvedCard
from zorgid.protocol.messages import decode, encode


def proved_to_json(proved: ProvedCard) -> dict[str, Any]:
    """Return a proved card as JSON."""
    card_id = str(proved.card_id) if proved.card_id else None
    return {**asdict(proved), "certificate_der": encode(proved.certificate_der), "card_id": card_id}


def proved_from_json(stored: Mapping[str, Any]) -> ProvedCard:
    """Return the proved card that `proved_to_json` gave."""
    means = Means(**{**stored["means"], "kind": MeansUsed(stored["means"]["kind"])})
    card_id = CardId(UUID(stored["card_id"])) if stored["card_id"] else None
    certificate_der = decode(stored["certificate_der"])
    return ProvedCard(**{**stored, "means": means, "certificate_der": certificate_der, "card_id": card_id})
