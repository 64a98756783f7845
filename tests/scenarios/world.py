"""A whole platform with its demo world inside one process, for walks that are run hundreds of times.

The platform lives on an event loop in a thread of its own and is reached without sockets: the Desktop App by a
transport that hands its requests to the application, the browser likewise. A test may break anything at any
position: see `breaks.py`. All keys are P-256, and the clock stands still until the test moves it.
"""

import asyncio
import base64
import faulthandler
import itertools
import threading
import time
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock
from uuid import UUID

import httpx
import psycopg
from cryptography import x509
from cryptography.x509 import ocsp
from psycopg.rows import dict_row
from tests.clock import FakeClock
from tests.register_builders import registered_organisation

import zorgid.app
from cardkit.virtual import VirtualReaders, make_blank_card
from zorgid.app import Running, build
from zorgid.ca.actions import publish_changes
from zorgid.ca.keys import KeyKind
from zorgid.ca.model import HierarchyPlan
from zorgid.demo import running as demo
from zorgid.demo import world as demo_world
from zorgid.demo.uzi_register.app import create_app as register_application
from zorgid.demo.uzi_register.cards import TestCard
from zorgid.demo.visitor import Page, Visitor
from zorgid.demo.world import DE_LINDE, World, open_world
from zorgid.kernel.randomness import system_random
from zorgid.kernel.sentences import Language
from zorgid.pki.algorithms import KeyKind as CardKeyKind
from zorgid.pki.status import build_ocsp_request
from zorgid.protocol.links import Browser, LaunchLink, parse_link
from zorgid.protocol.messages import IssuanceView
from zorgid.settings import Settings
from zorgid.stock import actions as stock
from zorgid.storage.database import Origin
from zorgid_desktop.flow.asking import (
    AskBirthDate,
    AskPin,
    AskPuk,
    Cancelled,
    ChoosePin,
    InsertCard,
    KeepPuk,
    NewPin,
    Question,
    Said,
    StartOver,
    Trouble,
    Wanted,
)
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.server import Platform

T = TypeVar("T")

TEST = Origin("scenario", None, "scenario")
ORIGIN = "http://localhost:8600"
EMPLOYEE = "assistente-linde"
DOCTOR = "huisarts-linde"
NEW_PIN = "Linde24"
FIRST_SERIAL = 30_000_001
UP_WITHIN_SECONDS = 240
"""How long a platform may take to come up: its first start makes keys, on a computer that may be busy with others."""

addresses = (f"10.{high}.{low}.7" for high in itertools.count(1) for low in range(250))
"""A fresh source for every browser and app: limits are another test's subject."""


class PlatformDied(BaseException):
    """The process of the platform is gone in the middle of a request."""


in_app_request: ContextVar[bool] = ContextVar("in_app_request", default=False)
"""True in the platform's tasks that do a request of the app."""


class Weather:
    """What may go wrong on the way between app and platform, and between app and card. This one is fine."""

    def before_apdu(self, number: int, command: bytes) -> None:
        """Run before the card hears a command."""

    def after_apdu(self, number: int, command: bytes, answer: bytes) -> None:
        """Run after the card did a command and before the app hears of it."""

    def before_request(self, path: str) -> None:
        """Run before the platform hears a request of the app."""

    def send(self, transport: "AppTransport", request: httpx.Request) -> httpx.Response:
        """Send a request to the platform; may send it more than once."""
        return transport.send(request)

    def repeat(self, transport: "AppTransport", request: httpx.Request, first: httpx.Response) -> None:
        """Run after the platform did a request; may send it again."""

    def after_request(self, path: str, response: httpx.Response) -> None:
        """Run after the platform did a request and before the app hears of it."""


