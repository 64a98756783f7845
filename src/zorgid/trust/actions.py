"""What other rooms call: recognise a UZI card, and check again those that means were made with."""

from collections.abc import Iterable
from itertools import pairwise

import httpx

from zorgid.kernel.clock import Clock
from zorgid.kernel.errors import Refusal
from zorgid.kernel.randomness import RandomSource
from zorgid.pki.errors import StatusRevoked, UziChainInvalid
from zorgid.pki.recognise import RecognisedUziCard, recognise_uzi_certificate
from zorgid.storage.database import Database, Origin, Work
from zorgid.trust import store
from zorgid.trust.model import MadeWith, Recheck, RevokedBefore, TrustBundle
from zorgid.trust.status import ASK_ANEW, AUTHORITY_KEPT_FOR, StatusDesk


async def sweep(work: Work) -> None:
    """Drop kept answers that nothing takes any more; what was once revoked stays known as revoked."""
    await store.drop_answers(work, fetched_before=work.now - AUTHORITY_KEPT_FOR)


class Trust:
    """Recognises UZI cards by the trust bundle of one environment."""

    def __init__(
        self,
        database: Database,
        bundle: TrustBundle,
        *,
        client: httpx.AsyncClient,
        clock: Clock,
        random: RandomSource,
        origin: Origin,
    ) -> None:
        self._store = bundle.store
        self._clock = clock
        self._desk = StatusDesk(database, bundle, client=client, clock=clock, random=random, origin=origin)

    async def recognise_uzi_card(self, unverified: bytes) -> RecognisedUziCard:
        """Return the UZI card whose authentication certificate (DER) was shown, real, in time and good.

        Call it outside a work: the issuer is asked over the network. That whoever shows the certificate also
        has the card is not proved here.

        Raises:
            Refusal: of `pki.errors`; what `recognise_uzi_certificate` raises, and every `StatusRefused`.
        """
        card = recognise_uzi_certificate(unverified, store=self._store, now=self._clock())
        await self._require_good_authorities(card)
        await self._desk.require_good(card.certificate, card.chain[1], kept_for=ASK_ANEW)
        return card

    async def revoked_before_making(self, made_with: Iterable[MadeWith]) -> Recheck:
        """Return those means whose UZI card was revoked at or before the making (CARD-16).

        A card that expired meanwhile is still asked after: issuers keep revoked certificates on their lists.
        """
        revoked: list[RevokedBefore] = []
        unlearned: list[str] = []
        for means in made_with:
            try:
                await self._recheck(means)
            except StatusRevoked as refusal:
                if refusal.facts["revoked_at"] <= means.made_at:
                    revoked.append(RevokedBefore(means.reference, refusal.facts["revoked_at"]))
            except Refusal:  # a store that no longer knows the issuer cannot tell either
                unlearned.append(means.reference)
        return Recheck(tuple(revoked), tuple(unlearned))

    async def _recheck(self, means: MadeWith) -> None:
        # The chain is looked at as it was at the making: the card may have expired since.
        card = recognise_uzi_certificate(means.certificate_der, store=self._store, now=means.made_at)
        await self._desk.require_good(card.certificate, card.chain[1], kept_for=ASK_ANEW)

    async def _require_good_authorities(self, card: RecognisedUziCard) -> None:
        """Check the authorities between card and root. Raises `UziChainInvalid` when one was revoked."""
        for authority, above in pairwise(card.chain[1:]):
            try:
                await self._desk.require_good(authority, above, kept_for=AUTHORITY_KEPT_FOR)
            except StatusRevoked as revoked:
                raise UziChainInvalid from revoked
