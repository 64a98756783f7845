"""Every limit, once reached, answers 429 with a sentence and the seconds to wait, and the next minute is free again.

ALL-2; issue 2, "running it".
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.routing import Route
from tests.scenarios.attack_world import AttackWorld, attach_request, link_on, shared_world

from zorgid.kernel.secrets import Secret
from zorgid.protocol.messages import API, HandleRequest
from zorgid.web.desktop import reading
from zorgid.web.desktop import routes as desktop
from zorgid.web.limits import Limit
from zorgid.web.login import routes as login_pages
from zorgid.web.oidc import authorize, token
from zorgid.web.onboarding import routes as onboarding

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = HandleRequest(handle="A" * 22)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        yield world


async def begin(world: AttackWorld) -> httpx.Response:
    return await world.browser("203.0.113.1").client.get("/oauth/connect/authorize?client_id=x")


async def begin_by_post(world: AttackWorld) -> httpx.Response:
    return await world.browser("203.0.113.2").client.post("/oauth/connect/authorize", data={"client_id": "x"})


async def begin_making(world: AttackWorld) -> httpx.Response:
    browser = world.browser("203.0.113.3")
    page = await browser.open(f"{world.origin}/portal/make-card")
    fields = page.form("/portal/make-card").fields
    return await browser.client.post("/portal/make-card", data=fields, follow_redirects=False)


async def complete(world: AttackWorld) -> httpx.Response:
    return await world.browser("203.0.113.4").post_completion(Secret(bytes(16)), Secret(bytes(32)))


async def attach(world: AttackWorld) -> httpx.Response:
    link, app = link_on(await world.browser().begin_login()), world.app()
    return await app.send("/attach", attach_request(link, app.app_key))


async def ask_token(world: AttackWorld) -> httpx.Response:
    return await world.browser("203.0.113.5").client.post("/oauth/connect/token", data={"code": "x"})


PLACES: dict[Any, tuple[Any, str]] = {
    begin: (authorize, "BEGIN_PER_ADDRESS"),
    begin_by_post: (authorize, "BEGIN_PER_ADDRESS"),
    begin_making: (onboarding, "BEGIN_PER_ADDRESS"),
    complete: (login_pages, "COMPLETE_PER_ADDRESS"),
    attach: (desktop, "ATTACH_PER_ADDRESS"),
    ask_token: (token, "TOKEN_PER_ADDRESS"),
}


@pytest.mark.parametrize("ask", PLACES, ids=lambda ask: ask.__name__)
async def test_a_limit_that_is_reached_says_when_to_come_back(
    world: AttackWorld, monkeypatch: pytest.MonkeyPatch, ask: Any
) -> None:
    module, name = PLACES[ask]
    limit: Limit = getattr(module, name)
    monkeypatch.setattr(module, name, replace(limit, name=f"{limit.name} {ask.__name__}", most=3))
    for _ in range(3):
        assert (await ask(world)).status_code != 429
    async with world.nothing_changes():
        refused = await ask(world)
    require_sentence(refused)
    world.clock.advance(timedelta(seconds=int(refused.headers["Retry-After"])))
    assert (await ask(world)).status_code != 429
    assert (await ask(world)).status_code == 429


def require_sentence(refused: httpx.Response) -> None:
    """Hold that the answer says in Dutch or English what is wrong, and in a header when to come back."""
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    kind = refused.headers["content-type"].partition(";")[0]
    if kind == "application/problem+json":
        problem = refused.json()
        assert problem["code"] == "too-many-requests"
        assert problem["detail"]
        assert problem["next_step"]
        return
    if kind == "application/json":
        assert refused.json()["error"] == "temporarily_unavailable"
        assert " " in refused.json()["error_description"]
        return
    assert kind == "text/html"
    assert "te veel" in refused.text.lower() or "te vaak" in refused.text.lower()


async def test_every_address_of_the_app_is_limited(
    world: AttackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for requests that are refused for another reason."""
    app = world.app()
    paths = [route.path.removeprefix(API) for route in desktop.routes() if isinstance(route, Route)]
    for path in paths:
        limit = Limit(f"test of {path}", 1, timedelta(minutes=1), is_shared=False)
        monkeypatch.setattr(reading, "APP_PER_ADDRESS", limit)
        for name in ("ATTACH_PER_ADDRESS", "SESSION_PER_ADDRESS", "SESSION_END_PER_ADDRESS"):
            monkeypatch.setattr(desktop, name, limit)
        assert (await app.send(path, NOBODY)).status_code in {400, 401, 404}
        refused = await app.send(path, NOBODY)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests"), path


async def test_one_source_does_not_use_up_the_allowance_of_another(
    world: AttackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = replace(authorize.BEGIN_PER_ADDRESS, name="begin of sources", most=1)
    monkeypatch.setattr(authorize, "BEGIN_PER_ADDRESS", limit)
    address = "/oauth/connect/authorize?client_id=x"
    here, there = world.browser("203.0.113.8"), world.browser("203.0.113.9")
    assert (await here.client.get(address)).status_code == 400
    assert (await here.client.get(address)).status_code == 429
    forwarded = await here.client.get(address, headers={"X-Forwarded-For": "203.0.113.77"})
    assert forwarded.status_code == 429
    assert (await there.client.get(address)).status_code == 400


async def test_a_limit_of_the_database_counts_on_every_node(world: AttackWorld) -> None:
    """The shared ones; those of a node's memory guard that node only (docs/decisions/0120-limits.md)."""
    shared = {
        getattr(module, name).name for module, name in PLACES.values() if getattr(module, name).is_shared
    }
    assert shared == {"begin", "complete", "attach"}
