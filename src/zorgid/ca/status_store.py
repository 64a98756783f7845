"""The SQL of the certificate authority, second part: status, its history, CRLs and responder certificates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from psycopg.rows import scalar_row

from zorgid.ca.keys import KeyName
from zorgid.ca.model import AuthorityName, CertificateStatus, PublishedCrl, ResponderCertificate, StatusChange
from zorgid.ca.store import rows, serial_bytes
from zorgid.kernel.ids import CardId
from zorgid.pki.crl import RevocationReason
from zorgid.storage.database import Work

LOCK_CLASS: Final = int.from_bytes(b"zca")
"""First half of the advisory locks of this room; the second half is a hash of what is locked."""


@dataclass(frozen=True)
class Listed:
    """A certificate or intent whose status is about to change."""

    serial: int
    authority: AuthorityName


async def lock(work: Work, what: str) -> None:
    """Wait until no other work of any node holds the lock on `what`; held until this work ends."""
    await work.connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK_CLASS, what))


async def changeable_of_card(work: Work, card_id: CardId, status: CertificateStatus) -> Sequence[Listed]:
    """Lock and return what of a card may get `status`: nothing that is revoked, nothing unissued as good."""
    found = await rows(
        work,
        """
        select serial, authority from ca_certificate
        where card_id = %s and status <> 'revoked' and status <> %s and (%s <> 'good' or stage = 'issued')
        order by serial for update
        """,
        card_id,
        status,
        status,
    )
    return [Listed(int.from_bytes(row["serial"], "big"), AuthorityName(row["authority"])) for row in found]


async def unfinished_before(work: Work, before: datetime) -> Sequence[Listed]:
    """Lock and return intents without outcome that are older than `before`.

    Those in use elsewhere are left out.
    """
    found = await rows(
        work,
        """
        select serial, authority from ca_certificate
        where stage <> 'issued' and status <> 'revoked' and intended_at < %s
        order by serial for update skip locked
        """,
        before,
    )
    return [Listed(int.from_bytes(row["serial"], "big"), AuthorityName(row["authority"])) for row in found]


async def write_status(
    work: Work,
    listed: Listed,
    status: CertificateStatus,
    reason: RevocationReason | None,
    crl_entry: bytes | None,
) -> None:
    """Give a certificate its status and its CRL entry, and add the change to the history."""
    await work.connection.execute(
        """
        update ca_certificate set status = %s, reason = %s, status_at = %s, crl_entry = %s where serial = %s
        """,
        (status, reason, work.now, crl_entry, serial_bytes(listed.serial)),
    )
    await add_history(work, listed, status, reason)


async def add_history(
    work: Work, listed: Listed, status: CertificateStatus, reason: RevocationReason | None
) -> None:
    """Add a change of status to the history."""
    await work.connection.execute(
        "insert into ca_status_change (serial, authority, status, reason, at) values (%s, %s, %s, %s, %s)",
        (serial_bytes(listed.serial), listed.authority, status, reason, work.now),
    )


async def status_now(work: Work, authority: AuthorityName, serial: int) -> StatusChange | None:
    """Return the present status of a certificate or intent of an authority, or None when there is none."""
    found = await rows(
        work,
        "select status, reason, status_at as at from ca_certificate where serial = %s and authority = %s",
        serial_bytes(serial),
        authority,
    )
    return _change(found[0]["status"], found[0]["reason"], found[0]["at"]) if found else None


async def status_then(work: Work, serial: int, at: datetime) -> StatusChange | None:
    """Return the status that held at a moment, or None when there was none yet."""
    found = await rows(
        work,
        """
        select status, reason, at from ca_status_change where serial = %s and at <= %s
        order by number desc limit 1
        """,
        serial_bytes(serial),
        at,
    )
    return _change(found[0]["status"], found[0]["reason"], found[0]["at"]) if found else None


async def history_of(work: Work, serial: int) -> Sequence[StatusChange]:
    """Return every status a certificate had, the first one first."""
    found = await rows(
        work,
        "select status, reason, at from ca_status_change where serial = %s order by number",
        serial_bytes(serial),
    )
    return [_change(row["status"], row["reason"], row["at"]) for row in found]


def _change(status: str, reason: str | None, at: datetime) -> StatusChange:
    return StatusChange(CertificateStatus(status), RevocationReason(reason) if reason else None, at)


async def has_unpublished(work: Work, authority: AuthorityName) -> bool:
    """Tell whether a change of status of this authority is in no CRL yet."""
    found = await rows(
        work,
        """
        select exists (select from ca_status_change where authority = %s and first_crl is null) as unpublished
        """,
        authority,
    )
    return bool(found[0]["unpublished"])


async def mark_published(work: Work, authority: AuthorityName, number: int) -> None:
    """Note in which CRL the changes so far are first shown. Call it before the entries are read."""
    await work.connection.execute(
        "update ca_status_change set first_crl = %s where authority = %s and first_crl is null",
        (number, authority),
    )


async def crl_entries(work: Work, authority: AuthorityName) -> bytes:
    """Return all CRL entries of an authority, encoded and put together in the order of the serials."""
    # Binary: as text, in hexadecimal, a long list would take twice its size more.
    async with work.connection.cursor(binary=True, row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select coalesce(string_agg(crl_entry, ''::bytea order by serial), ''::bytea)
            from ca_certificate where authority = %s and crl_entry is not null
            """,
            (authority,),
        )
        entries: bytes = await cursor.fetchone() or b""
        return entries


