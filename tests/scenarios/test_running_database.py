"""The database goes away under a running node: said in a sentence, nothing half-done, and back by itself (ALL-2, ALL-6)."""

import asyncio
import time
from collections.abc import AsyncIterator
from io import StringIO
from statistics import median
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from tests.scenarios.attack_world import EMPLOYEE, AttackWorld, link_on, shared_world

SOON_SECONDS = 3.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(
    servers: Any, tmp_path_factory: pytest.TempPathFactory, log: StringIO
) -> AsyncIterator[AttackWorld]:
    assert log is not None  # the log goes where it costs nothing, as in production
    async with shared_world(servers, tmp_path_factory) as world:
        yield world


async def cut_all(world: AttackWorld) -> int:
    """Terminate every connection to the database of the platform, as a restart of the server does."""
    url = world.running.settings.database_url
    assert url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(
            "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        ((cut,),) = await cursor.fetchall()
    return int(cut)


async def test_a_node_whose_connections_were_all_cut_serves_the_next_people(world: AttackWorld) -> None:
    browsers = [world.browser() for _ in range(8)]
    await asyncio.gather(*(browser.client.get("/portal/login") for browser in browsers))
    assert await cut_all(world) >= 2
    answers = await asyncio.gather(*(browser.begin_login() for browser in browsers))
    assert {page.status for page in answers} == {200}
    await world.log_in(world.card(EMPLOYEE))


async def test_a_request_whose_connection_is_cut_changes_nothing_and_can_be_asked_again(
    world: AttackWorld,
) -> None:
    """Whatever was answered, the login is either completed or can be completed; it is never in between."""
    for _ in range(5):
        browser = world.browser()
        link = link_on(await browser.begin_login())
        code = await world.app().prove(link, world.card(EMPLOYEE))
        answer, _ = await asyncio.gather(browser.post_completion(link.handle, code), cut_all(world))
        for _ in range(5):
            if answer.status_code == 500:
                assert answer.json()["reference"]
                answer = await browser.post_completion(link.handle, code)
        assert answer.status_code in {200, 403}  # 403: the commit was done, and only its answer was lost
        sessions = await world.rows(
            "select from audit_entry e join login_transaction t on e.subject_id = t.transaction_id::text "
            "where e.event = 'login-completed' and e.outcome = 'done' and t.handle_hash = %s",
            link.handle.digest(),
        )
        assert len(sessions) == 1


async def test_the_node_is_ready_again_soon_after_the_cut(world: AttackWorld) -> None:
    """Also with every connection of a full pool dead: all are replaced at once, and not after a pause for each.

    Most of the returns are soon: other work on this computer may hold up one or two of them.
    """
    took: list[float] = []
    for _ in range(5):
        await asyncio.gather(*(world.browser().begin_login() for _ in range(20)))
        await cut_all(world)
        took.append(await seconds_until_ready(world))
    assert median(took) < SOON_SECONDS, took


async def seconds_until_ready(world: AttackWorld) -> float:
    """Ask as a load balancer does, and return how long the node took."""
    began = time.monotonic()
    async with asyncio.timeout(60):
        while (await world.browser().client.get("/ready")).status_code != 200:  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.02)
    return time.monotonic() - began
