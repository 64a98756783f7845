"""Nodes that stop or are killed under load: requests finish, nothing is half-done, and whoever waited goes on.

ALL-6, ALL-8, AUD-1; issue 2, "what must be seen". The nodes are real processes on one database.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

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
from tests.scenarios.nodes import (
    Balancer,
    FrontInThread,
    Node,
    audit_verify,
    kill_after,
    nodes_of,
    with_front,
)

from cardkit.virtual import VirtualReaders
from zorgid.demo.visitor import WalkStopped
from zorgid.kernel.clock import system_clock
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import parse_link
from zorgid.protocol.messages import IssuanceView
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.server import Platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEOPLE = (EMPLOYEE, COLLEAGUE, "lange-naam", "medewerker-lelietje")
LOGINS_BEFORE, LOGINS_AFTER = 6, 6


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory, clock=system_clock) as world:
        await world.register_organisation()
        yield world


class Load:
    """People who log in again and again; whoever meets a broken answer begins anew, as people do."""

    def __init__(self, world: AttackWorld, balancer: Balancer) -> None:
        self.done = 0
        self.broken: list[str] = []
        self._world = world
        self._balancer = balancer
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        tasks = [asyncio.create_task(self._log_in_again_and_again(label)) for label in PEOPLE]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(one) for one in ended} == {asyncio.CancelledError}, ended

    async def until(self, more: int) -> None:
        """Wait until so many more logins are done."""
        wanted = self.done + more
        async with asyncio.timeout(60):
            while self.done < wanted:
                self._changed.clear()
                await self._changed.wait()

    async def _log_in_again_and_again(self, label: str) -> None:
        while True:
            try:
                await self._log_in(label)
            except httpx.TransportError as error:
                self.broken.append(f"{type(error).__name__} of {label}")
            else:
                self.done += 1
            self._changed.set()

    async def _log_in(self, label: str) -> None:
        world = self._world
        browser, app = Browser(world.running), App(httpx.AsyncClient(base_url=world.origin), world.origin)
        async with with_front(browser.client, self._balancer), with_front(app.client, self._balancer):
            link = link_on(await browser.begin_login())
            code = await app.prove(link, world.card(label))
            answer = await browser.post_completion(link.handle, code)
            if answer.status_code != 200:
                raise WalkStopped(answer.text)
            await browser.open(f"{world.origin}{answer.json()['next']}")
            if not await browser.is_logged_in():
                raise WalkStopped("the portal does not know this browser")


async def require_nothing_half_done(world: AttackWorld) -> None:
    """Hold that every act stands whole in the tables and in the log, and none of it twice."""
    events = Counter(
        (row["subject_id"], row["event"])
        for row in await world.rows("select subject_id, event from audit_entry where outcome = 'done'")
    )
    steps = {"new": 1, "attached": 2, "proved": 3, "completed": 4}
    names = ("login-begun", "login-attached", "login-proved", "login-completed")
    for row in await world.rows("select transaction_id, state from login_transaction"):
        told = [events[str(row["transaction_id"]), name] for name in names]
        taken = steps.get(row["state"])
        assert taken is None or told == [1] * taken + [0] * (4 - taken), (row, told)
    completed = await world.rows(
        "select from login_transaction where purpose = 'login' and state = 'completed'"
    )
    sessions = await world.rows("select session_id from session")
    assert len(sessions) == len(completed)
    assert all(events[str(row["session_id"]), "session-begun"] == 1 for row in sessions)
    codes = await world.rows(
        "select used_at, (select count(*) from oidc_token t where t.grant_id = c.grant_id) as tokens from oidc_code c"
    )
    assert all(row["tokens"] == (row["used_at"] is not None) for row in codes)
    issued = Counter(name for (_, name), count in events.items() for _ in range(count))
    assert issued["code-issued"] == len(codes)
    assert issued["tokens-issued"] == len([row for row in codes if row["used_at"]])
    assert issued.get("code-replayed", 0) == 0
    good = "select from ca_certificate c join card on card.id = c.card_id where c.status = 'good' and card.state <> 'active'"
    assert await world.rows(good) == []
    code, said = await audit_verify(world)
    assert code == 0, said


async def test_a_node_that_is_told_to_stop_under_load_finishes_what_it_began(world: AttackWorld) -> None:
    """SIGTERM: every request that was under way is answered, exit 0, and the other node does the rest."""
    async with nodes_of(world, "one", "two") as (one, two):
        balancer = Balancer([one, two])
        async with Load(world, balancer).running() as load:
            await load.until(LOGINS_BEFORE)
            assert await one.end(signal.SIGTERM) == 0, one.errors
            await load.until(LOGINS_AFTER)
        assert one.begun == balancer.answered["one"] > 0
        assert {name for _, name, _ in balancer.lost} <= {"one"}
        assert len(balancer.lost) <= len(PEOPLE)  # connections that had not said what they want
        assert one.faults + two.faults == []
    await require_nothing_half_done(world)


async def test_a_node_that_is_killed_under_load_leaves_nothing_half_done(world: AttackWorld) -> None:
    """kill -9: who was in the middle of a request begins anew at the other node, and every act is whole or not there."""
    async with nodes_of(world, "one", "two") as (one, two):
        balancer = Balancer([one, two])
        async with Load(world, balancer).running() as load:
            await load.until(LOGINS_BEFORE)
            assert await one.end(signal.SIGKILL) == -signal.SIGKILL
            await load.until(LOGINS_AFTER)
        assert {name for _, name, _ in balancer.lost} <= {"one"}
        assert len(load.broken) <= len(PEOPLE)
        assert two.faults == []
    await require_nothing_half_done(world)


STRUCK = {
    "/desktop/v1/prove": "leeg-1",
    "/desktop/v1/issuance/blank-card": "leeg-2",
    "/desktop/v1/issuance/certificates": "leeg-3",
    "/desktop/v1/issuance/prove": "leeg-4",
}
"""The request in the middle of which the node is killed, and the blank card that is made then."""


@pytest.mark.parametrize(("path", "blank"), [*STRUCK.items()])
async def test_a_making_goes_on_when_its_node_is_killed_in_the_middle_of_a_request(
    world: AttackWorld, path: str, blank: str
) -> None:
    """CARD-9: the app asks again, the other node answers; at the end there is one good card and nothing else."""
    async with nodes_of(world, "one", "two") as (one, two):
        killed: list[str] = []

        def strike(asked: str, node: Node) -> None:
            if asked == path and not killed:
                assert node is one
                killed.append(asked)
                kill_after(one, 0.004)

        view = await make(world, Balancer([one, two], choose=lambda nodes: nodes[0]), blank, strike)
        assert killed == [path]
        assert not one.is_running or await one.process.wait() == -signal.SIGKILL
        assert view.card_number
    (card,) = await world.rows(
        "select c.state, array_agg(k.status::text) as statuses from card c join ca_certificate k on k.card_id = c.id "
        "where c.number = %s and c.state = 'active' group by c.id",
        view.card_number,
    )
    assert card == {"state": "active", "statuses": ["good"] * 3}
    await require_nothing_half_done(world)


async def make(world: AttackWorld, balancer: Balancer, blank: str, strike: Any) -> IssuanceView:
    """Make a card with the Desktop App's own flow through the balancer."""
    browser, loop = Browser(world.running), asyncio.get_running_loop()
    person = world.maker(COLLEAGUE, blank)
    async with with_front(browser.client, balancer):
        page = await browser.begin("make-card")

        def open_browser(address: str, _: object) -> None:
            asyncio.run_coroutine_threadsafe(browser.complete(address), loop).result(60)

        def run() -> IssuanceView:
            with Platform(
                world.origin, language=Language.nl, transport=FrontInThread(balancer, strike)
            ) as platform:
                around = Surroundings(
                    platform, VirtualReaders(world.world.reader), open_browser, system_clock
                )
                log_in(around, person, parse_link(page.launch_link))
                return make_card(around, person, parse_link(page.launch_link))

        return await asyncio.to_thread(run)
