"""Publishes complete, numbered CRLs of the authorities, one publisher at a time over all nodes (LIFE-3)."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Event, Subject
from zorgid.ca import status_store
from zorgid.ca.errors import CrlMissing
from zorgid.ca.keys import KeyProvider
from zorgid.ca.model import Authority, AuthorityName, PublishedCrl
from zorgid.ca.signing import require_key_of
from zorgid.pki.crl import assemble_crl, build_tbs_crl
from zorgid.storage.database import Database, Origin, Work

CRL_VALID_FOR: Final = timedelta(hours=2)
"""From `thisUpdate` to `nextUpdate` of the authorities whose keys are on line."""

CRL_EVERY: Final = timedelta(minutes=50)
"""Age at which a CRL is replaced though nothing changed, so that one comes at least hourly."""

ROOT_CRL_VALID_FOR: Final = timedelta(days=190)
"""The root's key comes out of its safe twice a year."""

CHANNEL: Final = "crl_published"
"""Tells the nodes which authority has a new CRL."""


async def publish_crl(
    database: Database, keys: KeyProvider, authority: Authority, origin: Origin
) -> PublishedCrl:
    """Sign and publish a complete CRL of an authority, and return it.

    It lists every certificate and intent that is held or revoked, expired ones too. A released one is left
    out again, so the list can get shorter while its number goes up.

    Source: RFC 5280, sections 5.2.3 (number) and 5.3.1 (hold); X.509, 9.5.2.8 (expired certificates on CRL).
    """
    async with database.work(origin) as work:
        await status_store.lock(work, f"crl {authority.name}")
        return await _publish(work, keys, authority)


async def publish_changes(
    database: Database, keys: KeyProvider, authority: Authority, origin: Origin
) -> PublishedCrl:
    """Publish a CRL when something changed since the latest or that grows old; return the latest CRL.

    Everything committed before the call is in the CRL that is returned.
    """
    async with database.work(origin) as work:
        await status_store.lock(work, f"crl {authority.name}")
        latest = await status_store.latest_crl(work, authority.name)
        if latest is not None and not await _is_due(work, latest):
            return latest
        return await _publish(work, keys, authority)


async def current_crl(work: Work, name: AuthorityName) -> PublishedCrl:
    """Return the latest CRL of an authority. Raises `CrlMissing`."""
    crl = await status_store.latest_crl(work, name)
    if crl is None:
        raise CrlMissing(f"authority {name} has published no CRL")
    return crl


async def current_crl_number(work: Work, name: AuthorityName) -> int:
    """Return the number of the latest CRL of an authority, 0 before the first; much cheaper than the CRL."""
    return await status_store.latest_crl_number(work, name)


async def _is_due(work: Work, latest: PublishedCrl) -> bool:
    if latest.authority is AuthorityName.root:
        return False
    return latest.this_update + CRL_EVERY <= work.now or await status_store.has_unpublished(
        work, latest.authority
    )


async def _publish(work: Work, keys: KeyProvider, authority: Authority) -> PublishedCrl:
    await asyncio.to_thread(require_key_of, authority.certificate, keys, authority.key_name)
    number = await status_store.latest_crl_number(work, authority.name) + 1
    await status_store.mark_published(work, authority.name, number)
    valid_for = ROOT_CRL_VALID_FOR if authority.name is AuthorityName.root else CRL_VALID_FOR
    crl = PublishedCrl(
        authority=authority.name,
        number=number,
        this_update=work.now,
        next_update=work.now + valid_for,
        der=await asyncio.to_thread(
            _signed,
            keys,
            authority,
            number,
            (work.now, work.now + valid_for),
            await status_store.crl_entries(work, authority.name),  # has no name, so that it goes when signed
        ),
    )
    await status_store.put_crl(work, crl)
    await record(
        work,
        event=Event.crl_published,
        by=SYSTEM,
        on=Subject("authority", authority.name),
        facts={"number": number, "size_bytes": len(crl.der)},
    )
    await work.notify(CHANNEL, authority.name)
    return crl


def _signed(
    keys: KeyProvider, authority: Authority, number: int, updates: tuple[datetime, datetime], entries: bytes
) -> bytes:
    tbs = build_tbs_crl(
        authority.certificate,
        number=number,
        this_update=updates[0],
        next_update=updates[1],
        entries=(entries,) if entries else (),  # the database has put the encoded entries together
        expired_from=authority.certificate.not_valid_before_utc,
    )
    algorithm = authority.issuer.algorithm
    return assemble_crl(tbs, algorithm, keys.sign(authority.key_name, tbs, algorithm))
