"""Two nodes on one database: every step may be done by either, and what one does the other knows at once.

ALL-6, LIFE-3, LOGIN-10; docs/architecture.md, how an act happens.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Self

import httpx
import pytest
import pytest_asyncio
from cryptography.x509 import ocsp
from tests.scenarios.attack_world import (
    COLLEAGUE,
    DOCTOR,
    EMPLOYEE,
    TEST,
    AttackWorld,
    Browser,
    link_on,
    shared_world,
)

from zorgid.app import Running, build
from zorgid.audit.model import Actor, ActorKind
from zorgid.cards import actions as cards
from zorgid.cards.model import HoldReason
from zorgid.pki.status import build_ocsp_request
from zorgid.protocol.messages import HandleRequest, StateReply, StateRequest, TransactionState

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE_SECONDS = 1.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        await world.require_smartcard()
        yield world


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def other(world: AttackWorld) -> AsyncIterator[Running]:
    """A second node with the same settings, keys and database."""
    settings = world.running.settings.model_copy(update={"node": "other-node"})
    async with build(settings, world.additions, clock=world.clock, with_worker=False) as running:
        yield running


@pytest.fixture
def balanced(world: AttackWorld, other: Running) -> Any:
    """Let every request go to the other node than the one before it."""
    turns = itertools.cycle((world.running.main, other.main))

    async def in_front(scope: Any, receive: Any, send: Any) -> None:
        await next(turns)(scope, receive, send)

    world.in_front = in_front
    yield
    world.in_front = None


@asynccontextmanager
async def at(world: AttackWorld, node: Running) -> AsyncIterator[None]:
    """Let all requests go to one node."""
    world.in_front = node.main
    try:
        yield
    finally:
        world.in_front = None


@pytest.mark.parametrize("first", [0, 1])
async def test_a_login_goes_from_node_to_node_at_every_request(
    world: AttackWorld, balanced: None, first: int
) -> None:
    if first:
        await world.browser().client.get("/health")
    browser = await world.log_in(world.card(EMPLOYEE))
    for _ in range(4):
        assert await browser.is_logged_in()
    events = await world.rows("select event, node from audit_entry where event like 'login-%%'")
    assert {row["node"] for row in events} == {"test-node", "other-node"}


async def test_attach_on_one_and_complete_on_the_other(world: AttackWorld, other: Running) -> None:
    """The app reaches one node and the browser the other."""
    async with at(world, other):
        app = world.app()
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await app.prove(link, world.card(EMPLOYEE))
    answer = await browser.post_completion(link.handle, code)
    assert answer.status_code == 200
    async with at(world, other):
        elsewhere = world.browser()
    elsewhere.client.cookies = browser.client.cookies
    again = await elsewhere.post_completion(link.handle, code)
    assert again.status_code == 403


async def test_one_code_at_two_nodes_at_once_is_used_once(world: AttackWorld, other: Running) -> None:
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    async with at(world, other):
        elsewhere = world.browser()
    elsewhere.client.cookies = browser.client.cookies
    both = (browser, elsewhere, browser, elsewhere)
    answers = await asyncio.gather(*(one.post_completion(link.handle, code) for one in both))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]


async def test_two_apps_at_two_nodes_at_once_end_the_login(world: AttackWorld, other: Running) -> None:
    for _ in range(5):
        link = link_on(await world.browser().begin_login())
        async with at(world, other):
            there = world.app()
        answers = await asyncio.gather(world.app().try_attach(link), there.try_attach(link))
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_card_is_made_with_every_request_at_the_other_node(
    world: AttackWorld, balanced: None
) -> None:
    view = await world.make(COLLEAGUE, blank="leeg-2")
    assert view.chip_serial == "20000002"
    await world.log_in(world.key_on("leeg-2"))


# What one node does, the other knows


async def ocsp_at(node: Running, world: AttackWorld, blank: str) -> str:
    """What a node answers about the authentication certificate of a card."""
    certificate, issuer = world.key_on(blank).certificate, world.running.hierarchy.smartcard.certificate
    transport = httpx.ASGITransport(node.pki)
    async with httpx.AsyncClient(transport=transport, base_url="http://pki.example") as client:
        headers = {"Content-Type": "application/ocsp-request"}
        request = build_ocsp_request(certificate, issuer, nonce=None)
        answer = await client.post("/ocsp", content=request, headers=headers)
    return ocsp.load_der_ocsp_response(answer.content).certificate_status.name


async def follows(node: Running, world: AttackWorld, wanted: str, changed_at: float) -> None:
    """Hold that a node gives the wanted answer to whoever asks a second after a change, or sooner.

    The second is counted to the moment of asking: how long an answer takes says how busy this computer is.
    """
    while True:
        asked_at = time.monotonic()
        told = await ocsp_at(node, world, "leeg-1")
        if told == wanted:
            return
        assert asked_at - changed_at < AT_ONCE_SECONDS, told
        await asyncio.sleep(0.01)


async def hold(node: Running, world: AttackWorld) -> Any:
    """Hold the employee's card at a node; returns what releases it."""
    (card,) = await world.rows(
        "select id, holder_id from card where chip_serial = '20000001' and state = 'active'"
    )
    holder = Actor(ActorKind.person, person_id=card["holder_id"], means="uzi-card")
    async with node.services.database.work(TEST) as work:
        await cards.hold_card(work, card_id=card["id"], reason=HoldReason.lost, by=holder)
        (found,) = await cards.holds_of(work, card["id"])
    return partial(cards.release_hold, hold_id=found.id, by=holder)


