"""Makes the hierarchy once, and loads it at each start: root, Smartcard CA and Mobiel CA.

The root's key has a provider of its own: in production it is off line and comes out for this only.
"""

import asyncio
from typing import Final

from cryptography import x509

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Event, Subject
from zorgid.ca import status_store, store
from zorgid.ca.errors import HierarchyMissing
from zorgid.ca.keys import KeyName, KeyProvider
from zorgid.ca.model import ISSUING, Authority, AuthorityName, Hierarchy, HierarchyPlan, Places
from zorgid.ca.publication import current_crl_number, publish_crl
from zorgid.ca.responder import renew_responder
from zorgid.ca.signing import certificate_key, require_key_of, sign_prepared
from zorgid.pki.prepare import (
    Issuer,
    Prepared,
    authority_validity,
    new_serial,
    prepare_authority,
    prepare_root,
)
from zorgid.pki.profiles import Profile
from zorgid.storage.database import Database, Origin, Work

PROFILES: Final = {AuthorityName.smartcard: Profile.smartcard_ca, AuthorityName.mobiel: Profile.mobiel_ca}


def key_name_of(name: AuthorityName) -> KeyName:
    """Return the name of an authority's key in its provider."""
    return KeyName(f"ca-{name}")


async def initialise_hierarchy(
    database: Database,
    keys: KeyProvider,
    *,
    root_keys: KeyProvider,
    plan: HierarchyPlan,
    places: Places,
    origin: Origin,
) -> Hierarchy:
    """Make what is missing of the hierarchy, its CRLs and its responder certificates, and return it.

    It can be repeated, and two nodes may do it at once: what one has made, the other finds. The root's key is
    needed only while something is missing.

    Args:
        database: where certificates are kept; keys never are.
        keys: home of the keys that are on line.
        root_keys: home of the root's key; the same home outside production.
        plan: kinds and years.
        places: where CRLs and answers will be served.
        origin: for the log.
    """
    async with database.work(origin) as work:
        await status_store.lock(work, "hierarchy")
        known = await store.authorities(work)
        if AuthorityName.root not in known:
            await _make_root(work, root_keys, plan)
        root = (await _load(work, places, AuthorityName.root)).issuer
        for name in ISSUING:
            if name not in known:
                await _make_issuing(work, name, root, (keys, root_keys), plan)
    hierarchy = await load_hierarchy(database, places, origin)
    await _publish_root_crl(database, root_keys, hierarchy.root, origin)
    for authority in hierarchy.issuing:
        await publish_crl(database, keys, authority, origin)
        await renew_responder(database, keys, authority, origin)
    return hierarchy


async def _publish_root_crl(
    database: Database, root_keys: KeyProvider, root: Authority, origin: Origin
) -> None:
    """Publish the root's first CRL; the later ones are published when the root's key is at hand."""
    async with database.work(origin) as work:
        number = await current_crl_number(work, root.name)
    if number == 0:
        await publish_crl(database, root_keys, root, origin)


async def load_hierarchy(database: Database, places: Places, origin: Origin) -> Hierarchy:
    """Return the hierarchy that was made before. Raises `HierarchyMissing`."""
    async with database.work(origin) as work:
        return Hierarchy(
            root=await _load(work, places, AuthorityName.root),
            smartcard=await _load(work, places, AuthorityName.smartcard),
            mobiel=await _load(work, places, AuthorityName.mobiel),
        )


async def _load(work: Work, places: Places, name: AuthorityName) -> Authority:
    known = await store.authorities(work)
    if name not in known:
        raise HierarchyMissing(f"there is no {name} authority yet")
    key_name, der = known[name]
    return Authority(name, key_name, Issuer(x509.load_der_x509_certificate(der), places.of(name)))


async def _make_root(work: Work, root_keys: KeyProvider, plan: HierarchyPlan) -> None:
    key_name = key_name_of(AuthorityName.root)
    await asyncio.to_thread(root_keys.create_key, key_name, plan.key_kind)
    prepared = prepare_root(
        public_key=certificate_key(root_keys, key_name),
        serial=new_serial(work.random),
        validity=authority_validity(work.now, years=plan.root_years),
        stand_in=plan.is_stand_in,
    )
    der = await sign_prepared(prepared, root_keys, key_name)
    await _add(work, AuthorityName.root, key_name, prepared, der)


async def _make_issuing(
    work: Work,
    name: AuthorityName,
    root: Issuer,
    homes: tuple[KeyProvider, KeyProvider],
    plan: HierarchyPlan,
) -> None:
    keys, root_keys = homes
    require_key_of(root.certificate, root_keys, key_name_of(AuthorityName.root))
    await asyncio.to_thread(keys.create_key, key_name_of(name), plan.key_kind)
    prepared = prepare_authority(
        PROFILES[name],
        issuer=root,
        public_key=certificate_key(keys, key_name_of(name)),
        serial=new_serial(work.random),
        validity=authority_validity(work.now, years=plan.issuing_years),
        stand_in=plan.is_stand_in,
    )
    der = await sign_prepared(prepared, root_keys, key_name_of(AuthorityName.root))
    await _add(work, name, key_name_of(name), prepared, der)


async def _add(work: Work, name: AuthorityName, key_name: KeyName, prepared: Prepared, der: bytes) -> None:
    await store.see_keys(work, [prepared.public_key_sha256])
    await store.add_authority(work, name, key_name, der)
    facts = {"serial": f"{prepared.serial:x}", "key": key_name}
    await record(work, event=Event.authority_created, by=SYSTEM, on=Subject("authority", name), facts=facts)
