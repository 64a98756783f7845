"""The card of a login is pulled: its app ends its session, and nobody else can (LOGIN-7, LOGIN-10)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import httpx
import pytest
import pytest_asyncio
from tests.scenarios.attack_world import (
    COLLEAGUE,
    EMPLOYEE,
    App,
    AttackWorld,
    Browser,
    link_on,
    shared_world,
)

from zorgid.kernel.secrets import Secret
from zorgid.login import sessions
from zorgid.protocol.links import LaunchLink
from zorgid.protocol.messages import HandleRequest, SessionReply, SessionState
from zorgid.web.desktop import routes

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        await world.register_organisation()
        yield world


class Workplace:
    """One browser and one app, with the login that both did together."""

    def __init__(self, world: AttackWorld) -> None:
        self.world = world
        self.browser: Browser = world.browser()
        self.app: App = world.app()
        self.link: LaunchLink

    async def log_in(self, label: str = EMPLOYEE) -> "Workplace":
        self.link = link_on(await self.browser.begin_login())
        code = await self.app.prove(self.link, self.world.card(label))
        answer = await self.browser.post_completion(self.link.handle, code)
        assert answer.status_code == 200
        await self.browser.open(f"{self.world.origin}{answer.json()['next']}")
        assert await self.browser.is_logged_in()
        return self

    async def ask(self, path: str, *, by: App | None = None, **signing: Any) -> httpx.Response:
        request = HandleRequest(handle=self.link.handle.text_for_wire())
        return await (by or self.app).send(path, request, **signing)

    async def state(self) -> SessionState:
        answer = await self.ask("/session")
        return SessionReply.model_validate_json(answer.content).state

    async def pull(self) -> httpx.Response:
        return await self.ask("/session/end")


async def end_of(place: Workplace) -> str | None:
    """Why the session of a login ended, as the table of sessions says."""
    query = (
        "select s.end_reason from session s join login_transaction t using (transaction_id) "
        "where t.handle_hash = %s"
    )
    (row,) = await place.world.rows(query, place.link.handle.digest())
    return row["end_reason"]


async def ends_in_log(world: AttackWorld) -> list[dict[str, Any]]:
    query = (
        "select actor_kind, actor_reference, facts from audit_entry "
        "where event = 'session-ended' and outcome = 'done' order by xact, id"
    )
    return await world.rows(query)


async def test_the_card_is_pulled_and_its_session_ends_at_once(world: AttackWorld) -> None:
    place = await Workplace(world).log_in()
    assert await place.state() is SessionState.alive
    with mock.patch.object(sessions, "emit", wraps=sessions.emit) as emitted:
        answer = await place.pull()
    assert SessionReply.model_validate_json(answer.content).state is SessionState.ended
    assert not await place.browser.is_logged_in()
    assert await place.state() is SessionState.ended
    assert await end_of(place) == "card-out"
    last = (await ends_in_log(world))[-1]
    assert (last["actor_kind"], last["actor_reference"]) == ("app", place.app.app_key.thumbprint())
    assert last["facts"] == {"reason": "card-out"}
    (event,) = emitted.await_args_list
    assert event.args[1] == "session-ended"


async def test_however_often_apps_of_one_address_ask_a_pull_is_still_heard(
    world: AttackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large hospital has one address (LOGIN-10)."""
    place = await Workplace(world).log_in()
    once = replace(routes.SESSION_PER_ADDRESS, name="session, once", most=1)
    monkeypatch.setattr(routes, "SESSION_PER_ADDRESS", once)
    answers = [(await place.ask("/session")).status_code for _ in range(2)]
    assert answers[-1] == 429
    assert (await place.pull()).status_code == 200
    assert await end_of(place) == "card-out"


async def test_the_grants_of_the_session_end_with_it(world: AttackWorld) -> None:
    """No new token comes by single sign-on, nor by what was granted before."""
    place = await Workplace(world).log_in()
    await place.pull()
    query = (
        "select g.revoked_because from oidc_grant g join session s on s.sid = g.sid "
        "join login_transaction t using (transaction_id) where t.handle_hash = %s"
    )
    found = await world.rows(query, place.link.handle.digest())
    assert {row["revoked_because"] for row in found} == {"session-ended"}
    page = await place.browser.open(f"{world.origin}/portal/login")
    assert link_on(page)


async def test_a_session_that_was_not_used_for_a_while_is_ended_too(world: AttackWorld) -> None:
    """Care applications hear of it: theirs may be in use."""
    place = await Workplace(world).log_in()
    world.clock.advance(timedelta(minutes=20))
    assert await place.state() is SessionState.alive
    assert not await place.browser.is_logged_in()  # asking after it was no use of it
    await place.pull()
    assert await end_of(place) == "card-out"