async def release(node: Running, held: Any) -> None:
    async with node.services.database.work(TEST) as work:
        await held(work)


LISTENERS = (
    "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
    "and (query ilike 'listen %%' or query = 'select 1')"
)


async def cut_listeners(world: AttackWorld) -> set[int]:
    """Terminate every connection on which a node listens, and return which those were."""
    rows = await world.rows(f"select pid, pg_terminate_backend(pid) {LISTENERS}")
    return {row["pid"] for row in rows}


async def both_listen(world: AttackWorld, other: Running, *, besides: Collection[int] = ()) -> set[int]:
    """Wait until both nodes listen, on connections of which none is in `besides`; return those."""
    async with asyncio.timeout(60):
        while True:
            now = {row["pid"] for row in await world.rows(f"select pid {LISTENERS}")}
            if len(now) == 2 and not now & set(besides):
                break
            await asyncio.sleep(0.01)
        for node in (world.running, other):
            while not node.services.is_listening():  # noqa: ASYNC110 - the listener cannot tell
                await asyncio.sleep(0.01)
    return now


@pytest.mark.parametrize("cut", [False, True], ids=["listening", "cut"])
async def test_a_hold_on_one_node_is_in_the_answers_of_the_other_within_a_second(
    world: AttackWorld, other: Running, cut: bool
) -> None:
    """LIFE-3: with the answers warm in the memory of both nodes; also when nobody hears anything."""
    listeners = await both_listen(world, other)
    for node in (world.running, other):
        await follows(node, world, "GOOD", time.monotonic())
    if cut:
        assert await cut_listeners(world) == listeners
    held = await hold(world.running, world)
    held_at = time.monotonic()
    for node in (other, world.running):
        await follows(node, world, "REVOKED", held_at)
    await release(other, held)
    released_at = time.monotonic()
    for node in (world.running, other):
        await follows(node, world, "GOOD", released_at)


async def test_a_listener_that_was_cut_comes_back(world: AttackWorld, other: Running) -> None:
    await both_listen(world, other)
    former = await cut_listeners(world)
    await both_listen(world, other, besides=former)
    async with at(world, other):
        assert (await world.browser().client.get("/ready")).status_code == 200


async def test_a_session_ends_at_both_nodes_with_the_hold(world: AttackWorld, other: Running) -> None:
    """LOGIN-10: in the same transaction, so no node shows another page after it."""
    here = await world.log_in(world.key_on("leeg-1"))
    async with at(world, other):
        there = world.browser()
    there.client.cookies = here.client.cookies
    assert await there.is_logged_in()
    held = await hold(world.running, world)
    assert not await there.is_logged_in()
    assert not await here.is_logged_in()
    await release(world.running, held)
    assert not await there.is_logged_in()


