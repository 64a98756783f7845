"""Acceptance: over TLS, with cookies that are bound to this host (docs/operator.md, environments)."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.app_builders import demo_settings, platform
from tests.portal_builders import fields_of, identity_cookie, small_world

from zorgid.app import Running
from zorgid.settings import Environment


def write_tls_files(folder: Path) -> None:
    """A certificate for localhost, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "tls.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.key").write_bytes(key.private_bytes(*form))


@pytest.fixture
async def running(tmp_path: Path, database_url: str) -> AsyncIterator[Running]:
    """A platform of acceptance that answers over TLS."""
    write_tls_files(tmp_path)
    (tmp_path / "passphrase").write_text("a passphrase for the tests")
    demo = demo_settings(tmp_path, database_url)
    settings = demo_settings(
        tmp_path,
        database_url,
        environment=Environment.acceptance,
        origin=f"https://localhost:{demo.listen_port}",
        listen_port=demo.listen_port,
        tls_certificate=tmp_path / "tls.pem",
        tls_key=tmp_path / "tls.key",
        key_passphrase_file=tmp_path / "passphrase",
        seals_folder=tmp_path / "seals",
    )
    stop = asyncio.Event()
    async with platform(settings, with_worker=False) as running:
        serving = asyncio.create_task(running.serve(stop))
        yield running
        stop.set()
        await serving


@pytest.fixture
async def browser(running: Running, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that trusts the certificate; it waits until the door is open."""
    trusting = ssl.create_default_context(cafile=str(tmp_path / "tls.pem"))
    transport = httpx.AsyncHTTPTransport(verify=trusting, retries=8)
    async with httpx.AsyncClient(transport=transport, base_url=running.settings.origin, timeout=60) as client:
        assert (await client.get("/health")).status_code == 200
        yield client


async def test_a_login_over_tls_has_cookies_that_are_bound_to_this_host(
    running: Running, browser: httpx.AsyncClient
) -> None:
    world = await small_world(running)
    browser.cookies.set("__Host-zid-session", await identity_cookie(running, world.administrator))
    away = await browser.get("/portal/login")
    begun = away.headers["set-cookie"]
    assert begun.startswith("__Host-zid-portal-login=")
    assert "Secure" in begun
    assert "HttpOnly" in begun
    assert "SameSite=none" in begun
    asked = await browser.get(away.headers["location"])
    answer = await browser.post("/portal/signin-oidc", data=fields_of(asked.text))
    assert answer.status_code == 303, answer.text
    begun = next(line for line in answer.headers.get_list("set-cookie") if "__Host-zid-portal=" in line)
    assert "Secure" in begun
    assert "SameSite=lax" in begun
    assert "Path=/" in begun
    assert "Domain" not in begun
    assert world.card.number in (await browser.get("/portal/cards")).text


async def test_every_answer_demands_tls_for_a_year_and_tells_of_the_test_environment(
    browser: httpx.AsyncClient,
) -> None:
    for path in ("/", "/portal", "/nothing"):
        answer = await browser.get(path)
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert "Dit is een testomgeving" in answer.text


async def test_plain_http_gets_no_answer(running: Running, browser: httpx.AsyncClient) -> None:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as plain:
        with pytest.raises(httpx.TransportError):
            await plain.get(running.settings.origin.replace("https", "http"))
