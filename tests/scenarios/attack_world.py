"""A whole platform in this process with the demo's world, for attacks: browsers, apps and cards that misbehave.

The clock stands still, keys are P-256, and what is attacked is the real application behind its real layers.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from psycopg import sql
from psycopg.rows import dict_row
from tests.app_builders import demo_settings
from tests.clock import FakeClock
from tests.ports import ports_for_demo

from cardkit.virtual import VirtualReaders
from cardkit.virtual.private_keys import PrivateKey
from zorgid.app import Additions, Running, build
from zorgid.ca.keys import KeyKind
from zorgid.ca.model import HierarchyPlan
from zorgid.demo.scripted import ScriptedPerson
from zorgid.demo.uzi_register.app import create_app as register_application
from zorgid.demo.visitor import Page, Visitor
from zorgid.demo.world import World, open_world, populate
from zorgid.kernel.randomness import system_random
from zorgid.kernel.secrets import Secret
from zorgid.kernel.sentences import Language
from zorgid.pki.algorithms import KeyKind as CardKeyKind
from zorgid.protocol.app_key import HEADER, AppKey, sign_request
from zorgid.protocol.context import Context, Message
from zorgid.protocol.links import LaunchLink, parse_link
from zorgid.protocol.messages import (
    API,
    AttachReply,
    AttachRequest,
    IssuanceView,
    ProveReply,
    ProveRequest,
    decode,
)
from zorgid.protocol.proof import WebEidToken, bytes_to_sign, nonce_for, token_for
from zorgid.storage.database import Origin
from zorgid.storage.embedded import OWNER, SUPERUSER, EmbeddedPostgres
from zorgid.web.server import Door, serving
from zorgid_desktop import APP_VERSION
from zorgid_desktop.flow.asking import Wanted
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.server import Platform

TEST = Origin("test", "192.0.2.1", "test-node")
EMPLOYEE = "assistente-linde"
COLLEAGUE = "praktijkmanager-linde"
DOCTOR = "huisarts-linde"
NEW_PIN = "Linde24"
TEMPLATE = "zorgid_template"
"""The migrated database of `tests/conftest.py`."""

PASSING = (
    "audit_entry", "audit_seal", "login_transaction", "app_key", "limit_use", "trust_crl", "trust_ocsp_answer",
    "person_sighting", "oidc_request", "ca_responder", "outbox_event",
)  # fmt: skip
"""Tables that say who tried what, and nothing about who may do what."""


@dataclass(frozen=True)
class SoftwareKey:
    """The authentication key of a card, as only a test can hold it."""

    certificate: x509.Certificate
    private_key: PrivateKey

    def token(
        self, *, challenge: bytes, context: Context, handle: Secret, origin: str | None = None
    ) -> WebEidToken:
        """Return the proof that the card would give for this context."""
        data = bytes_to_sign(origin or context.origin, nonce_for(challenge, context, handle), "ES256")
        return self.token_over(data)

    def token_over(self, data: bytes) -> WebEidToken:
        """Return a token with a signature over `data`, whatever that is."""
        assert isinstance(self.private_key, ec.EllipticCurvePrivateKey)
        r, s = utils.decode_dss_signature(self.private_key.sign(data, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return token_for(self.certificate.public_bytes(Encoding.DER), "ES256", signature, APP_VERSION)


class Browser(Visitor):
    """A browser that reaches the platform of a test without a network; the demo's care application is not there."""

    def __init__(self, running: Running, address: str = "192.0.2.7", application: Any = None) -> None:
        super().__init__()
        self.origin = running.settings.origin
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(application or running.main, client=(address, 40000)),
            base_url=self.origin,
            follow_redirects=True,
            headers={"Accept-Language": "nl"},
        )
        self._client = self.client

    async def begin_login(self, to: str = "/portal/cards") -> Page:
        """Go to the portal's login, up to the page with the link."""
        return await self.open(f"{self.origin}/portal/login?to={to}")

    async def begin(self, door: str) -> Page:
        """Begin what needs a proof first: `make-card` or `validate-organisation`."""
        page = await self.open(f"{self.origin}/portal/{door}")
        return await self.submit(page, f"/portal/{door}")

    async def post_completion(self, handle: Secret, code: Secret, **headers: str) -> httpx.Response:
        """Post handle and code as the completion page does."""
        sent = {
            "Origin": self.origin,
            "Sec-Fetch-Site": "same-origin",
            "Accept": "application/json",
            **headers,
        }
        body = {"handle": handle.text_for_wire(), "code": code.text_for_wire()}
        return await self.client.post("/oauth/complete", json=body, headers=sent)

    async def is_logged_in(self) -> bool:
        """Tell whether the portal shows its cards to this browser."""
        return (await self.client.get("/portal/cards", follow_redirects=False)).status_code == 200

    def cookie(self, name: str) -> str | None:
        """Return a cookie of this browser."""
        return next((one.value for one in self.client.cookies.jar if one.name == name), None)


