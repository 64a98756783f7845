"""Keeps a valid responder certificate for each authority whose key is on line (RFC 6960, section 4.2.2.2)."""

import asyncio
from datetime import timedelta
from typing import Final

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Event, Subject
from zorgid.ca import status_store, store
from zorgid.ca.errors import ResponderMissing
from zorgid.ca.keys import KeyKind, KeyName, KeyProvider
from zorgid.ca.model import Authority, ResponderCertificate
from zorgid.ca.signing import certificate_key, require_key_of, sign_prepared
from zorgid.pki.prepare import new_serial, prepare_responder, responder_validity
from zorgid.storage.database import Database, Origin, Work

RENEW_BEFORE_END: Final = timedelta(days=10)
"""A responder certificate lives thirty days; a third of that is left to notice that renewal fails."""


async def renew_responder(
    database: Database, keys: KeyProvider, authority: Authority, origin: Origin
) -> None:
    """Make a responder key and certificate when there is none or the present one nears its end."""
    async with database.work(origin) as work:
        await status_store.lock(work, f"responder {authority.name}")
        latest = await status_store.latest_responder(work, authority.name)
        if latest is None or latest.valid_until - RENEW_BEFORE_END <= work.now:
            await _make(work, keys, authority)


async def current_responder(work: Work, authority: Authority) -> ResponderCertificate:
    """Return the responder certificate to sign with. Raises `ResponderMissing` when none is valid."""
    latest = await status_store.latest_responder(work, authority.name)
    if latest is None or latest.valid_until <= work.now:
        raise ResponderMissing(f"authority {authority.name} has no valid responder certificate")
    return latest


async def _make(work: Work, keys: KeyProvider, authority: Authority) -> None:
    require_key_of(authority.certificate, keys, authority.key_name)
    name = KeyName(f"ocsp-{authority.name}-{work.now:%Y%m%d}-{work.random(4).hex()}")
    await asyncio.to_thread(keys.create_key, name, KeyKind.p256)
    validity = responder_validity(work.now)
    prepared = prepare_responder(
        issuer=authority.issuer,
        public_key=certificate_key(keys, name),
        serial=new_serial(work.random),
        validity=validity,
    )
    der = await sign_prepared(prepared, keys, authority.key_name)
    await store.see_keys(work, [prepared.public_key_sha256])
    await status_store.add_responder(
        work, authority.name, name, der, (validity.not_before, validity.not_after)
    )
    await record(
        work, event=Event.key_created, by=SYSTEM, on=Subject("key", name), facts={"authority": authority.name}
    )
