"""What runs beside the requests: on every node what its memory needs, on every worker the rest.

All of it may run on several nodes at once; the rooms see to that with locks and conditional statements.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from zorgid.audit.places import FolderSeals
from zorgid.audit.sealer import Sealer
from zorgid.background import Loop, Run
from zorgid.ca.actions import publish_changes, sweep_intents
from zorgid.ca.answers import OcspResponder
from zorgid.ca.keys import KeyProvider, SigningAlgorithm
from zorgid.ca.model import Authority, AuthorityName, Hierarchy
from zorgid.ca.responder import renew_responder
from zorgid.cards.actions import expire_cards
from zorgid.issuance.actions import fail_one_expired, forget_one_ended
from zorgid.login.actions import sweep as sweep_logins
from zorgid.oidc.actions import sweep as sweep_identity_server
from zorgid.oidc.rotation import rotate_signing_keys
from zorgid.opening import AUDIT_SEALS
from zorgid.outbox.dispatch import Dispatcher
from zorgid.outbox.model import Handler, OutboxEvent
from zorgid.settings import Settings
from zorgid.storage.database import Database, Origin, Work
from zorgid.trust.actions import sweep as sweep_trust

NOTHING_FOLLOWS: Final = (
    "card-activated",
    "card-expired",
    "card-failed",
    "card-held",
    "card-released",
    "card-revoked",
    "role-ended",
    "session-ended",
)
"""Events that have no handler yet: what follows from them at once are companions."""

CERTIFICATES_CHANGED: Final = "certificates-changed"

InWork = Callable[[Work], Awaitable[object]]
OfAuthority = Callable[[Database, KeyProvider, Authority, Origin], Awaitable[object]]
Once = Callable[[], Awaitable[object]]


def outbox_handlers(
    database: Database, keys: KeyProvider, hierarchy: Hierarchy, origin: Origin
) -> Mapping[str, Sequence[Handler]]:
    """Return what follows from committed events, for every event that this version knows."""

    async def publish(event: OutboxEvent) -> None:
        authority = hierarchy.named(AuthorityName(event.facts["authority"]))
        await publish_changes(database, keys, authority, origin)

    return {
        **dict.fromkeys(NOTHING_FOLLOWS, ()),
        CERTIFICATES_CHANGED: (Handler("publish-crl", publish),),
    }


def node_runs(responder: OcspResponder) -> list[Run]:
    """Return what every node that serves needs for itself."""

    async def keep_beating(stop: asyncio.Event) -> None:
        beating = asyncio.create_task(responder.keep_beating())
        await stop.wait()
        beating.cancel()
        await asyncio.wait([beating])

    return [keep_beating]


def worker_runs(
    settings: Settings,
    database: Database,
    keys: KeyProvider,
    hierarchy: Hierarchy,
    *,
    dispatcher: Dispatcher,
    origin: Origin,
) -> list[Run]:
    """Return the work that is done once for all nodes, by whichever comes first."""
    sealer = Sealer(
        database,
        FolderSeals(settings.seals_in),
        partial(keys.sign, AUDIT_SEALS, algorithm=SigningAlgorithm.ed25519),
        origin=origin,
    )
    in_work = partial(_in_work, database, origin)
    for_each = partial(_for_each_authority, database, keys, hierarchy, origin)
    loops = (
        Loop("publish CRLs", timedelta(minutes=1), for_each(publish_changes)),
        Loop("renew responders", timedelta(hours=6), for_each(renew_responder)),
        Loop("sweep intents", timedelta(minutes=5), in_work(sweep_intents)),
        Loop("sweep logins", timedelta(seconds=10), in_work(sweep_logins)),
        Loop("sweep identity server", timedelta(minutes=5), in_work(sweep_identity_server)),
        Loop("rotate signing keys", timedelta(hours=1), in_work(partial(rotate_signing_keys, keys=keys))),
        Loop("expire cards", timedelta(minutes=1), until_none(in_work(expire_cards))),
        Loop("fail late makings", timedelta(minutes=1), until_none(in_work(fail_one_expired))),
        Loop("forget ended makings", timedelta(minutes=5), until_none(in_work(forget_one_ended))),
        Loop("sweep status of UZI cards", timedelta(minutes=5), in_work(sweep_trust)),
    )
    return [sealer.run, dispatcher.run, *(loop.run for loop in loops)]


def _in_work(database: Database, origin: Origin, action: InWork) -> Once:
    """Return something that does an action, each time in a work of its own."""

    async def once() -> object:
        async with database.work(origin) as work:
            return await action(work)

    return once


def _for_each_authority(
    database: Database, keys: KeyProvider, hierarchy: Hierarchy, origin: Origin, act: OfAuthority
) -> Once:
    """Return something that does an act of authorities for each that issues."""

    async def once() -> None:
        for authority in hierarchy.issuing:
            await act(database, keys, authority, origin)

    return once


def until_none(once: Once) -> Once:
    """Return something that repeats `once`, each time in a work of its own, until it finds nothing to do."""

    async def repeat() -> None:
        while await once():
            pass

    return repeat
