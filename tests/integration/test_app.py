"""The whole house, put together as `zorgid serve` does."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from tests.app_builders import demo_settings, platform
from tests.portal_builders import ORIGIN, browser_at, logged_in, small_world
from tests.register_builders import actor

import zorgid
from zorgid.app import Running
from zorgid.cards.actions import hold_card
from zorgid.cards.model import HoldReason
from zorgid.loops import outbox_handlers
from zorgid.opening import PLATFORM_KEYS, PlatformKeysMissing
from zorgid.settings import Settings, SettingsUnfit


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return demo_settings(tmp_path, database_url)


def visitor(running: Running) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(running.main), base_url=running.settings.origin)


async def test_a_started_platform_is_alive_and_ready(settings: Settings) -> None:
    async with platform(settings) as running, visitor(running) as client:
        assert (await client.get("/health")).json() == {"status": "alive"}
        ready = await client.get("/ready")
        assert ready.json() == {"status": "ready", "database": True, "keys": True, "listener": True}


async def test_a_platform_that_stops_is_alive_but_not_ready(settings: Settings) -> None:
    async with platform(settings) as running, visitor(running) as client:
        running.services.stopping.set()
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/ready")).status_code == 503


async def test_both_addresses_are_served_until_the_stop(settings: Settings) -> None:
    stop = asyncio.Event()
    async with platform(settings) as running:
        serving = asyncio.create_task(running.serve(stop))
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client, asyncio.timeout(60):
            while True:
                try:
                    metadata = await client.get(f"{settings.issuer}/.well-known/openid-configuration")
                    crl = await client.get(f"{settings.pki_origin}/crl/smartcard.crl")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
        stop.set()
        await serving
    assert metadata.json()["issuer"] == settings.issuer
    assert x509.load_der_x509_crl(crl.content).issuer == running.hierarchy.smartcard.certificate.subject


async def test_a_second_start_finds_what_the_first_made(settings: Settings) -> None:
    async with platform(settings) as first:
        root = first.hierarchy.root.certificate
    async with platform(settings) as second:
        assert second.hierarchy.root.certificate == root


async def test_two_nodes_run_on_one_database(settings: Settings) -> None:
    async with platform(settings) as one, platform(settings) as two, visitor(one) as a, visitor(two) as b:
        path = "/oauth/.well-known/openid-configuration/jwks"
        assert (await a.get(path)).json() == (await b.get(path)).json()


EMITTED = re.compile(r'\b(?:emit|tell)\(\s*work,\s*"([a-z-]+)"')
CHANGED = re.compile(r'^CHANGED: Final = "([a-z-]+)"', re.MULTILINE)


def test_every_event_that_is_emitted_is_known_to_the_dispatcher() -> None:
    """An event that nobody knows would wait for ever."""
    sources = [source.read_text("utf-8") for source in Path(zorgid.__path__[0]).rglob("*.py")]
    emitted = {
        name for source in sources for pattern in (EMITTED, CHANGED) for name in pattern.findall(source)
    }
    assert emitted == set(outbox_handlers(None, None, None, None))


async def test_a_login_at_one_node_counts_at_another_until_its_means_is_held(settings: Settings) -> None:
    """LIFE-3, LOGIN-10: what counts stands in the database."""
    async with platform(settings) as one, platform(settings) as two:
        world = await small_world(one)
        at_one = await logged_in(one, world.holder)
        at_two = browser_at(two)
        at_two.cookies.set("zid-portal", at_one.cookies["zid-portal"])
        assert world.card.number in (await at_two.get("/portal/cards")).text
        async with one.services.database.work(ORIGIN) as work:
            await work.connection.execute(
                "update session set means_kind = 'smartcard', means_reference = %s", (str(world.card.id),)
            )
        async with one.services.database.work(ORIGIN) as work:
            await hold_card(work, card_id=world.card.id, reason=HoldReason.lost, by=actor(world.holder))
        assert (await at_two.get("/portal/cards")).status_code == 303


async def test_without_its_keys_the_platform_does_not_start(settings: Settings) -> None:
    with pytest.raises(PlatformKeysMissing, match="audit-entries"):
        async with platform(settings, makes_what_is_missing=False):
            pass


async def test_production_refuses_keys_in_files_by_name(tmp_path: Path, database_url: str) -> None:
    """docs/operator.md, environments."""
    (tmp_path / "passphrase").write_text("a passphrase for the tests")
    settings = demo_settings(
        tmp_path, database_url, environment="production", origin="https://zorg.example",
        trusted_proxies={"127.0.0.1"}, key_passphrase_file=tmp_path / "passphrase", seals_folder=tmp_path / "seals",
    )  # fmt: skip
    with pytest.raises(SettingsUnfit, match="production refuses stand-ins"):
        async with platform(settings):
            pass


async def test_the_passphrase_of_a_demo_is_for_its_owner_only(settings: Settings) -> None:
    async with platform(settings):
        pass
    assert (settings.data_folder / "key-passphrase").stat().st_mode & 0o777 == 0o600
    assert PLATFORM_KEYS


async def test_every_page_of_the_house_has_a_route_that_answers_without_a_fault(settings: Settings) -> None:
    """No route breaks for somebody who is not logged in."""
    async with platform(settings) as running, visitor(running) as client:
        for path in (
            "/",
            "/portal",
            "/portal/cards",
            "/portal/cards/XXXX",
            "/portal/make-card",
            "/oauth/complete",
        ):
            answer = await client.get(path)
            assert answer.status_code < 500, path