async def latest_crl(work: Work, authority: AuthorityName) -> PublishedCrl | None:
    """Return the latest CRL of an authority, or None before the first."""
    found = await rows(
        work, "select number, this_update, next_update, der from ca_crl where authority = %s", authority
    )
    return PublishedCrl(authority=authority, **found[0]) if found else None


async def latest_crl_number(work: Work, authority: AuthorityName) -> int:
    """Return the number of the latest CRL of an authority, 0 before the first."""
    found = await rows(work, "select number from ca_crl where authority = %s", authority)
    return int(found[0]["number"]) if found else 0


async def put_crl(work: Work, crl: PublishedCrl) -> None:
    """Put a CRL in the place of the one before."""
    await work.connection.execute(
        """
        insert into ca_crl (authority, number, this_update, next_update, der) values (%s, %s, %s, %s, %s)
        on conflict (authority) do update set
            number = excluded.number, this_update = excluded.this_update, next_update = excluded.next_update,
            der = excluded.der
        where ca_crl.number < excluded.number
        """,
        (crl.authority, crl.number, crl.this_update, crl.next_update, crl.der),
    )


async def latest_responder(work: Work, authority: AuthorityName) -> ResponderCertificate | None:
    """Return the responder certificate that ends last, or None when there never was one."""
    found = await rows(
        work,
        """
        select key_name, certificate, valid_from, valid_until from ca_responder
        where authority = %s order by valid_until desc limit 1
        """,
        authority,
    )
    if not found:
        return None
    row = found[0]
    return ResponderCertificate(
        authority=authority,
        key_name=KeyName(row["key_name"]),
        certificate=x509.load_der_x509_certificate(row["certificate"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
    )


async def add_responder(
    work: Work,
    authority: AuthorityName,
    key_name: KeyName,
    certificate: bytes,
    valid_for: tuple[datetime, datetime],
) -> None:
    """Add a responder certificate with its first and last moment."""
    await work.connection.execute(
        """
        insert into ca_responder (key_name, authority, certificate, valid_from, valid_until)
        values (%s, %s, %s, %s, %s)
        """,
        (key_name, authority, certificate, *valid_for),
    )


async def beat(work: Work, channel: str, payload: str) -> None:
    """Send a notification that need not survive a crash of the server, without waiting for its disk."""
    await work.connection.execute("set local synchronous_commit = off")
    await work.notify(channel, payload)