@dataclass
class App:
    """A Desktop App that does whatever a test wants; with the right key and counter unless told otherwise."""

    client: httpx.AsyncClient
    origin: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    counter: int = 0

    @property
    def app_key(self) -> AppKey:
        return AppKey.of(self.key.public_key())

    async def send(
        self,
        path: str,
        message: Message | bytes,
        *,
        counter: int | None = None,
        signed_origin: str | None = None,
        signed_path: str | None = None,
        signed_body: bytes | None = None,
        header: str | None = None,
    ) -> httpx.Response:
        """Send a message to the API, signed for what it says it is."""
        body = message if isinstance(message, bytes) else message.model_dump_json().encode()
        if counter is None:
            self.counter += 1
        signature = sign_request(
            self.key,
            origin=signed_origin or self.origin,
            method="POST",
            path=API + (signed_path or path),
            body=body if signed_body is None else signed_body,
            counter=self.counter if counter is None else counter,
        )
        headers = {
            HEADER: signature.header() if header is None else header,
            "Content-Type": "application/json",
        }
        return await self.client.post(API + path, content=body, headers=headers)

    async def try_attach(self, link: LaunchLink) -> httpx.Response:
        return await self.send("/attach", attach_request(link, self.app_key))

    async def attach(self, link: LaunchLink) -> AttachReply:
        answer = await self.try_attach(link)
        assert answer.status_code == 200, answer.text
        return AttachReply.model_validate_json(answer.content)

    async def try_prove(self, link: LaunchLink, token: WebEidToken) -> httpx.Response:
        return await self.send("/prove", ProveRequest(handle=link.handle.text_for_wire(), token=token))

    async def prove(self, link: LaunchLink, card: SoftwareKey) -> Secret:
        """Attach and prove with a card; return the completion code."""
        reply = await self.attach(link)
        token = card.token(challenge=decode(reply.challenge), context=reply.context, handle=link.handle)
        answer = await self.try_prove(link, token)
        assert answer.status_code == 200, answer.text
        return Secret.from_text(ProveReply.model_validate_json(answer.content).completion_code)


def attach_request(link: LaunchLink, key: AppKey) -> AttachRequest:
    return AttachRequest(handle=link.handle.text_for_wire(), app_key=key, app_version=APP_VERSION)


def link_on(page: Page) -> LaunchLink:
    return parse_link(page.launch_link)


