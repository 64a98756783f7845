"""The acceptance environment speaks TLS by itself: a whole login and a making over it, and never plain HTTP.

docs/operator.md, environments; docs/security.md, the way between.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.app_builders import demo_settings
from tests.ports import ports_for_demo
from tests.scenarios.attack_world import (
    COLLEAGUE,
    EMPLOYEE,
    App,
    AttackWorld,
    Browser,
    link_on,
    shared_world,
)

from cardkit.virtual import VirtualReaders
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import parse_link
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.server import Platform

pytestmark = pytest.mark.asyncio(loop_scope="module")


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that is its own issuer, good for a day."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "tls.pem", folder / "tls.key"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@dataclass
class Served:
    """The platform of acceptance behind its TLS port."""

    world: AttackWorld
    trust: ssl.SSLContext

    def client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            verify=self.trust, base_url=self.world.origin, follow_redirects=True, trust_env=False, timeout=30
        )
        self.world.stack.append(client)
        return client

    def browser(self) -> Browser:
        browser = self.world.browser()
        browser.client = browser._client = self.client()
        browser.client.headers["Accept-Language"] = "nl"
        return browser

    def app(self) -> App:
        return App(self.client(), self.world.origin)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def served(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = write_certificate(folder)
    (folder / "passphrase").write_text("a passphrase for the tests of acceptance")
    port = ports_for_demo()
    chosen = {
        "environment": "acceptance", "origin": f"https://localhost:{port}", "listen_port": port, "tls_certificate": certificate,
        "tls_key": key, "key_passphrase_file": folder / "passphrase", "seals_folder": folder / "seals",
    }  # fmt: skip
    stop = asyncio.Event()
    async with shared_world(servers, tmp_path_factory, **chosen) as world:
        serving = asyncio.create_task(world.running.serve(stop))
        served = Served(world, ssl.create_default_context(cafile=str(certificate)))
        async with asyncio.timeout(60):
            while True:
                try:
                    await served.client().get("/health")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
        yield served
        for client in world.stack:
            await client.aclose()
        stop.set()
        await serving


async def test_a_whole_login_goes_over_tls_with_cookies_of_this_host_only(served: Served) -> None:
    """Every cookie is Secure and `__Host-`; only the portal's own answer to form_post may cross sites."""
    browser, lines = served.browser(), []

    async def note(response: httpx.Response) -> None:
        lines.extend(response.headers.get_list("set-cookie"))
        assert response.headers["strict-transport-security"].startswith("max-age=31536000")

    browser.client.event_hooks["response"] = [note]
    page = await browser.begin_login()
    link = link_on(page)
    assert link.environment == "acceptance"
    code = await served.app().prove(link, served.world.card(EMPLOYEE))
    answer = await browser.post_completion(link.handle, code)
    assert answer.status_code == 200, answer.text
    landed = await browser.open(f"{served.world.origin}{answer.json()['next']}")
    assert landed.address == f"{served.world.origin}/portal/cards"
    assert await browser.is_logged_in()
    names = {line.partition("=")[0] for line in lines}
    assert names == {f"__Host-zid-{name}" for name in ("portal-login", "tx", "form", "session", "portal")}
    for line in lines:
        parts = {part.strip().lower() for part in line.split(";")[1:]}
        across = "samesite=none" if line.startswith("__Host-zid-portal-login") else "samesite=lax"
        assert {"secure", "httponly", "path=/", across} <= parts, line
        assert not any(part.startswith("domain") for part in parts), line


async def test_the_chosen_language_is_kept_over_tls_only(served: Served) -> None:
    answer = await served.client().get("/?lang=en")
    assert "Secure" in answer.headers["set-cookie"]


async def test_a_card_is_made_over_tls_by_the_desktop_app(served: Served) -> None:
    world, browser = served.world, served.browser()
    await world.register_organisation()
    page, person = await browser.begin("make-card"), world.maker(COLLEAGUE, "leeg-2")
    loop = asyncio.get_running_loop()

    def open_browser(address: str, _: object) -> None:
        asyncio.run_coroutine_threadsafe(browser.complete(address), loop).result()

    def run() -> str | None:
        transport = httpx.HTTPTransport(verify=served.trust, trust_env=False)
        with Platform(world.origin, language=Language.nl, transport=transport) as platform:
            around = Surroundings(platform, VirtualReaders(world.world.reader), open_browser, world.clock)
            log_in(around, person, parse_link(page.launch_link))
            return make_card(around, person, parse_link(page.launch_link)).chip_serial

    assert await asyncio.to_thread(run) == "20000002"


async def test_the_app_trusts_no_certificate_that_the_system_does_not_trust(served: Served) -> None:
    from zorgid.protocol.messages import IssuanceRequest, IssuanceView
    from zorgid_desktop.server import PlatformUnreachable

    def run() -> None:
        with Platform(served.world.origin) as platform, pytest.raises(PlatformUnreachable):
            some = "11111111-2222-3333-4444-555555555555"
            platform.call("/issuance/view", IssuanceRequest(issuance_id=some), IssuanceView)

    await asyncio.to_thread(run)


async def test_nobody_is_answered_in_plain_http(served: Served) -> None:
    port = served.world.running.settings.listen_port
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://localhost:{port}/portal")


async def test_tls_older_than_1_2_is_refused(served: Served) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError):
        await asyncio.open_connection("localhost", served.world.running.settings.listen_port, ssl=old)


@pytest.mark.parametrize("environment", ["acceptance", "production"])
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"origin": "http://zorg.example"}, "only the demo speaks plain HTTP"),
        ({"tls_certificate": None}, "name tls_certificate and tls_key"),
        ({"key_passphrase_file": None}, "key_passphrase_file"),
        ({"seals_folder": None}, "seals_folder"),
    ],
)
async def test_settings_that_would_speak_plain_http_are_refused(
    tmp_path: Path, environment: str, change: dict[str, Any], complaint: str
) -> None:
    good = {
        "environment": environment, "origin": "https://zorg.example", "tls_certificate": tmp_path, "tls_key": tmp_path,
        "key_passphrase_file": tmp_path, "seals_folder": tmp_path,
    }  # fmt: skip
    demo_settings(tmp_path, "postgresql://", **good)
    with pytest.raises(ValueError, match=complaint):
        demo_settings(tmp_path, "postgresql://", **{**good, **change})


async def test_acceptance_says_on_every_page_that_it_is_for_tests(served: Served) -> None:
    page = await served.browser().open(f"{served.world.origin}/portal")
    assert "testomgeving" in page.text
