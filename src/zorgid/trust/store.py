"""The SQL of trust: kept CRLs and OCSP answers of foreign issuers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from zorgid.pki.crl_judgement import JudgedCrl
from zorgid.storage.database import Work

SERIAL_BYTES: Final = 20


@dataclass(frozen=True)
class CertificateKey:
    """Which certificate: the SHA-256 of its issuer's public key, and its serial."""

    issuer_key_sha256: bytes
    serial: int

    @property
    def serial_bytes(self) -> bytes:
        """Return the serial as it is stored."""
        return self.serial.to_bytes(SERIAL_BYTES, "big")


@dataclass(frozen=True)
class KeptCrl:
    """A list that was judged when it was fetched."""

    number: int
    der: bytes
    fetched_at: datetime


@dataclass(frozen=True)
class KeptAnswer:
    """An OCSP answer that was judged when it was fetched; `revoked_at` stays once it was set."""

    der: bytes
    revoked_at: datetime | None
    reason: str | None
    fetched_at: datetime


async def kept_crl(work: Work, issuer_key_sha256: bytes) -> KeptCrl | None:
    """Return the list with the highest number seen of an issuer, or None."""
    cursor = await work.connection.execute(
        "select number, der, fetched_at from trust_crl where issuer_key_sha256 = %s", (issuer_key_sha256,)
    )
    row = await cursor.fetchone()
    return None if row is None else KeptCrl(int(row[0]), bytes(row[1]), row[2])


async def keep_crl(work: Work, issuer_key_sha256: bytes, judged: JudgedCrl, der: bytes) -> None:
    """Keep a judged list, unless one with a higher number is kept already."""
    await work.connection.execute(
        """
        insert into trust_crl (issuer_key_sha256, number, this_update, next_update, der, fetched_at)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (issuer_key_sha256) do update set
            number = excluded.number, this_update = excluded.this_update, next_update = excluded.next_update,
            der = excluded.der, fetched_at = excluded.fetched_at
        where trust_crl.number <= excluded.number
        """,
        (issuer_key_sha256, judged.number, judged.this_update, judged.next_update, der, work.now),
    )


async def kept_answer(work: Work, key: CertificateKey) -> KeptAnswer | None:
    """Return the latest OCSP answer about a certificate, or None."""
    cursor = await work.connection.execute(
        """
        select der, revoked_at, reason, fetched_at from trust_ocsp_answer
        where issuer_key_sha256 = %s and serial = %s
        """,
        (key.issuer_key_sha256, key.serial_bytes),
    )
    row = await cursor.fetchone()
    return None if row is None else KeptAnswer(bytes(row[0]), row[1], row[2], row[3])


async def keep_answer(
    work: Work, key: CertificateKey, der: bytes, revoked: tuple[datetime, str] | None
) -> None:
    """Keep a judged OCSP answer; what was revoked once stays noted as revoked."""
    revoked_at, reason = revoked if revoked is not None else (None, None)
    await work.connection.execute(
        """
        insert into trust_ocsp_answer (issuer_key_sha256, serial, der, revoked_at, reason, fetched_at)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (issuer_key_sha256, serial) do update set
            der = excluded.der, fetched_at = excluded.fetched_at,
            revoked_at = coalesce(trust_ocsp_answer.revoked_at, excluded.revoked_at),
            reason = coalesce(trust_ocsp_answer.reason, excluded.reason)
        """,
        (key.issuer_key_sha256, key.serial_bytes, der, revoked_at, reason, work.now),
    )


async def drop_answers(work: Work, *, fetched_before: datetime) -> None:
    """Drop answers that were fetched before a moment and told of no revocation."""
    await work.connection.execute(
        "delete from trust_ocsp_answer where fetched_at < %s and revoked_at is null", (fetched_before,)
    )
