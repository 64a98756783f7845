"""Each limit of a login that is reached answers 429 with a sentence and the seconds to wait (issue 2, item 10)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.scenarios.attack_world import EMPLOYEE, TEST, AttackWorld, link_on, shared_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        yield world


async def use_up(world: AttackWorld) -> None:
    """Use up every allowance that somebody drew on so far."""
    async with world.running.services.database.work(TEST) as work:
        await work.connection.execute("update limit_use set full_at = %s + interval '1 hour'", (work.now,))


async def test_attaching_and_completing_too_often_is_told_when_to_come_back(world: AttackWorld) -> None:
    browser, app = world.browser(), world.app()
    link = link_on(await browser.begin_login())
    code = await app.prove(link, world.card(EMPLOYEE))
    assert (await browser.post_completion(link.handle, code)).status_code == 200
    await use_up(world)
    for answer in (await app.try_attach(link), await browser.post_completion(link.handle, code)):
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["detail"]
