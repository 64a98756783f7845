"""The log names who acted in a browser: the person who proved it, else whoever sat there, never the platform (AUD-1)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.scenarios.attack_world import DOCTOR, EMPLOYEE, AttackWorld, link_on, shared_world

from zorgid.kernel.secrets import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOEVER = {"actor_kind": "person", "actor_reference": "browser", "actor_person_id": None}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        yield world


async def last(world: AttackWorld, event: str, outcome: str) -> dict[str, Any]:
    """Return who stands as actor in the newest entry of an event."""
    rows = await world.rows(
        "select actor_kind, actor_reference, actor_person_id from audit_entry"
        " where event = %s and outcome = %s order by at desc, xact desc, id desc limit 1",
        event,
        outcome,
    )
    (row,) = rows
    return row


async def test_who_breaks_a_login_off_in_the_browser_is_whoever_sits_there(world: AttackWorld) -> None:
    browser = world.browser()
    page = await browser.begin_login()
    await browser.submit(page, "/oauth/account/login/cancel")
    assert await last(world, "login-cancelled", "done") == WHOEVER


async def test_a_refused_completion_is_whoever_shows_the_code(world: AttackWorld) -> None:
    """Before a proof came home the browser is nobody's in particular."""
    browser = world.browser()
    link = link_on(await browser.begin_login())
    await world.app().prove(link, world.card(EMPLOYEE))
    assert (await browser.post_completion(link.handle, Secret(bytes(32)))).status_code == 403
    assert await last(world, "login-completed", "refused") == WHOEVER


async def test_the_door_of_the_portal_is_opened_by_whoever_sits_there(world: AttackWorld) -> None:
    await world.browser().begin("make-card")
    assert await last(world, "login-begun", "done") == WHOEVER


async def test_a_refused_confirmation_names_the_person_who_proved_it(world: AttackWorld) -> None:
    browser = world.browser()
    link = link_on(await browser.begin("validate-organisation"))
    code = await world.app().prove(link, world.card(DOCTOR))
    answer = await browser.post_completion(link.handle, code)
    page = await browser.open(f"{world.origin}{answer.json()['next']}")
    world.clock.advance(timedelta(minutes=10))
    assert (await browser.submit(page, "/portal/validate-organisation/confirm")).status == 409
    (completed,) = await world.rows(
        "select person_id from login_transaction where handle_hash = %s", link.handle.digest()
    )
    refused = await last(world, "organisation-validated", "refused")
    assert completed["person_id"] is not None
    assert (refused["actor_kind"], refused["actor_person_id"]) == ("person", completed["person_id"])
