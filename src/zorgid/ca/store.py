"""The SQL of the certificate authority: authorities, keys seen, certificates and their making."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg.rows import DictRow, dict_row

from zorgid.ca.keys import KeyName
from zorgid.ca.model import (
    AuthorityName,
    CertificateStatus,
    Intent,
    IssuedCertificate,
)
from zorgid.kernel.ids import CardId
from zorgid.pki.algorithms import SignatureAlgorithm
from zorgid.pki.crl import RevocationReason
from zorgid.pki.prepare import Prepared
from zorgid.pki.profiles import Profile
from zorgid.storage.database import Work

SERIAL_BYTES: Final = 20
"""Length under which a serial is stored (RFC 5280, section 4.1.2.2, allows no more)."""


def serial_bytes(serial: int) -> bytes:
    """Return a serial as it is stored."""
    return serial.to_bytes(SERIAL_BYTES, "big")


async def rows(work: Work, query: str, *arguments: Any) -> list[DictRow]:
    """Return the rows of a query by column name."""
    async with work.connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, arguments)
        return await cursor.fetchall()


async def authorities(work: Work) -> dict[AuthorityName, tuple[KeyName, bytes]]:
    """Return key name and certificate (DER) of each authority that exists."""
    found = await rows(work, "select name, key_name, certificate from ca_authority")
    return {AuthorityName(row["name"]): (KeyName(row["key_name"]), row["certificate"]) for row in found}


async def add_authority(work: Work, name: AuthorityName, key_name: KeyName, certificate: bytes) -> None:
    """Add an authority."""
    await work.connection.execute(
        "insert into ca_authority (name, key_name, certificate, made_at) values (%s, %s, %s, %s)",
        (name, key_name, certificate, work.now),
    )


async def see_keys(work: Work, hashes: Sequence[bytes]) -> int:
    """Remember public keys by their SHA-256; return how many of them were new."""
    cursor = await work.connection.execute(
        """
        insert into ca_key_seen (public_key_sha256, seen_at) select unnest(%s::bytea[]), %s
        on conflict do nothing
        """,
        (sorted(hashes), work.now),  # one order for all, so that two nodes cannot wait for each other
    )
    return cursor.rowcount


async def add_intent(
    work: Work, intent: Intent, valid_for: tuple[datetime, datetime], crl_entry: bytes
) -> None:
    """Add an intent with the first and last moment of the certificate and its entry in the CRL.

    It starts on hold.
    """
    prepared = intent.prepared
    await work.connection.execute(
        """
        insert into ca_certificate (
            serial, authority, card_id, profile, public_key_sha256, algorithm, tbs, valid_from, valid_until,
            stage, intended_at, status, reason, status_at, crl_entry
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'intended', %s, 'on_hold', 'certificate_hold', %s, %s)
        """,
        (
            serial_bytes(prepared.serial),
            intent.authority,
            intent.card_id,
            prepared.profile,
            prepared.public_key_sha256,
            prepared.algorithm,
            prepared.tbs,
            *valid_for,
            work.now,
            work.now,
            crl_entry,
        ),
    )


async def living_intents(
    work: Work, card_id: CardId, authority: AuthorityName, hashes: Mapping[Profile, bytes]
) -> Sequence[Intent]:
    """Return the intents of a card for exactly these keys; nothing unless all are there, none revoked."""
    found = await rows(
        work,
        """
        select serial, profile, algorithm, public_key_sha256, tbs from ca_certificate
        where card_id = %s and authority = %s and public_key_sha256 = any(%s) and status <> 'revoked'
        """,
        card_id,
        authority,
        list(hashes.values()),
    )
    intents = {Profile(row["profile"]): Intent(card_id, authority, _prepared(row)) for row in found}
    if {profile: intent.prepared.public_key_sha256 for profile, intent in intents.items()} != dict(hashes):
        return ()
    return [intents[profile] for profile in hashes]


async def claim_intents(work: Work, serials: Sequence[int]) -> Sequence[Prepared]:
    """Take the one right to sign each intent; those that were taken or revoked before are left out."""
    found = await rows(
        work,
        """
        update ca_certificate set stage = 'signing'
        where serial = any(%s) and stage = 'intended' and status <> 'revoked'
        returning serial, profile, algorithm, public_key_sha256, tbs
        """,
        [serial_bytes(serial) for serial in serials],
    )
    return [_prepared(row) for row in found]


async def has_intents(work: Work, card_id: CardId) -> bool:
    """Tell whether a certificate was ever intended for a card, whatever became of it."""
    return bool(await rows(work, "select 1 from ca_certificate where card_id = %s limit 1", card_id))


def _prepared(row: DictRow) -> Prepared:
    return Prepared(
        profile=Profile(row["profile"]),
        serial=int.from_bytes(row["serial"], "big"),
        tbs=row["tbs"],
        algorithm=SignatureAlgorithm(row["algorithm"]),
        public_key_sha256=row["public_key_sha256"],
    )


async def record_issued(work: Work, serial: int, certificate: bytes) -> None:
    """Write what was signed, whatever became of its status meanwhile."""
    await work.connection.execute(
        """
        update ca_certificate
        set stage = 'issued', certificate = %s, fingerprint_sha256 = sha256(%s), issued_at = %s
        where serial = %s and stage = 'signing'
        """,
        (certificate, certificate, work.now, serial_bytes(serial)),
    )


ISSUED_COLUMNS: Final = """
    serial, authority, card_id, profile, certificate, fingerprint_sha256, public_key_sha256, valid_from,
    valid_until, issued_at, status, reason, status_at
"""


async def issued_by_serial(work: Work, serials: Sequence[int]) -> Sequence[IssuedCertificate]:
    """Return those of the serials that were issued, in the order of the serials."""
    found = await rows(
        work,
        f"""
        select {ISSUED_COLUMNS} from ca_certificate where serial = any(%s) and stage = 'issued'
        """,  # noqa: S608
        [serial_bytes(serial) for serial in serials],
    )
    by_serial = {certificate.serial: certificate for certificate in map(_issued, found)}
    return [by_serial[serial] for serial in serials if serial in by_serial]


async def issued_of_card(work: Work, card_id: CardId) -> Sequence[IssuedCertificate]:
    """Return the certificates of a card, the latest making first."""
    found = await rows(
        work,
        f"""
        select {ISSUED_COLUMNS} from ca_certificate where card_id = %s and stage = 'issued'
        order by issued_at desc, profile
        """,  # noqa: S608
        card_id,
    )
    return [_issued(row) for row in found]


async def issued_by_fingerprint(work: Work, fingerprint_sha256: bytes) -> IssuedCertificate | None:
    """Return the certificate with this SHA-256, or None."""
    found = await rows(
        work,
        f"select {ISSUED_COLUMNS} from ca_certificate where fingerprint_sha256 = %s",  # noqa: S608
        fingerprint_sha256,
    )
    return _issued(found[0]) if found else None


def _issued(row: DictRow) -> IssuedCertificate:
    return IssuedCertificate(
        serial=int.from_bytes(row["serial"], "big"),
        authority=AuthorityName(row["authority"]),
        card_id=CardId(row["card_id"]),
        profile=Profile(row["profile"]),
        der=row["certificate"],
        fingerprint_sha256=row["fingerprint_sha256"],
        public_key_sha256=row["public_key_sha256"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        issued_at=row["issued_at"],
        status=CertificateStatus(row["status"]),
        reason=RevocationReason(row["reason"]) if row["reason"] else None,
        status_at=row["status_at"],
    )