class Bridge(httpx.BaseTransport):
    """Lets the Desktop App's own client, in its thread, reach the application in the test's event loop."""

    def __init__(self, application: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = httpx.ASGITransport(application, client=("192.0.2.8", 40000))
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return asyncio.run_coroutine_threadsafe(self._send(request), self._loop).result()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


Tamper = Callable[[Any], Message]


class HostileApp(Platform):
    """The Desktop App with some of its messages changed before they are signed."""

    tampers: Mapping[str, Tamper] = {}

    def call(self, path: str, message: Message, answer: Any) -> Any:
        tamper = self.tampers.get(path)
        return super().call(path, tamper(message) if tamper else message, answer)


@dataclass
class AttackWorld:
    """The platform, everything outside it, and the means to attack."""

    running: Running
    world: World
    clock: FakeClock
    additions: Additions
    stack: list[httpx.AsyncClient] = field(default_factory=list)
    registered: set[str] = field(default_factory=set)
    in_front: Any = None

    @property
    def origin(self) -> str:
        return self.running.settings.origin

    @property
    def application(self) -> Any:
        """What answers: one node, or whatever stands in front of several."""
        return self.in_front or self.running.main

    def browser(self, address: str = "192.0.2.7") -> Browser:
        browser = Browser(self.running, address, self.application)
        self.stack.append(browser.client)
        return browser

    def app(self) -> App:
        transport = httpx.ASGITransport(self.application, client=("192.0.2.8", 40000))
        client = httpx.AsyncClient(transport=transport, base_url=self.origin)
        self.stack.append(client)
        return App(client, self.origin)

    def card(self, label: str, usage: str = "authentication") -> SoftwareKey:
        """Return a key of a test UZI card."""
        key = getattr(self.world.card(label), usage)
        return SoftwareKey(key.certificate, key.private_key)

    def key_on(self, blank: str, slot: str = "authentication") -> SoftwareKey:
        """Return a key of a card that was made, straight out of the virtual card."""
        return self._keys_on(blank)[slot]

    def _keys_on(self, blank: str) -> Mapping[str, SoftwareKey]:
        from cardkit.card import KeySlot
        from cardkit.piv import codes
        from cardkit.piv.objects import decode_certificate

        state = self.world.reader.card_state(blank)
        found = {}
        for slot in (KeySlot.authentication, KeySlot.signature, KeySlot.confidentiality):
            certificate = decode_certificate(state.objects[codes.CERTIFICATE_OBJECTS[slot]])
            found[slot.value] = SoftwareKey(certificate, state.keys[slot.reference].private_key)
        return found

    async def log_in(self, card: SoftwareKey, browser: Browser | None = None) -> Browser:
        """Log in at the portal, as it should go."""
        browser = browser or self.browser()
        link = link_on(await browser.begin_login())
        code = await self.app().prove(link, card)
        answer = await browser.post_completion(link.handle, code)
        assert answer.status_code == 200, answer.text
        await browser.open(f"{self.origin}{answer.json()['next']}")
        assert await browser.is_logged_in()
        return browser

    async def register_organisation(self, doctor: str = DOCTOR) -> None:
        """Validate the organisation of a professional, as it should go, unless that was done."""
        if doctor in self.registered:
            return
        self.registered.add(doctor)
        browser = self.browser()
        link = link_on(await browser.begin("validate-organisation"))
        code = await self.app().prove(link, self.card(doctor))
        answer = await browser.post_completion(link.handle, code)
        page = await browser.open(f"{self.origin}{answer.json()['next']}")
        await browser.submit(page, "/portal/validate-organisation/confirm")

    async def require_smartcard(self) -> None:
        """Make a Smartcard of the first blank card for the employee, as it should go, unless that was done."""
        if "leeg-1" not in self.registered:
            await self.register_organisation()
            await self.make()
            self.registered.add("leeg-1")

    async def make(
        self,
        label: str = EMPLOYEE,
        *,
        blank: str = "leeg-1",
        tampers: Mapping[str, Tamper] | None = None,
        person: ScriptedPerson | None = None,
    ) -> IssuanceView:
        """Make a card with the Desktop App's own flow; what `tampers` changes is signed as if it were meant."""
        browser = self.browser()
        page = await browser.begin("make-card")
        loop = asyncio.get_running_loop()

        def open_browser(address: str, _: object) -> None:
            asyncio.run_coroutine_threadsafe(browser.complete(address), loop).result()

        def run() -> IssuanceView:
            with HostileApp(
                self.origin, language=Language.nl, transport=Bridge(self.application, loop)
            ) as app:
                app.tampers = tampers or {}
                around = Surroundings(app, VirtualReaders(self.world.reader), open_browser, self.clock)
                link, face = parse_link(page.launch_link), person or self.maker(label, blank)
                log_in(around, face, link)
                return make_card(around, face, link)

        return await asyncio.to_thread(run)

    def maker(self, label: str, blank: str) -> ScriptedPerson:
        """Return somebody who makes a card from a test UZI card and a blank one."""
        card = self.world.card(label)
        wanted = {Wanted.uzi_card: f"uzi-{label}", Wanted.blank_card: blank, Wanted.new_card: blank}
        return ScriptedPerson(
            self.world.reader,
            wanted,
            pin=card.pin,
            birth_date=f"{card.person.born_on:%d-%m-%Y}",
            new_pin=NEW_PIN,
        )

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Return rows of the platform's database."""
        async with (
            self.running.services.database.work(TEST) as work,
            work.connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(query, values)
            return list(await cursor.fetchall())

    async def log(self) -> list[tuple[str, str, str]]:
        """Return event, outcome and code (or reason) of every entry of the audit log, the oldest first."""
        entries = await self.rows("select event, outcome, facts from audit_entry order by xact, id")
        return [
            (one["event"], one["outcome"], one["facts"].get("code") or one["facts"].get("why") or "")
            for one in entries
        ]

    async def state(self) -> dict[str, str]:
        """Return what every table holds that says who may do what, as one hash a table."""
        names = await self.rows(
            "select tablename from pg_tables where schemaname = 'public' and tablename not like '%%yoyo%%' "
            "and tablename <> all(%s) order by tablename",
            list(PASSING),
        )
        found = {}
        for one in names:
            table = one["tablename"]
            rows = await self.rows(f"select t::text as row from {table} t order by t::text")
            found[table] = hashlib.sha256("\n".join(row["row"] for row in rows).encode()).hexdigest()
        return found

    @asynccontextmanager
    async def nothing_changes(self, *logged: tuple[str, str, str]) -> AsyncIterator[None]:
        """Hold that what runs inside changes nothing that counts, and that the log tells of it."""
        before, length = await self.state(), len(await self.log())
        yield
        after = await self.state()
        assert {name for name in after if after[name] != before[name]} == set()
        said = (await self.log())[length:]
        for entry in logged:
            assert entry in said, said


@asynccontextmanager
async def shared_world(
    servers: Any, folders: pytest.TempPathFactory, *, clock: Any = None, **settings: Any
) -> AsyncIterator[AttackWorld]:
    """Run one world for all attacks of a module: none of them changes anything, so none is in another's way."""
    programs = os.environ.get("ZORGID_TEST_POSTGRESQL")
    server = servers.migrated(Path(programs) if programs else None)
    name = f"attacks_{uuid4().hex}"
    as_superuser(server, "create database {} owner {} template {} strategy file_copy", name, OWNER, TEMPLATE)
    async with attack_world(
        folders.mktemp("world"), server.url(name), clock or FakeClock(), **settings
    ) as world:
        yield world
    as_superuser(server, "drop database {} with (force)", name)


def as_superuser(server: EmbeddedPostgres, statement: str, *names: str) -> None:
    with psycopg.connect(server.url(SUPERUSER, SUPERUSER), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@asynccontextmanager
async def attack_world(
    folder: Path, database_url: str, clock: FakeClock, **settings: Any
) -> AsyncIterator[AttackWorld]:
    """Run the platform, and the test UZI register beside it, while the block does."""
    port = ports_for_demo()
    given = {"origin": f"http://localhost:{port}", "listen_port": port, "card_key_kind": CardKeyKind.p256}
    chosen = demo_settings(folder, database_url, **{**given, **settings})
    world = await asyncio.to_thread(
        open_world, chosen, clock=clock, random=system_random, folder=folder, kept_in=None
    )
    additions = Additions(
        trust=world.trust,
        attestation_roots=world.attestation_roots,
        makes_what_is_missing=True,
        hierarchy_plan=HierarchyPlan(is_stand_in=True, key_kind=KeyKind.p256),
    )
    register = Door(register_application(world.register), "127.0.0.1", world.places.register_port)
    async with (
        build(chosen, additions, clock=clock, with_worker=False) as running,
        serving(register, stop_within_seconds=5),
    ):
        await populate(running.services.database, TEST, world)
        attacked = AttackWorld(running, world, clock, additions)
        try:
            yield attacked
        finally:
            for client in attacked.stack:
                await client.aclose()