class AppTransport(httpx.BaseTransport):
    """Hands the app's requests to the platform in process."""

    def __init__(self, scenario: "Scenario", weather: Weather) -> None:
        self._scenario = scenario
        self._weather = weather
        self._inner = httpx.ASGITransport(scenario.running.main, client=(next(addresses), 40000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self._weather.before_request(path)
        response = self._weather.send(self, request)
        self._weather.repeat(self, request, response)
        self._weather.after_request(path, response)
        return response

    def send(self, request: httpx.Request) -> httpx.Response:
        """Return the platform's answer. Raises `httpx.ReadError` when it died of the request."""
        try:
            response = self._scenario.run(self._send(request))
        except PlatformDied:
            raise httpx.ReadError("the platform died") from None
        self._scenario.overhear(request.url.path, response)
        return response

    async def _send(self, request: httpx.Request) -> httpx.Response:
        in_app_request.set(True)
        answer = await self._inner.handle_async_request(request)
        content = b"".join([part async for part in answer.stream])
        return httpx.Response(answer.status_code, headers=answer.headers, content=content, request=request)


@dataclass
class Maker:
    """A person who makes a card: patient, puts the right card in again when asked, types what is right."""

    scenario: "Scenario"
    cards: dict[Wanted, str]
    pin: str
    birth_date: str
    new_pin: str = NEW_PIN
    patience: int = 12
    keeps_puk: bool = True
    starts_over: bool = True
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    tries_shown: list[int | None] = field(default_factory=list)

    def ask(self, question: Question[Any]) -> Any:
        self.asked.append(type(question).__name__)
        if question.trouble is not None:
            self.troubles.append(question.trouble)
            if len(self.troubles) > self.patience:
                raise Cancelled
        return self.answer(question)

    def tell(self, said: Said) -> None:
        self.said.append(said.code)

    def codes(self) -> list[str]:
        """Return the codes of what went wrong on the way."""
        return [trouble.code for trouble in self.troubles]

    def answer(self, question: Question[Any]) -> Any:
        match question:
            case InsertCard(wanted=wanted):
                self.scenario.reader.insert(self.cards[wanted])
                return None
            case AskPin(context=context, tries_left=tries_left):
                self.tries_shown.append(tries_left)
                return self.new_pin if context is None else self.pin
            case AskBirthDate():
                return self.birth_date
            case ChoosePin():
                return NewPin(self.new_pin, self.new_pin)
            case KeepPuk(puk=puk):
                shown = puk.text_to_show_once()
                self.scenario.secrets |= {shown, shown.replace(" ", "")}
                return self.keeps_puk
            case StartOver():
                return self.starts_over
            case AskPuk():
                raise Cancelled
        raise AssertionError(question)


class Scenario:
    """The platform and its surroundings while they run. Everything here may be called from the test's thread."""

    origin = ORIGIN

    def __init__(
        self, loop: asyncio.AbstractEventLoop, running: Running, world: World, clock: FakeClock
    ) -> None:
        self._loop = loop
        self.running = running
        self.world = world
        self.clock = clock
        self.reader = world.reader
        self.secrets: set[str] = set()
        """Every PIN, PUK, key, code, handle and cookie that was used, as it travels."""
        self.requests: list[str] = []
        self._serials = itertools.count(FIRST_SERIAL)
        pki = httpx.ASGITransport(running.pki, client=("192.0.2.9", 40000))
        self._pki = httpx.AsyncClient(transport=pki, base_url="http://pki.test")
        self.settled: set[UUID] = set()
        """Cards all of whose certificates OCSP called revoked, which is for good."""
        url = running.settings.database_url
        assert url is not None
        self._connection = psycopg.connect(url, row_factory=dict_row, autocommit=True)

    # --- Running things --------------------------------------------------------------------------------------

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the platform's loop and return its result; when none comes, say what all threads do."""
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)
        except TimeoutError:
            faulthandler.dump_traceback()
            raise

    def in_work(self, action: Any) -> Any:
        """Run `await action(work)` in one transaction and return its result."""

        async def once() -> Any:
            async with self.running.services.database.work(TEST) as work:
                return await action(work)

        return self.run(once())

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Return what a query finds."""
        return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    # --- The surroundings ------------------------------------------------------------------------------------

    def visitor(self) -> Visitor:
        """Return a browser."""
        visitor = Visitor.__new__(Visitor)  # its own client would reach for sockets and certificates
        visitor._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.running.main, client=(next(addresses), 40000)),
            follow_redirects=True,
            headers={"Accept-Language": "nl"},
        )
        return visitor

    def begin(self, visitor: Visitor, path: str = "/portal/make-card") -> LaunchLink:
        """Go to a door of the portal and return the link that starts the app."""

        async def walk() -> Page:
            page = await visitor.open(f"{self.origin}{path}")
            return await visitor.submit(page, path)

        link = self.run(walk()).launch_link
        parsed = parse_link(link)
        self.secrets.add(parsed.handle.text_for_wire())
        self.secrets |= {cookie.value or "" for cookie in visitor._client.cookies.jar}
        return parsed

    def around(self, platform: Platform, visitor: Visitor) -> Surroundings:
        """Return what the app's flows need; opening a browser completes in `visitor`."""

        def open_browser(address: str, _: Browser) -> None:
            self.run(visitor.complete(address))

        return Surroundings(platform, VirtualReaders(self.reader), open_browser, self.clock)

    @contextmanager
    def app(self, weather: Weather | None = None) -> Iterator[Platform]:
        """Start the app: a fresh key, in this weather, which reaches the reader too."""
        weather = weather or Weather()
        self.reader.before_apdu, self.reader.after_apdu = weather.before_apdu, weather.after_apdu
        try:
            with Platform(ORIGIN, language=Language.nl, transport=AppTransport(self, weather)) as platform:
                yield platform
        finally:
            self.reader.before_apdu = self.reader.after_apdu = None
            self.reader.remove()

    def blank(self, **options: Any) -> str:
        """Sell a fresh blank card and return its name in the tray."""
        serial = next(self._serials)
        name = f"blank-{serial}"
        self.reader.add(
            name, make_blank_card(serial, attestation_root=self.world.attestation_root, **options)
        )
        self.in_work(lambda work: demo_world.stock_card(work, str(serial)))
        return name

    def unsold(self, **options: Any) -> str:
        """Return a blank card in the tray that no stock list knows."""
        serial = next(self._serials)
        name = f"blank-{serial}"
        root = None if options else self.world.attestation_root
        self.reader.add(name, make_blank_card(serial, attestation_root=root, **options))
        return name

    def name_on(self, card: str) -> str:
        """Return the full name on a UZI card of the tray."""
        return self.uzi(card.removeprefix("uzi-")).person.names.full_name

    def uzi(self, label: str) -> TestCard:
        """Return a test UZI card."""
        return self.world.card(label)

    def maker(self, label: str, blank: str, **options: Any) -> Maker:
        """Return the holder of a UZI card, about to make a Smartcard of a blank one."""
        card = self.uzi(label)
        assert card.person.born_on is not None
        self.secrets |= {card.pin, card.puk, options.get("new_pin", NEW_PIN)}
        cards = {Wanted.uzi_card: f"uzi-{label}", Wanted.login_card: f"uzi-{label}"}
        cards |= {Wanted.blank_card: blank, Wanted.new_card: blank}
        return Maker(self, cards, card.pin, f"{card.person.born_on:%d-%m-%Y}", **options)

    def overhear(self, path: str, answer: httpx.Response) -> None:
        """Take note of what travels between app and platform."""
        self.requests.append(path)
        if answer.is_error:
            return
        told = answer.json()
        for name in ("completion_code", "management_key"):
            if name in told:
                self.secrets.add(told[name])
        if "management_key" in told:
            self.secrets.add(base64.b64decode(told["management_key"]).hex())

    # --- Walks -----------------------------------------------------------------------------------------------

    def make(self, maker: Maker, weather: Weather | None = None) -> IssuanceView:
        """Walk from the portal's page to the card in use, once; what breaks it off leaves as it came."""
        visitor = self.visitor()
        try:
            link = self.begin(visitor)
            with self.app(weather) as platform:
                around = self.around(platform, visitor)
                log_in(around, maker, link)
                return make_card(around, maker, link)
        finally:
            self.run(visitor._client.aclose())

    # --- What is to be seen ----------------------------------------------------------------------------------

    def person_id(self, label: str) -> Any:
        """Return the id under which the platform knows the holder of a UZI card."""
        number = self.uzi(label).person.uzi_number
        return self.rows("select person_id from uzi_number where uzi_number = %s", number)[0]["person_id"]

    def certificates(self, label: str, *, but: Collection[UUID] = ()) -> list[dict[str, Any]]:
        """Return every certificate that was ever intended for a person's cards, but for those of some cards."""
        query = """
            select c.state as card_state, c.id as card_id, c.chip_serial, t.serial, t.profile, t.status, t.stage,
                   t.certificate
            from ca_certificate t join card c on c.id = t.card_id
            join uzi_number u on u.person_id = c.holder_id
            where u.uzi_number = %s and not c.id = any(%s)
        """
        return self.rows(query, self.uzi(label).person.uzi_number, list(but))

    def cards(self, label: str) -> list[dict[str, Any]]:
        """Return every card of a person with the state of its blank card."""
        query = """
            select c.id, c.state, c.number, c.chip_serial, b.state as blank_state from card c
            join blank_card b on b.number = c.number join uzi_number u on u.person_id = c.holder_id
            where u.uzi_number = %s order by c.made_at, c.id
        """
        return self.rows(query, self.uzi(label).person.uzi_number)

    def blank_state(self, name: str) -> str:
        """Return the state of a blank card in stock."""
        serial = name.removeprefix("blank-")
        return self.rows("select state from blank_card where chip_serial = %s", serial)[0]["state"]

    def ocsp(self, der: bytes) -> str:
        """Return what OCSP answers about a certificate: good, on hold, revoked, unknown."""
        certificate = x509.load_der_x509_certificate(der)
        question = build_ocsp_request(certificate, self.running.hierarchy.smartcard.certificate, nonce=None)

        async def ask() -> bytes:
            headers = {"Content-Type": "application/ocsp-request"}
            return (await self._pki.post("/ocsp", content=question, headers=headers)).content

        answer = ocsp.load_der_ocsp_response(self.run(ask()))
        if answer.certificate_status is not ocsp.OCSPCertStatus.REVOKED:
            return answer.certificate_status.name.lower()
        held = answer.revocation_reason is x509.ReasonFlags.certificate_hold
        return "on hold" if held else "revoked"

    def published_serials(self) -> set[int]:
        """Return the serials on the CRL, published anew when something changed."""
        services, authority = self.running.services, self.running.hierarchy.smartcard
        crl = self.run(publish_changes(services.database, services.keys, authority, TEST))
        return {entry.serial_number for entry in x509.load_der_x509_crl(crl.der)}

    def ocsp_within_a_second(self, der: bytes, wanted: set[str]) -> str:
        """Return what OCSP answers; when that is not wanted, what it answers to who asks a second later (LIFE-3).

        The second is counted to the moment of asking: how long an answer takes says how busy this computer is.
        """
        until = time.monotonic() + 1
        while True:
            asked_at = time.monotonic()
            told = self.ocsp(der)
            if told in wanted or asked_at >= until:
                return told
            time.sleep(0.01)


def scenario_settings(folder: Path, database_url: str) -> Settings:
    """Return settings of a demo that listens nowhere."""
    return Settings(
        node="scenario",
        data_folder=folder,
        database_url=database_url,
        origin=ORIGIN,
        card_key_kind=CardKeyKind.p256,
        most_connections=8,
    )


@asynccontextmanager
async def _started(folder: Path, database_url: str, clock: FakeClock) -> AsyncIterator[tuple[Running, World]]:
    settings = scenario_settings(folder, database_url)
    world = open_world(settings, clock=clock, random=system_random, folder=folder)
    plan = HierarchyPlan(is_stand_in=True, key_kind=KeyKind.p256)
    additions = demo.additions_for(world)
    additions = type(additions)(**{**vars(additions), "hierarchy_plan": plan})
    register = httpx.AsyncClient(transport=httpx.ASGITransport(register_application(world.register)))
    with mock.patch.object(zorgid.app, "new_client", return_value=register):
        platform = build(settings, additions, clock=clock, random=system_random, with_worker=False)
        async with platform as running:
            async with running.services.database.work(TEST) as work:
                number = world.card(DOCTOR).person.uzi_number
                with mock.patch("tests.register_builders.VALIDATOR", number):
                    await registered_organisation(work, ura=DE_LINDE, administrator_uzi_number=number)
            yield running, world


@contextmanager
def scenario(folder: Path, database_url: str) -> Iterator[Scenario]:
    """Start everything on a loop in a thread of its own, and stop it at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="platform", daemon=True)
    thread.start()
    clock = FakeClock()
    stop = asyncio.Event()
    ready: asyncio.Future[tuple[Running, World]] = loop.create_future()

    async def live() -> None:
        try:
            async with _started(folder, database_url, clock) as parts:
                ready.set_result(parts)
                await stop.wait()
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    living = asyncio.run_coroutine_threadsafe(live(), loop)
    try:

        async def wait() -> tuple[Running, World]:
            return await ready

        running, world = asyncio.run_coroutine_threadsafe(wait(), loop).result(UP_WITHIN_SECONDS)
        started = Scenario(loop, running, world, clock)
        try:
            yield started
        finally:
            started.close()
    finally:
        loop.call_soon_threadsafe(stop.set)
        living.result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def at(moment: datetime, **span: float) -> datetime:
    """Return a moment so much later."""
    return moment.astimezone(UTC) + timedelta(**span)


__all__ = ["DOCTOR", "EMPLOYEE", "NEW_PIN", "Maker", "Scenario", "Weather", "scenario", "stock"]
