"""Answers OCSP requests about our certificates: from memory where safe, else from the database (LIFE-3).

Good is said only of a certificate whose status is good. What was never issued is unknown; an intent is on
hold.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from zorgid.ca import status_store
from zorgid.ca.keys import KeyProvider
from zorgid.ca.memory import BEAT_SECONDS, AnswerMemory, KeptAnswer, Monotonic
from zorgid.ca.model import Authority, CertificateStatus, Hierarchy, StatusChange
from zorgid.ca.responder import current_responder
from zorgid.ca.status import CHANNEL
from zorgid.kernel.clock import Clock
from zorgid.kernel.randomness import RandomSource
from zorgid.pki.algorithms import SignatureAlgorithm
from zorgid.pki.crl import RevocationReason
from zorgid.pki.errors import OcspRequestMalformed
from zorgid.pki.ocsp import (
    Answer,
    CertId,
    CertIdHash,
    Good,
    OcspError,
    OcspQuestion,
    Responder,
    Revoked,
    Unknown,
    build_answer,
    cert_id,
    error_answer,
    parse_request,
)
from zorgid.storage.database import Database, Origin, Work

VALID_FOR: Final = timedelta(minutes=10)
"""From `thisUpdate` to `nextUpdate`."""

SIGN_AGAIN_AFTER: Final = timedelta(minutes=5)
"""Age at which a kept answer is replaced, so that relying parties always get one with some time left."""

RESPONDER_SECONDS: Final = 600.0
"""How long a responder certificate is used before the database is asked for a newer one."""

SIGNED_AT_ONCE: Final = 4
"""Fresh answers that are made at the same time. Anybody may ask for them without end, and the few connections
to the database are those of the logins too (`Settings.most_connections`)."""

logger = logging.getLogger(__name__)

IssuerHashes = tuple[CertIdHash, bytes, bytes]


@dataclass(frozen=True)
class OcspAnswer:
    """What goes over the wire; the times are None for what must not be cached."""

    der: bytes
    this_update: datetime | None = None
    next_update: datetime | None = None
    sha256: str = ""
    """Hash of `der` in hexadecimal, of what may be cached."""


@dataclass(frozen=True)
class _LoadedResponder:
    responder: Responder
    until: float
    valid_until: datetime


class OcspResponder:
    """Answers for all authorities whose keys are on line; one per node."""

    def __init__(
        self,
        database: Database,
        keys: KeyProvider,
        hierarchy: Hierarchy,
        *,
        clock: Clock,
        random: RandomSource,
        origin: Origin,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._origin = origin
        self._monotonic = monotonic
        self._authorities = authorities_by_hashes(hierarchy)
        self._responders: dict[str, _LoadedResponder] = {}
        self._turns = asyncio.Semaphore(SIGNED_AT_ONCE)
        self.memory = AnswerMemory(random(8).hex(), monotonic)

    async def answer(self, unverified: bytes) -> OcspAnswer:
        """Return the answer to a request as received (DER).

        A bad request gets an error in an answer's form.
        """
        try:
            question = parse_request(unverified)
        except OcspRequestMalformed:
            return OcspAnswer(error_answer(OcspError.malformed_request))
        return await self.answer_question(question)

    def remembered(self, unverified: bytes, now: datetime) -> KeptAnswer | None:
        """Return what memory has for a request (DER), if it may be relied on at this moment.

        None says nothing about the request; `answer` answers it.
        """
        try:
            question = parse_request(unverified)
        except OcspRequestMalformed:
            return None
        return None if question.nonce is not None else self.memory.get(question.cert_id, now)

    async def answer_question(self, question: OcspQuestion) -> OcspAnswer:
        """Return the answer to a parsed request."""
        asked = question.cert_id
        authority = self._authorities.get(
            (asked.hash_algorithm, asked.issuer_name_hash, asked.issuer_key_hash)
        )
        if authority is None:  # RFC 5019, section 2.2.3: not ours to speak about
            return OcspAnswer(error_answer(OcspError.unauthorized))
        if question.nonce is not None:
            signed, _ = await self._sign(authority, asked, question.nonce)
            return OcspAnswer(signed.der)
        kept = self.memory.get(asked, self._clock()) or await self._sign_and_keep(authority, asked)
        return OcspAnswer(kept.der, kept.this_update, kept.next_update, kept.sha256)

    async def beat(self) -> None:
        """Notify every node, this one too; when it comes back here, memory may be relied on for a second."""
        async with self._database.work(self._origin) as work:
            await status_store.beat(work, CHANNEL, self.memory.beat())

    async def keep_beating(self) -> None:
        """Beat until cancelled."""
        while True:
            try:
                await self.beat()
            except Exception as exception:  # noqa: BLE001 - without beats memory stops to count, by itself
                logger.warning("beat of the OCSP memory failed", extra={"reason": type(exception).__name__})
            await asyncio.sleep(BEAT_SECONDS)

    async def _sign_and_keep(self, authority: Authority, asked: CertId) -> KeptAnswer:
        generation = self.memory.generation
        signed, is_known = await self._sign(authority, asked, None)
        if is_known:  # anybody can invent serials, so answers about unknown ones are not kept
            self.memory.keep(asked, signed, generation)
        return signed

    async def _sign(
        self, authority: Authority, asked: CertId, nonce: bytes | None
    ) -> tuple[KeptAnswer, bool]:
        """Return a fresh answer from the database, and whether there is such a certificate."""
        async with self._turns:
            return await self._sign_now(authority, asked, nonce)

    async def _sign_now(
        self, authority: Authority, asked: CertId, nonce: bytes | None
    ) -> tuple[KeptAnswer, bool]:
        async with self._database.work(self._origin) as work:
            status = await status_store.status_now(work, authority.name, asked.serial)
            responder = await self._responder(work, authority)
        now = work.now
        der = await asyncio.to_thread(
            build_answer,
            asked,
            answer_of(status),
            responder=responder,
            this_update=now,
            next_update=now + VALID_FOR,
            produced_at=now,
            archive_cutoff=authority.certificate.not_valid_before_utc,
            nonce=nonce,
        )
        sha256 = hashlib.sha256(der).hexdigest()
        return KeptAnswer(der, now, now + VALID_FOR, now + SIGN_AGAIN_AFTER, sha256), status is not None

    async def _responder(self, work: Work, authority: Authority) -> Responder:
        loaded = self._responders.get(authority.name)
        if loaded is None or self._monotonic() >= loaded.until or work.now >= loaded.valid_until:
            current = await current_responder(work, authority)
            sign = partial(self._keys.sign, current.key_name, algorithm=SignatureAlgorithm.ecdsa_sha256)
            until = self._monotonic() + RESPONDER_SECONDS
            loaded = _LoadedResponder(Responder(current.certificate, sign), until, current.valid_until)
            self._responders[authority.name] = loaded
        return loaded.responder


def authorities_by_hashes(hierarchy: Hierarchy) -> Mapping[IssuerHashes, Authority]:
    """Return each authority on line under the hashes that requests name it by."""
    return {
        (named.hash_algorithm, named.issuer_name_hash, named.issuer_key_hash): authority
        for authority in hierarchy.issuing
        for named in (cert_id(authority.certificate, 1, algorithm) for algorithm in CertIdHash)
    }


def answer_of(status: StatusChange | None) -> Answer:
    """Return what is said of a certificate with this status; only `good` is good."""
    if status is None:
        return Unknown()
    if status.status is CertificateStatus.good:
        return Good()
    return Revoked(at=status.at, reason=status.reason or RevocationReason.unspecified)
