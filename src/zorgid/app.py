"""Puts the house together: every part is made here once, and handed what it needs.

`build` only decides; `async with` starts what runs and, at the end, stops it. Nothing registers itself.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from cardkit.attestation import TrustedRoot
from zorgid import setups
from zorgid.attestation_roots import read_attestation_roots
from zorgid.background import running
from zorgid.ca.answers import OcspResponder
from zorgid.ca.hierarchy import initialise_hierarchy, load_hierarchy
from zorgid.ca.keys import KeyProvider
from zorgid.ca.model import Hierarchy, HierarchyPlan, Places
from zorgid.clients.actions import ClientCache
from zorgid.kernel.clock import Clock, system_clock
from zorgid.kernel.randomness import RandomSource, system_random
from zorgid.login import sessions
from zorgid.loops import node_runs, outbox_handlers, worker_runs
from zorgid.node_memory import Memory
from zorgid.oidc import actions as oidc
from zorgid.oidc.exchange import redeem_codes
from zorgid.oidc.granting import authorise_at_once
from zorgid.oidc.rotation import SigningKeys, rotate_signing_keys
from zorgid.oidc.tokens import userinfo
from zorgid.opening import (
    LIMITS,
    database_address,
    make_platform_keys,
    open_database,
    open_keys,
    require_platform_keys,
)
from zorgid.outbox.dispatch import Dispatcher
from zorgid.settings import Settings
from zorgid.stock.model import AttestationRoot
from zorgid.storage.database import Companion, Companions, Database, Origin
from zorgid.storage.listener import Listener
from zorgid.storage.together import Together
from zorgid.trust.actions import Trust
from zorgid.trust.fetch import new_client
from zorgid.trust.folder import load_trust_bundle
from zorgid.trust.model import TrustBundle
from zorgid.web import health
from zorgid.web.application import web_application
from zorgid.web.desktop import routes as desktop
from zorgid.web.downloads import routes as downloads
from zorgid.web.downloads.model import read_downloads
from zorgid.web.limits import Limits
from zorgid.web.login import routes as login_pages
from zorgid.web.login.watch import Watch
from zorgid.web.oidc import routes as identity_server
from zorgid.web.onboarding import routes as onboarding_pages
from zorgid.web.pki.app import PkiApp
from zorgid.web.portal import routes as portal
from zorgid.web.portal.relying_party import register_portal
from zorgid.web.server import Door, serving
from zorgid.web.services import Services
from zorgid.web.shell import load_sentences, page_templates, static_files
from zorgid.web.static_files import StaticFiles
from zorgid.web.templates import TextFolder


@dataclass(frozen=True)
class Additions:
    """What an environment puts beside or in place of the platform's own; the demo world comes in here.

    Without `trust` and `attestation_roots` those of the trust folder count.
    """

    routes: Sequence[BaseRoute] = ()
    start: Route | None = None
    """Takes the place of the start page."""
    texts: Sequence[TextFolder] = ()
    static_packages: Sequence[str] = ()
    trust: TrustBundle | None = None
    attestation_roots: Mapping[AttestationRoot, Sequence[TrustedRoot]] | None = None
    hierarchy_plan: HierarchyPlan = field(default_factory=lambda: HierarchyPlan(is_stand_in=True))
    """How the demo makes its hierarchy at the first start."""
    virtual_workplace: str | None = None
    """Origin of the workplace in the browser, a stand-in, which login pages then offer."""
    makes_what_is_missing: bool = False
    """Make keys and hierarchy at the start, as the demo does; elsewhere that is `zorgid ca init`."""


@dataclass(frozen=True)
class Running:
    """The platform while it runs."""

    settings: Settings
    services: Services
    hierarchy: Hierarchy
    main: ASGIApp
    pki: ASGIApp

    async def serve(self, stop: asyncio.Event) -> None:
        """Answer on both addresses until `stop`; requests that run then may finish."""
        s = self.settings
        main = Door(self.main, s.listen_address, s.listen_port, s.tls_certificate, s.tls_key, s.shares_ports)
        pki = Door(self.pki, s.pki_listen_address, s.pki_listen_port, is_shared=s.shares_ports)
        async with serving(main, pki, stop_within_seconds=s.stop_within_seconds):
            await stop.wait()
            self.services.stopping.set()
            self.services.watch.wake_all()


class Platform:
    """The platform, decided but not started. Use it as `async with build(settings) as running:`."""

    def __init__(
        self,
        settings: Settings,
        additions: Additions,
        *,
        clock: Clock,
        random: RandomSource,
        with_worker: bool,
    ) -> None:
        self._settings = settings
        self._additions = additions
        self._clock = clock
        self._random = random
        self._with_worker = with_worker
        self._stack = AsyncExitStack()
        self._origin = Origin("background", None, settings.node)

    async def __aenter__(self) -> Running:
        """Start everything; what was started is stopped again when a later part cannot start."""
        try:
            return await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, in the reverse order."""
        await self._stack.aclose()

    async def _start(self) -> Running:
        settings, enter = self._settings, self._stack.enter_async_context
        keys = await asyncio.to_thread(self._keys)
        url = await enter(database_address(settings))
        database = await enter(
            open_database(
                settings, url, keys, companions=companions(), clock=self._clock, random=self._random
            )
        )
        hierarchy = await self._hierarchy(database, keys)
        await self._prepare(database, keys)
        memory = self._memory(database, keys, hierarchy)
        listener = await enter(memory.listener(url))
        services = await self._services(database, keys, hierarchy, memory, listener)
        runs = node_runs(memory.responder)
        if self._with_worker:
            runs += worker_runs(
                settings, database, keys, hierarchy, dispatcher=memory.dispatcher, origin=self._origin
            )
        await enter(running(runs))
        return Running(
            settings=settings,
            services=services,
            hierarchy=hierarchy,
            main=web_application(services, self._routes()),
            pki=PkiApp(database, hierarchy, memory.responder, self._clock, self._origin),
        )

    def _keys(self) -> KeyProvider:
        """Open the home of the keys. Raises `SettingsUnfit` when it is a stand-in and may not be."""
        keys = open_keys(self._settings, random=self._random)
        stand_ins = [keys.description] if keys.is_stand_in else []
        stand_ins += ["virtual workplace"] if self._additions.virtual_workplace else []
        self._settings.require_nothing_pretends(stand_ins)
        if self._additions.makes_what_is_missing:
            make_platform_keys(keys)
        require_platform_keys(keys)
        return keys

    async def _hierarchy(self, database: Database, keys: KeyProvider) -> Hierarchy:
        places = Places(self._settings.pki_origin)
        if not self._additions.makes_what_is_missing:
            return await load_hierarchy(database, places, self._origin)
        plan = self._additions.hierarchy_plan
        return await initialise_hierarchy(
            database, keys, root_keys=keys, plan=plan, places=places, origin=self._origin
        )

    async def _prepare(self, database: Database, keys: KeyProvider) -> None:
        """Write what must stand in the database before the first request."""
        async with database.work(self._origin) as work:
            await register_portal(work, self._settings, keys)
        async with database.work(self._origin) as work:
            await rotate_signing_keys(work, keys)

    def _memory(self, database: Database, keys: KeyProvider, hierarchy: Hierarchy) -> Memory:
        return Memory(
            clients=ClientCache(),
            signing_keys=SigningKeys(),
            watch=Watch(),
            responder=OcspResponder(
                database, keys, hierarchy, clock=self._clock, random=self._random, origin=self._origin
            ),
            dispatcher=Dispatcher(
                database, outbox_handlers(database, keys, hierarchy, self._origin), origin=self._origin
            ),
        )

    async def _services(
        self,
        database: Database,
        keys: KeyProvider,
        hierarchy: Hierarchy,
        memory: Memory,
        listener: Listener,
    ) -> Services:
        """Return what the handlers of requests use."""
        settings, additions = self._settings, self._additions
        trust = await self._trust(database)
        login = setups.login_setup(settings, keys, trust)
        identity = setups.identity_server(settings, keys, memory, login)
        return Services(
            settings=settings,
            database=database,
            keys=keys,
            trust=trust,
            templates=page_templates(
                settings, self._static, additions.texts, virtual_workplace=additions.virtual_workplace
            ),
            virtual_workplace=additions.virtual_workplace,
            sentences=load_sentences(),
            limits=Limits(database, clock=self._clock, mac=partial(keys.mac, LIMITS)),
            identity=identity,
            authorising=Together(database, partial(authorise_at_once, identity)),
            redeeming=Together(database, partial(redeem_codes, identity)),
            asking_userinfo=Together(database, partial(userinfo, identity)),
            forms=setups.form_guard(settings, keys, self._random),
            clock=self._clock,
            random=self._random,
            login=login,
            issuance=setups.issuance_setup(settings, keys, hierarchy, login, self._attestation_roots()),
            watch=memory.watch,
            stopping=asyncio.Event(),
            is_listening=lambda: listener.is_connected,
        )

    async def _trust(self, database: Database) -> Trust:
        """Return what recognises UZI cards."""
        bundle = self._additions.trust or load_trust_bundle(
            self._trust_folder, accepts_test=self._settings.allows_stand_ins
        )
        client = await self._stack.enter_async_context(new_client())
        return Trust(
            database, bundle, client=client, clock=self._clock, random=self._random, origin=self._origin
        )

    def _attestation_roots(self) -> Mapping[AttestationRoot, Sequence[TrustedRoot]]:
        if self._additions.attestation_roots is not None:
            return self._additions.attestation_roots
        return read_attestation_roots(self._trust_folder, allows_stand_ins=self._settings.allows_stand_ins)

    @property
    def _trust_folder(self) -> Path:
        return self._settings.trust_folder or self._settings.data_folder / "trust"

    @cached_property
    def _static(self) -> StaticFiles:
        return static_files(self._additions.static_packages)

    def _routes(self) -> Sequence[BaseRoute]:
        """Return all addresses; those of the environment come first."""
        return [
            *self._additions.routes,
            *identity_server.routes(),  # asked most, so looked at first
            self._additions.start or portal.start_route(),
            *health.routes(),
            self._static.route(),
            *portal.routes(),
            *onboarding_pages.routes(),
            *login_pages.routes(),
            *downloads.routes(read_downloads(self._settings.app_downloads)),
            *desktop.routes(),
        ]


def build(
    settings: Settings,
    additions: Additions | None = None,
    *,
    clock: Clock = system_clock,
    random: RandomSource = system_random,
    with_worker: bool = True,
) -> Platform:
    """Return the platform that these settings and additions make.

    Without `with_worker` it leaves the work that nobody asks for to another process (`zorgid worker`).
    """
    return Platform(settings, additions or Additions(), clock=clock, random=random, with_worker=with_worker)


def additions_of(settings: Settings) -> Additions:
    """Return what `zorgid serve` adds: the demo makes its own keys, elsewhere that is an act."""
    return Additions(makes_what_is_missing=settings.is_demo)


def companions() -> Companions:
    """Return what rooms do in the transaction of other rooms' events."""
    merged: dict[str, tuple[Companion, ...]] = {}
    for of_room in (sessions.COMPANIONS, oidc.COMPANIONS):
        for event, follows in of_room.items():
            merged[event] = (*merged.get(event, ()), *follows)
    return merged
