"""The platform lets no app in that is older than the operator wants, and says where a newer one is (INFO-5)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.scenarios.attack_world import App, AttackWorld, attach_request, link_on, shared_world

from zorgid.protocol.links import LaunchLink
from zorgid.protocol.messages import Problem
from zorgid_desktop import APP_VERSION

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEAST = "0.1.0"
assert LEAST == APP_VERSION, "the app of this project must get in"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory, least_app_version=LEAST) as world:
        yield world


async def attach(app: App, link: LaunchLink, version: str) -> Any:
    return await app.send(
        "/attach", attach_request(link, app.app_key).model_copy(update={"app_version": version})
    )


@pytest.mark.parametrize("version", ["0.0.9", "0.1.0-rc1", "0", "latest"])
async def test_an_app_that_is_too_old_is_refused_and_told_where_a_newer_one_is(
    world: AttackWorld, version: str
) -> None:
    link = link_on(await world.browser().begin_login())
    async with world.nothing_changes(("login-attached", "refused", "app-too-old")):
        answer = await attach(world.app(), link, version)
    assert answer.status_code == 426
    problem = Problem.model_validate_json(answer.content)
    assert problem.code == "app-too-old"
    assert problem.facts == {"version": version, "least": LEAST, "page": f"{world.origin}/app"}
    assert f"{world.origin}/app" in problem.next_step
    assert version in problem.detail


@pytest.mark.parametrize("version", [LEAST, "0.1.0+demo-1", "0.1.1", "10.0"])
async def test_an_app_that_is_new_enough_gets_in(world: AttackWorld, version: str) -> None:
    link = link_on(await world.browser().begin_login())
    assert (await attach(world.app(), link, version)).status_code == 200


async def test_after_an_old_app_a_newer_one_goes_on_with_the_same_login(world: AttackWorld) -> None:
    """Nothing was bound to the old app: who updates within five minutes need not begin again."""
    link = link_on(await world.browser().begin_login())
    assert (await attach(world.app(), link, "0.0.1")).status_code == 426
    assert (await attach(world.app(), link, LEAST)).status_code == 200
