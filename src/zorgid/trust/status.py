"""Learns from an issuer whether a certificate is good; whatever cannot be learned refuses.

1. Ask the OCSP responder. Any answer but *good* refuses.
2. Only when there is no answer: what it once revoked stays revoked.
3. Then the issuer's list, fresh and never with a lower number than was seen before.

Network and database take turns: no transaction is open while somebody else is waited for.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx
from cryptography import x509

from zorgid.kernel.clock import Clock
from zorgid.kernel.randomness import RandomSource
from zorgid.pki.algorithms import admitted_key, key_fingerprint
from zorgid.pki.crl_judgement import JudgedCrl, judge_crl
from zorgid.pki.errors import StatusRefused, StatusRevoked, StatusTooOld, StatusUnavailable, StatusUnfit
from zorgid.pki.ocsp_judgement import judge_ocsp
from zorgid.pki.status import GoodStatus, build_ocsp_request, ocsp_addresses
from zorgid.storage.database import Database, Origin
from zorgid.trust import store
from zorgid.trust.fetch import ask_ocsp, fetch_crl
from zorgid.trust.model import TrustBundle, Ways
from zorgid.trust.store import CertificateKey

NONCE_BYTES: Final = 16
"""Source: RFC 9654, section 2.1: up to 128 bytes; older responders take no more than 32."""

CRL_KEPT_FOR: Final = timedelta(minutes=15)
"""Age at which a kept list is fetched anew before it is used."""

ASK_ANEW: Final = timedelta(0)
"""For cards: each use is asked for."""

AUTHORITY_KEPT_FOR: Final = timedelta(minutes=55)
"""For authorities: how long their status is remembered; within the hour that an OCSP answer may be old."""


@dataclass(frozen=True)
class Question:
    """Is `certificate`, signed by `issuer`, still good at `now`?"""

    certificate: x509.Certificate
    issuer: x509.Certificate
    now: datetime

    @property
    def key(self) -> CertificateKey:
        """Return the name under which answers are kept."""
        issuer_key = key_fingerprint(admitted_key(self.issuer.public_key()))
        return CertificateKey(issuer_key, self.certificate.serial_number)


class StatusDesk:
    """Asks issuers for the status of their certificates, by the ways of a trust bundle."""

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
        self._database = database
        self._bundle = bundle
        self._client = client
        self._clock = clock
        self._random = random
        self._origin = origin

    async def require_good(
        self, certificate: x509.Certificate, issuer: x509.Certificate, *, kept_for: timedelta
    ) -> GoodStatus:
        """Return that a certificate is good.

        Args:
            certificate: already verified to be signed by `issuer`.
            issuer: an authority of the trust store.
            kept_for: age up to which a kept answer is taken; zero asks anew.

        Raises:
            StatusRefused: in all its kinds, when it is not good or that cannot be learned.
        """
        question = Question(certificate, issuer, self._clock())
        try:
            return await self._by_ocsp(question, kept_for)
        except StatusUnavailable:
            await self._refuse_once_revoked(question)
            return await self._by_crl(question)

    def _ways(self, question: Question) -> Ways:
        """Return where to ask. Raises `StatusUnavailable` for an issuer that the store knows no way to."""
        ways = self._bundle.ways.get(question.key.issuer_key_sha256)
        if ways is None:
            raise StatusUnavailable
        return ways

    # --- OCSP -----------------------------------------------------------------------------------------------

    async def _by_ocsp(self, question: Question, kept_for: timedelta) -> GoodStatus:
        if kept_for > ASK_ANEW and (kept := await self._by_kept_answer(question, kept_for)) is not None:
            return kept
        nonce = None if kept_for > ASK_ANEW else self._random(NONCE_BYTES)  # a kept answer is for all
        request = build_ocsp_request(question.certificate, question.issuer, nonce=nonce)
        der = await self._first_answer(question, request)
        try:
            status = judge_ocsp(
                der, certificate=question.certificate, issuer=question.issuer, now=self._clock(), nonce=nonce
            )
        except StatusRevoked as revoked:
            await self._keep_answer(question, der, (revoked.facts["revoked_at"], revoked.facts["reason"]))
            raise
        await self._keep_answer(question, der, None)
        return status

    async def _by_kept_answer(self, question: Question, kept_for: timedelta) -> GoodStatus | None:
        async with self._database.work(self._origin) as work:
            kept = await store.kept_answer(work, question.key)
        if kept is None or kept.revoked_at is not None or kept.fetched_at + kept_for < question.now:
            return None
        try:
            return judge_ocsp(
                kept.der, certificate=question.certificate, issuer=question.issuer, now=question.now
            )
        except StatusRefused:
            return None

    async def _first_answer(self, question: Question, request: bytes) -> bytes:
        """Return the first answer; the address in the certificate counts only when the store lists it."""
        listed = self._ways(question).ocsp
        named = tuple(address for address in ocsp_addresses(question.certificate) if address in listed)
        for address in named or listed:
            try:
                return await ask_ocsp(self._client, address, request)
            except StatusUnavailable:
                continue
        raise StatusUnavailable

    async def _keep_answer(
        self, question: Question, der: bytes, revoked: tuple[datetime, str] | None
    ) -> None:
        async with self._database.work(self._origin) as work:
            await store.keep_answer(work, question.key, der, revoked)

    async def _refuse_once_revoked(self, question: Question) -> None:
        async with self._database.work(self._origin) as work:
            kept = await store.kept_answer(work, question.key)
        if kept is not None and kept.revoked_at is not None:
            raise StatusRevoked(revoked_at=kept.revoked_at, reason=kept.reason or "unspecified")

    # --- CRL ------------------------------------------------------------------------------------------------

    async def _by_crl(self, question: Question) -> GoodStatus:
        issuer_key = question.key.issuer_key_sha256
        async with self._database.work(self._origin) as work:
            kept = await store.kept_crl(work, issuer_key)
        if kept is not None and kept.fetched_at + CRL_KEPT_FOR >= question.now:
            return self._judge_crl(question, kept.der, kept.number).require_good(question.certificate)
        try:
            judged = await self._fetch_crl(question, None if kept is None else kept.number)
        except (StatusUnavailable, StatusUnfit, StatusTooOld):
            # The latest list that proved itself counts on, until it is too old; a replay cannot push it out.
            if kept is None:
                raise
            judged = self._judge_crl(question, kept.der, kept.number)
        return judged.require_good(question.certificate)

    async def _fetch_crl(self, question: Question, lowest_number: int | None) -> JudgedCrl:
        der = await self._first_crl(question)
        judged = self._judge_crl(question, der, lowest_number)
        async with self._database.work(self._origin) as work:
            await store.keep_crl(work, question.key.issuer_key_sha256, judged, der)
        return judged

    async def _first_crl(self, question: Question) -> bytes:
        for address in self._ways(question).crl:
            try:
                return await fetch_crl(self._client, address)
            except StatusUnavailable:
                continue
        raise StatusUnavailable

    def _judge_crl(self, question: Question, der: bytes, lowest_number: int | None) -> JudgedCrl:
        return judge_crl(
            der,
            issuer=question.issuer,
            now=self._clock(),
            lowest_number=lowest_number,
            age_limit=self._ways(question).crl_age_limit,
        )