async def test_logging_out_at_one_node_logs_out_at_the_other(world: AttackWorld, other: Running) -> None:
    here = await world.log_in(world.card(DOCTOR))
    async with at(world, other):
        there = world.browser()
    there.client.cookies = here.client.cookies
    page = await there.open(f"{world.origin}/portal/cards")
    await there.submit(page, "/portal/logout")
    thief = world.browser()
    thief.client.cookies = here.client.cookies
    assert not await here.is_logged_in()


# Who waits at one node is woken by the other


class Stream:
    """An event stream that a browser has open at a node."""

    def __init__(self, node: Running, browser: Browser) -> None:
        self.text = ""
        self._changed = asyncio.Event()
        cookies = "; ".join(f"{one.name}={one.value}" for one in browser.client.cookies.jar)
        host = browser.origin.partition("//")[2]
        self._scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/oauth/account/login/events", "raw_path": b"/oauth/account/login/events", "query_string": b"",
            "headers": [(b"host", host.encode()), (b"cookie", cookies.encode())], "client": ("192.0.2.7", 1), "server": None,
        }  # fmt: skip
        self._node = node

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._node.main(self._scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _receive(self) -> Any:
        await asyncio.Event().wait()

    async def _send(self, message: Any) -> None:
        self.text += message.get("body", b"").decode()
        self._changed.set()

    async def until(self, text: str) -> None:
        """Wait until the stream has told something; who was not woken tells nothing for five minutes."""
        async with asyncio.timeout(60):
            while text not in self.text:
                self._changed.clear()
                await self._changed.wait()


@pytest.mark.parametrize("cut", [False, True], ids=["listening", "cut"])
async def test_a_waiting_page_is_woken_by_what_happens_at_the_other_node(
    world: AttackWorld, other: Running, cut: bool
) -> None:
    """State by state, and nothing else (docs/desktop-protocol.md, chapter 6)."""
    browser, app = world.browser(), world.app()
    link = link_on(await browser.begin_login())
    listeners = await both_listen(world, other)
    async with Stream(other, browser) as stream:
        await stream.until("data: new")
        if cut:
            assert await cut_listeners(world) == listeners
        reply = await app.attach(link)
        assert reply
        await stream.until("data: attached")
        code = await app.prove(link, world.card(EMPLOYEE))
        await stream.until("data: proved")
        await browser.post_completion(link.handle, code)
        await stream.until("data: completed")
    states = [line.removeprefix("data: ") for line in stream.text.splitlines() if line.startswith("data: ")]
    assert states == ["new", "attached", "proved", "completed"]
    assert code.text_for_wire() not in stream.text


async def test_an_app_that_waits_at_one_node_hears_of_the_completion_at_the_other(
    world: AttackWorld, other: Running
) -> None:
    async with at(world, other):
        app = world.app()
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await app.prove(link, world.card(EMPLOYEE))
    asked = StateRequest(handle=link.handle.text_for_wire(), seen=TransactionState.proved)
    waiting = asyncio.create_task(app.send("/state", asked))
    await asyncio.sleep(0)
    await browser.post_completion(link.handle, code)
    answer = StateReply.model_validate_json((await waiting).content)
    assert answer.state is TransactionState.completed, "who was not woken is told the state of before"
    cancelled = await app.send("/cancel", HandleRequest(handle=link.handle.text_for_wire()))
    assert cancelled.status_code == 409


async def test_a_cut_listener_makes_a_node_not_ready_and_nothing_worse(world: AttackWorld) -> None:
    await cut_listeners(world)
    statuses = set()
    async with asyncio.timeout(60):
        while 200 not in statuses or not world.running.services.is_listening():
            statuses.add((await world.browser().client.get("/ready")).status_code)
            assert (await world.browser().client.get("/portal")).status_code == 200
    assert statuses <= {200, 503}