async def test_after_ten_hours_there_is_nothing_to_watch(world: AttackWorld) -> None:
    place = await Workplace(world).log_in()
    world.clock.advance(timedelta(hours=10))
    assert await place.state() is SessionState.ended


async def test_a_pull_that_is_told_again_changes_nothing_more(world: AttackWorld) -> None:
    """ALL-8: the answer was lost, or the app tells it anew."""
    place = await Workplace(world).log_in()
    await place.pull()
    length = len(await ends_in_log(world))
    for signing in ({"counter": place.app.counter}, {}):
        answer = await place.ask("/session/end", **signing)
        assert SessionReply.model_validate_json(answer.content).state is SessionState.ended
    assert len(await ends_in_log(world)) == length
    assert await end_of(place) == "card-out"


async def test_a_pull_after_logging_out_leaves_the_session_as_it_ended(world: AttackWorld) -> None:
    place = await Workplace(world).log_in()
    page = await place.browser.open(f"{world.origin}/portal/cards")
    await place.browser.submit(page, "/portal/logout")
    reason = await end_of(place)
    assert reason == "logged-out"
    length = len(await ends_in_log(world))
    assert await place.state() is SessionState.ended
    assert (await place.pull()).status_code == 200
    assert await end_of(place) == reason
    assert len(await ends_in_log(world)) == length


async def test_only_the_session_of_this_login_ends(world: AttackWorld) -> None:
    """The same person at two workplaces, and a colleague."""
    here, there = await Workplace(world).log_in(), await Workplace(world).log_in()
    colleague = await Workplace(world).log_in(COLLEAGUE)
    await here.pull()
    assert not await here.browser.is_logged_in()
    assert await there.browser.is_logged_in()
    assert await colleague.browser.is_logged_in()


async def test_a_pull_after_somebody_else_logged_in_here_does_not_end_the_newer_session(
    world: AttackWorld,
) -> None:
    first = await Workplace(world).log_in()
    world.clock.advance(timedelta(minutes=20))  # idle, so that the browser asks for a card again
    second = Workplace(world)
    second.browser = first.browser
    await second.log_in(COLLEAGUE)
    assert await first.state() is SessionState.ended
    await first.pull()
    assert await second.browser.is_logged_in()


@pytest.mark.parametrize("path", ["/session", "/session/end"])
async def test_another_app_learns_nothing_and_ends_nothing(world: AttackWorld, path: str) -> None:
    """Whoever saw the launch link has the handle, but not the key that attached."""
    place = await Workplace(world).log_in()
    stranger = world.app()
    assert (await place.ask(path, by=stranger)).json()["code"] == "app-signature-wrong"
    assert await place.browser.is_logged_in()


@pytest.mark.parametrize("path", ["/session", "/session/end"])
async def test_an_app_reaches_no_session_but_that_of_its_own_login(world: AttackWorld, path: str) -> None:
    mine, theirs = await Workplace(world).log_in(), await Workplace(world).log_in(COLLEAGUE)
    assert (await theirs.ask(path, by=mine.app)).json()["code"] == "app-signature-wrong"
    assert await theirs.browser.is_logged_in()


async def test_a_replayed_or_altered_request_is_refused(world: AttackWorld) -> None:
    place = await Workplace(world).log_in()
    await place.state()
    used = place.app.counter
    assert (await place.ask("/session/end", counter=used)).json()["code"] == "app-request-replayed"
    for signing in (
        {"signed_path": "/session"},
        {"signed_origin": "https://evil.example"},
        {"signed_body": b"{}"},
    ):
        assert (await place.ask("/session/end", **signing)).json()["code"] == "app-signature-wrong"
    assert await place.browser.is_logged_in()


@pytest.mark.parametrize("path", ["/session", "/session/end"])
async def test_a_login_that_is_not_completed_has_no_session(world: AttackWorld, path: str) -> None:
    place = Workplace(world)
    place.link = link_on(await place.browser.begin_login())
    await place.app.prove(place.link, world.card(EMPLOYEE))
    assert (await place.ask(path)).json()["code"] == "login-not-open"


@pytest.mark.parametrize("path", ["/session", "/session/end"])
async def test_a_proof_for_another_purpose_has_no_session(world: AttackWorld, path: str) -> None:
    place = Workplace(world)
    place.link = link_on(await place.browser.begin("make-card"))
    code = await place.app.prove(place.link, world.card(EMPLOYEE))
    assert (await place.browser.post_completion(place.link.handle, code)).status_code == 200
    assert (await place.ask(path)).json()["code"] == "login-not-open"


@pytest.mark.parametrize("path", ["/session", "/session/end"])
async def test_an_invented_handle_is_refused(world: AttackWorld, path: str) -> None:
    place = await Workplace(world).log_in()
    place.link = replace(place.link, handle=Secret(bytes(16)))
    assert (await place.ask(path)).json()["code"] == "login-unknown"
