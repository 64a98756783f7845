"""The platform's process is killed (SIGKILL) while it does each request of a making, over real HTTP.

One employee, one blank card: each try gets a little further before the next kill, until the card is made.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
from cryptography import x509
from cryptography.x509 import ocsp
from psycopg.rows import dict_row
from tests.ports import free_port, ports_for_demo
from tests.scenarios.checks import nothing_unfinished_is_good, one_good_card
from tests.scenarios.leaks import leaked
from tests.scenarios.surviving import is_made
from tests.scenarios.world import EMPLOYEE, TEST, UP_WITHIN_SECONDS, Scenario

import zorgid
from cardkit.virtual import VirtualReaders
from zorgid.demo.visitor import Visitor
from zorgid.demo.world import DE_LINDE, open_world
from zorgid.kernel.clock import system_clock
from zorgid.kernel.randomness import system_random
from zorgid.kernel.sentences import Language
from zorgid.organisations import actions as organisations
from zorgid.organisations.model import OrganisationState
from zorgid.pki.algorithms import KeyKind
from zorgid.pki.status import build_ocsp_request
from zorgid.protocol.links import Browser
from zorgid.settings import Settings
from zorgid.storage.database import Database, Work
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.server import Platform, PlatformRefused, PlatformUnreachable


class KilledScenario(Scenario):
    """The same walks as in process, against a platform in a process of its own."""

    def __init__(self, folder: Path, database_url: str, loop: asyncio.AbstractEventLoop) -> None:
        port, pki = ports_for_demo(), free_port()
        self._loop = loop
        self.settings = Settings(
            data_folder=folder,
            database_url=database_url,
            origin=f"http://localhost:{port}",
            listen_port=port,
            pki_origin=f"http://127.0.0.1:{pki}",
            pki_listen_port=pki,
            card_key_kind=KeyKind.p256,
        )
        self.world = open_world(self.settings, clock=system_clock, random=system_random, folder=folder)
        self.reader = self.world.reader
        self.secrets, self.settled = set(), set()
        self._serials = iter(range(40_000_001, 40_000_100))
        self._connection = psycopg.connect(database_url, row_factory=dict_row, autocommit=True)
        self.log = folder / "platform.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the platform and wait until it answers."""
        named = ("data_folder", "database_url", "origin", "listen_port", "pki_origin", "pki_listen_port")
        variables = {f"ZORGID_{name.upper()}": str(getattr(self.settings, name)) for name in named}
        variables |= {"ZORGID_CARD_KEY_KIND": "p256", "PYTHONPATH": str(Path(zorgid.__file__).parent.parent)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "zorgid.cli", "demo"],
                env=os.environ | variables,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        until = time.monotonic() + UP_WITHIN_SECONDS
        while not self._is_ready():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < until, self.log.read_text()[-2000:]
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            doors = (f"{self.settings.origin}/ready", f"{self.settings.pki_origin}/crl/smartcard.crl")
            return all(httpx.get(door, trust_env=False).is_success for door in doors)
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill the process, without any notice."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(60)

    def await_organisation(self) -> None:
        """Wait until the demo has let its own doctor validate the organisation, as it does at its first start."""
        until = time.monotonic() + UP_WITHIN_SECONDS
        while not self.in_work(_is_registered):
            assert time.monotonic() < until, self.log.read_text()[-2000:]
            time.sleep(0.05)

    def in_work(self, action):
        async def once():
            url = self.settings.database_url or ""
            database = await Database.open(
                url, clock=system_clock, random=system_random, audit_mac=lambda _: bytes(32)
            )
            try:
                async with database.work(TEST) as work:
                    return await action(work)
            finally:
                await database.close()

        return self.run(once())

    def ocsp(self, der: bytes) -> str:
        with httpx.Client(base_url=self.settings.pki_origin, trust_env=False, timeout=60) as pki:
            issuer = x509.load_der_x509_certificate(pki.get("/ca/smartcard.cer").content)
            question = build_ocsp_request(x509.load_der_x509_certificate(der), issuer, nonce=None)
            headers = {"Content-Type": "application/ocsp-request"}
            answer = ocsp.load_der_ocsp_response(pki.post("/ocsp", content=question, headers=headers).content)
        if answer.certificate_status is not ocsp.OCSPCertStatus.REVOKED:
            return answer.certificate_status.name.lower()
        return "on hold" if answer.revocation_reason is x509.ReasonFlags.certificate_hold else "revoked"

    def walk(self, maker, killer: "Killer") -> None:
        """Make a card with a real browser's and a real app's requests."""
        visitor = self.run(_visitor())
        try:
            self.origin = self.settings.origin
            link = self.begin(visitor)

            def open_browser(address: str, _: Browser) -> None:
                self.run(visitor.complete(address))

            with Platform(self.settings.origin, language=Language.nl, transport=killer) as platform:
                around = Surroundings(platform, VirtualReaders(self.reader), open_browser, system_clock)
                log_in(around, maker, link)
                make_card(around, maker, link)
        finally:
            self.reader.remove()
            self.run(visitor._client.aclose())


async def _is_registered(work: Work) -> bool:
    found = await organisations.organisation_by_ura(work, DE_LINDE)
    return found.state is OrganisationState.registered


async def _visitor() -> Visitor:
    return Visitor()


class Killer(httpx.BaseTransport):
    """Sends requests over the network; kills the platform a moment after it sent one of them."""

    def __init__(self, scenario: KilledScenario, at: int, after_seconds: float) -> None:
        self._scenario = scenario
        self._at = at
        self._after_seconds = after_seconds
        self._inner = httpx.HTTPTransport(trust_env=False)
        self._blow: threading.Timer | None = None
        self.sent: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self.sent or self.sent[-1] != request.headers["ZorgID-Signature"]:
            self.sent.append(request.headers["ZorgID-Signature"])
            if len(self.sent) == self._at:
                self._blow = threading.Timer(self._after_seconds, self._scenario.kill)
                self._blow.start()
        return self._inner.handle_request(request)

    def has_struck(self) -> bool:
        """Tell whether the platform is gone; a blow that is under way falls first."""
        if self._blow is not None:
            self._blow.join()
        return self._blow is not None

    def close(self) -> None:
        self._inner.close()


@contextmanager
def looping() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_a_platform_that_is_killed_in_any_request_leaves_nothing_half_done(
    module_folder: Path, module_database_url: str
) -> None:
    with looping() as loop:
        scenario = KilledScenario(module_folder, module_database_url, loop)
        try:
            scenario.start()
            _make_through_kills(scenario)
        finally:
            if scenario.process is not None and scenario.process.poll() is None:
                scenario.kill()
            scenario.close()


def _make_through_kills(scenario: KilledScenario) -> None:
    scenario.await_organisation()
    blank = scenario.blank()
    kills = 0
    for at in range(1, 12):
        maker = scenario.maker(EMPLOYEE, blank)
        killer = Killer(scenario, at, after_seconds=0.004 * (at % 5))
        try:
            scenario.walk(maker, killer)
        except (PlatformUnreachable, PlatformRefused, httpx.TransportError):
            assert killer.has_struck()
        if killer.has_struck():  # also when the last answer came before it
            kills += 1
            scenario.start()
        nothing_unfinished_is_good(scenario, EMPLOYEE)
        if is_made(scenario, blank):
            break
    assert kills > 6
    if not is_made(scenario, blank):
        maker = scenario.maker(EMPLOYEE, blank)
        scenario.walk(maker, Killer(scenario, 0, 0))
    one_good_card(scenario, EMPLOYEE, maker)
    assert not leaked(scenario.log.read_text(), scenario.secrets)
