"""The driver for PIV cards.

It speaks the standard alone where a card knows no more, and uses Yubico's extensions (serial, attestation,
reset, management key) where a card has them. Source: SP 800-73-4.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, final

from cardkit.card import Card
from cardkit.piv.channel import Channel
from cardkit.piv.making import PivMaking
from cardkit.piv.use import read_firmware, select
from cardkit.secrets import SMARTCARD_PIN, PinRules, RandomBytes
from cardkit.transport import Transport

__all__ = ["PivCard"]


@final
class PivCard(PivMaking):
    """A PIV card whose application is selected; it fulfils `cardkit.card.Card`."""

    @classmethod
    def open(
        cls,
        transport: Transport,
        *,
        pin_rules: PinRules = SMARTCARD_PIN,
        random_bytes: RandomBytes = os.urandom,
    ) -> PivCard:
        """Select the PIV application of the card behind `transport` and see what the card can do.

        Raises:
            CardNotRecognised: the card has no PIV application.
            CardGone: the card is no longer there.
        """
        channel = Channel(transport)
        select(channel)
        return cls(channel, pin_rules=pin_rules, firmware=read_firmware(channel), random_bytes=random_bytes)


if TYPE_CHECKING:
    _keeps_the_promise: type[Card] = PivCard
