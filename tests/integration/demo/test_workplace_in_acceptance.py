"""The virtual workplace where several people visit: over TLS, a desk with cards of its own each; and never in production.

docs/decisions/0540-virtual-workplace.md; ALL-4.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.ports import ports_for_demo
from tests.scenarios.test_acceptance_tls import write_certificate
from tests.workplace_builders import DOCTOR, JORIS, SANNE, Person, Stage, patient_workplace, shared_stage

from cardkit.virtual import VirtualReader
from zorgid.app import build
from zorgid.demo.command import run
from zorgid.demo.running import additions_for
from zorgid.demo.workplace.app import create_workplace
from zorgid.demo.workplace.laying_out import BLANK_CARDS_EACH, desks_folder
from zorgid.settings import Settings, SettingsUnfit

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def whole_stage(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("acceptance")
    certificate, key = write_certificate(folder)
    (folder / "passphrase").write_text("a passphrase for the tests of acceptance")
    port = ports_for_demo()
    chosen = {
        "environment": "acceptance", "origin": f"https://localhost:{port}", "listen_port": port, "tls_certificate": certificate,
        "tls_key": key, "key_passphrase_file": folder / "passphrase", "seals_folder": folder / "seals",
    }  # fmt: skip
    trust = ssl.create_default_context(cafile=str(certificate))
    with patient_workplace():
        async with shared_stage(servers, tmp_path_factory, trust=trust, **chosen) as stage:
            yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole_stage: Stage) -> AsyncIterator[Stage]:
    yield whole_stage
    await whole_stage.workplace.desks.close()


async def make_card(person: Person, uzi: str, blank: str) -> None:
    await person.go_on(await person.show_card(await person.begin("make-card"), uzi))
    page = await person.until("geboortedatum", "Stop een lege")
    page = await person.answer(page)
    await person.answer(await person.insert(page, blank))
    await person.answer(await person.until("Bewaar uw pukcode"), "kept", kept="yes")
    await person.until("Uw Smartcard is klaar")


def desk_cards(stage: Stage) -> list[set[str]]:
    """The cards of every desk."""
    return [set(VirtualReader(folder).cards) for folder in desks_folder(stage.world).iterdir()]


async def test_two_visitors_make_a_card_at_once_each_with_cards_of_the_own(stage: Stage) -> None:
    """A doctor validates the organisation at a third desk; every blank card is one that the stock knows."""
    doctor, sanne, joris = stage.person(), stage.person(), stage.person()
    page = await doctor.show_card(await doctor.begin("validate-organisation"), DOCTOR)
    await doctor.submit(await doctor.go_on(page), "/portal/validate-organisation/confirm")
    await sanne.answer(await sanne.use_workplace(await sanne.begin("make-card")), "cancel")
    await make_card(joris, JORIS, "leeg-1")
    await make_card(sanne, SANNE, "leeg-1")
    active = await stage.rows("select number from card where state = 'active'")
    assert len(active) == 2
    desks = desk_cards(stage)
    assert len(desks) == 3
    assert all({"leeg-1", f"leeg-{BLANK_CARDS_EACH}", SANNE, JORIS, DOCTOR} <= cards for cards in desks)


async def test_no_page_speaks_of_names_that_only_an_app_in_a_terminal_needs(stage: Stage) -> None:
    """Cards of a desk are out of its reach, and so is this computer's folder."""
    person = stage.person()
    await person.sit_down()
    for address in (f"{stage.origin}/", f"{stage.desk}/"):
        page = await person.open(address)
        assert "Willemijn Johanna de Graaf" in page.text
        for word in ("Kaartnaam", DOCTOR, "zorgid-desktop", str(stage.world.cards_folder)):
            assert word not in page.text


async def test_the_desk_speaks_tls_and_its_cookies_are_for_this_host_only(stage: Stage) -> None:
    person = stage.person()
    assert stage.desk.startswith("https://localhost:")
    page = await person.sit_down()
    assert "alleen voor test-pincodes" in page.text
    cookies = person.cookies("localhost")
    assert "__Host-zid-desk" in cookies
    answer = await person.client.get(f"{stage.desk}/")
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_a_wrong_pin_at_one_desk_costs_nothing_at_another(stage: Stage) -> None:
    one, other = stage.person(), stage.person()
    page = await one.insert(await one.use_workplace(await one.begin("make-card")), SANNE)
    for _ in range(3):
        page = await one.answer(page, "typed", pin="999999")
    assert "geblokkeerd" in page.text
    page = await other.insert(await other.use_workplace(await other.begin("make-card")), SANNE)
    assert "Pogingen over: 3" in page.text
    page = await one.at_desk()
    assert "Testkaart" not in page.text


async def test_production_refuses_the_virtual_workplace_by_name(stage: Stage) -> None:
    """ALL-4: in the start of the platform, and in the workplace itself."""
    settings = stage.running.settings
    production = Settings.model_validate({**settings.model_dump(), "environment": "production"})
    with pytest.raises(SettingsUnfit, match="virtual workplace"):
        create_workplace(replace(stage.running.services, settings=production), stage.world)
    with pytest.raises(SettingsUnfit, match="virtual workplace"):
        async with build(production, additions_for(stage.world)):
            pass


async def test_the_demo_world_runs_in_acceptance_and_never_in_production(
    stage: Stage, tmp_path: Path
) -> None:
    """All that visitors reach is behind TLS, on the host of the platform."""
    settings, places = stage.running.settings, stage.world.places
    assert places.care_origin == f"https://localhost:{settings.listen_port + 2}"
    answer = await stage.person().client.get(f"{places.care_origin}/")
    assert answer.status_code == 200
    production = Settings.model_validate({**settings.model_dump(), "environment": "production"})
    for once in (True, False):
        with pytest.raises(SettingsUnfit, match="production refuses stand-ins: demo world"):
            await run(production, asyncio.Event(), once=once, report=None, keep_running=False)
    with pytest.raises(SettingsUnfit, match="for the demo only"):
        await run(settings, asyncio.Event(), once=True, report=None, keep_running=False)


async def test_without_the_demo_world_no_page_speaks_of_a_workplace(
    tmp_path: Path, database_url: str
) -> None:
    from tests.app_builders import demo_settings, platform
    from tests.portal_builders import browser_at

    async with platform(demo_settings(tmp_path, database_url), with_worker=False) as running:
        client = browser_at(running)
        page = await client.get("/portal/login", follow_redirects=True)
        assert "data-launch" in page.text
        assert "/open" not in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"]
        assert "form-action 'self' " not in page.headers["content-security-policy"]
        await client.aclose()
