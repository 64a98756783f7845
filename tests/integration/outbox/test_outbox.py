"""What is committed is handled at least once, by whoever is alive; what is rolled back never happened."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.clock import FakeClock

from zorgid.audit.actions import entries_about
from zorgid.audit.model import SYSTEM, Subject
from zorgid.kernel.errors import Refusal
from zorgid.kernel.randomness import system_random
from zorgid.outbox import dispatch
from zorgid.outbox.actions import CHANNEL, emit, failed_events, retry_event
from zorgid.outbox.dispatch import NOBODY_SURVIVED, Dispatcher
from zorgid.outbox.errors import FailedEventUnknown
from zorgid.outbox.model import Handler, OutboxEvent
from zorgid.outbox.rules import LEASE, MOST_TRIES
from zorgid.storage.database import Database, Mac, Origin, Work
from zorgid.storage.listener import Listener

pytestmark = pytest.mark.oldest_postgresql


class Seen:
    """A handler that keeps what it saw, and fails as often as it is told."""

    def __init__(self, name: str = "seen", failures: int = 0, error: Exception | None = None) -> None:
        self.events: list[OutboxEvent] = []
        self.failures = failures
        self.error = error or OSError("De Vries was not reachable")
        self.handler = Handler(name, self.run)

    async def run(self, event: OutboxEvent) -> None:
        self.events.append(event)
        if len(self.events) <= self.failures:
            raise self.error

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]


@pytest.fixture
def emitted(database: Database, origin: Origin) -> Callable[..., Awaitable[None]]:
    async def emitted(*names: str, **facts: Any) -> None:
        for name in names:
            async with database.work(origin) as work:
                await emit(work, name, facts)

    return emitted


Emitted = Callable[..., Awaitable[None]]


@pytest.fixture
def dispatcher(database: Database, origin: Origin) -> Callable[..., Dispatcher]:
    def dispatcher(*handlers: Handler, **options: timedelta) -> Dispatcher:
        return Dispatcher(database, {"card-held": handlers, "noted": ()}, origin=origin, **options)

    return dispatcher


Dispatchers = Callable[..., Dispatcher]


async def waiting(database: Database, origin: Origin) -> list[tuple[Any, ...]]:
    async with database.work(origin) as work:
        query = "select name, tries from outbox_event order by sequence"
        return await (await work.connection.execute(query)).fetchall()


async def test_a_committed_event_reaches_its_handlers_once_with_its_facts(
    emitted: Emitted, dispatcher: Dispatchers, database: Database, origin: Origin, clock: FakeClock
) -> None:
    one, two = Seen("one"), Seen("two")
    await emitted("card-held", card_id=UUID(int=7), at=clock())
    assert await dispatcher(one.handler, two.handler).drain() == 1
    [event] = one.events
    assert (event.name, event.at, event.tries) == ("card-held", clock(), 1)
    assert event.facts == {"card_id": str(UUID(int=7)), "at": clock().isoformat()}
    assert [other.id for other in two.events] == [event.id]
    assert await dispatcher(one.handler, two.handler).drain() == 0
    assert await waiting(database, origin) == []


async def test_an_event_of_an_act_that_was_rolled_back_reaches_nobody(
    dispatcher: Dispatchers, database: Database, origin: Origin
) -> None:
    seen = Seen()
    with pytest.raises(ZeroDivisionError):
        async with database.work(origin) as work:
            await emit(work, "card-held", {})
            raise ZeroDivisionError
    assert await dispatcher(seen.handler).drain() == 0


async def test_events_are_handled_in_the_order_of_their_acts(
    emitted: Emitted, dispatcher: Dispatchers
) -> None:
    seen = Seen()
    for number in range(5):
        await emitted("card-held", number=number)
    await dispatcher(seen.handler).drain()
    assert [event.facts["number"] for event in seen.events] == [0, 1, 2, 3, 4]


async def test_a_failed_handler_is_tried_again_after_a_pause_and_the_others_are_not(
    emitted: Emitted, dispatcher: Dispatchers, clock: FakeClock, database: Database, origin: Origin
) -> None:
    steady, shaky = Seen("steady"), Seen("shaky", failures=2)
    node = dispatcher(steady.handler, shaky.handler)
    await emitted("card-held")
    assert await node.drain() == 1
    assert await node.drain() == 0
    for pause in (1, 2):
        clock.advance(timedelta(seconds=pause))
        assert await node.drain() == 1
    assert (len(steady.events), len(shaky.events)) == (1, 3)
    assert await waiting(database, origin) == []


class ReceiverUnknown(Refusal):
    """For this test."""

    code = "receiver-unknown"


@pytest.mark.parametrize(
    ("error", "shown"), [(OSError("De Vries"), "OSError"), (ReceiverUnknown(), "receiver-unknown")]
)
async def test_an_event_that_keeps_failing_is_on_a_list_until_somebody_retries_it(
    error: Exception,
    shown: str,
    emitted: Emitted,
    dispatcher: Dispatchers,
    clock: FakeClock,
    database: Database,
    origin: Origin,
) -> None:
    """The list names the error without its text, which may be personal (ALL-4)."""
    seen = Seen(failures=MOST_TRIES, error=error)
    node = dispatcher(seen.handler)
    await emitted("card-held")
    for _ in range(MOST_TRIES + 3):
        await node.drain()
        clock.advance(timedelta(hours=1))
    assert len(seen.events) == MOST_TRIES
    async with database.work(origin) as work:
        [failed] = await failed_events(work)
        assert (failed.name, failed.error, failed.tries) == ("card-held", shown, MOST_TRIES)
        await retry_event(work, failed.id, by=SYSTEM)
        [entry] = (await entries_about(work, Subject("outbox-event", str(failed.id)), by=SYSTEM)).entries
        assert entry.event == "outbox-event-retried"
    assert await node.drain() == 1
    async with database.work(origin) as work:
        assert await failed_events(work) == []


async def test_only_a_failed_event_can_be_retried(database: Database, origin: Origin) -> None:
    with pytest.raises(FailedEventUnknown):
        async with database.work(origin) as work:
            await retry_event(work, UUID(int=1), by=SYSTEM)


async def test_an_event_is_taken_up_again_after_the_dispatcher_was_killed(
    emitted: Emitted, dispatcher: Dispatchers, clock: FakeClock
) -> None:
    """Killed in the middle of a handler; another node waits for the lease, not longer."""
    started, after = asyncio.Event(), Seen("slow")

    async def never_ends(event: OutboxEvent) -> None:
        started.set()
        await asyncio.Event().wait()

    await emitted("card-held")
    killed = asyncio.create_task(dispatcher(Handler("slow", never_ends)).drain())
    await started.wait()
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    assert await dispatcher(after.handler).drain() == 0
    clock.advance(LEASE)
    assert await dispatcher(after.handler).drain() == 1
    assert [event.tries for event in after.events] == [2]


async def test_an_event_locked_by_a_transaction_left_open_is_passed_by_and_taken_up_when_it_ends(
    emitted: Emitted, dispatcher: Dispatchers, database: Database, origin: Origin
) -> None:
    seen = Seen()
    await emitted("card-held", "card-held")
    async with database.work(origin) as left_open:
        await left_open.connection.execute("select 1 from outbox_event order by sequence limit 1 for update")
        assert await dispatcher(seen.handler).drain() == 1
    assert await dispatcher(seen.handler).drain() == 1


async def test_an_event_that_kills_every_dispatcher_ends_on_the_list(
    emitted: Emitted, dispatcher: Dispatchers, database: Database, origin: Origin
) -> None:
    seen = Seen()
    await emitted("card-held")
    async with database.work(origin) as work:
        await work.connection.execute("update outbox_event set tries = %s", (MOST_TRIES,))
    await dispatcher(seen.handler).drain()
    async with database.work(origin) as work:
        assert [failed.error for failed in await failed_events(work)] == [NOBODY_SURVIVED]
    assert seen.events == []


async def test_two_dispatchers_share_the_work_and_none_is_done_twice(
    emitted: Emitted, dispatcher: Dispatchers
) -> None:
    one, two = Seen("same"), Seen("same")
    await emitted(*["card-held"] * 20)
    taken = await asyncio.gather(dispatcher(one.handler).drain(), dispatcher(two.handler).drain())
    assert sum(taken) == 20
    assert len({event.id for event in one.events + two.events}) == len(one.events + two.events) == 20


async def test_a_handler_that_never_ends_is_given_up(
    emitted: Emitted, dispatcher: Dispatchers, database: Database, origin: Origin
) -> None:
    async def never_ends(event: OutboxEvent) -> None:
        await asyncio.Event().wait()

    await emitted("card-held")
    await dispatcher(Handler("slow", never_ends), handler_time=timedelta(milliseconds=5)).drain()
    async with database.work(origin) as work:
        [row] = await (await work.connection.execute("select error from outbox_event")).fetchall()
    assert row == ("TimeoutError",)


async def test_an_event_of_a_newer_version_is_left_for_it_and_one_without_handlers_is_done(
    emitted: Emitted, dispatcher: Dispatchers, database: Database, origin: Origin
) -> None:
    """ALL-12."""
    await emitted("noted", "not-yet-known")
    assert await dispatcher().drain() == 1
    assert await waiting(database, origin) == [("not-yet-known", 0)]


async def test_at_the_stop_the_handler_under_way_finishes_and_the_rest_waits(
    emitted: Emitted, dispatcher: Dispatchers, database: Database, origin: Origin
) -> None:
    stop, started, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
    finished: list[str] = []

    async def slow(event: OutboxEvent) -> None:
        started.set()
        await go_on.wait()
        finished.append(event.name)

    await emitted("card-held", "card-held")
    other = Seen("other")
    running = asyncio.create_task(dispatcher(Handler("slow", slow), other.handler).run(stop))
    await started.wait()
    stop.set()
    go_on.set()
    await running
    assert finished == ["card-held"]
    assert other.events == []
    assert await waiting(database, origin) == [("card-held", 1), ("card-held", 0)]
    assert await dispatcher(Handler("slow", slow), other.handler).drain() == 2
    assert (len(finished), len(other.events)) == (2, 2)


async def test_a_commit_wakes_the_dispatcher_of_every_node(
    emitted: Emitted, dispatcher: Dispatchers, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rests far longer than this test may take, were it not woken."""
    monkeypatch.setattr(dispatch, "LONGEST_REST", timedelta(hours=1))
    stop, seen = asyncio.Event(), asyncio.Event()

    async def see(event: OutboxEvent) -> None:
        seen.set()

    node = dispatcher(Handler("see", see))
    async with Listener(database_url, {CHANNEL: node.wake}):
        running = asyncio.create_task(node.run(stop))
        await emitted("card-held")
        await asyncio.wait_for(seen.wait(), 60)
        stop.set()
        await running


async def test_a_dispatcher_goes_on_after_the_database_was_away(
    emitted: Emitted, database: Database, origin: Origin
) -> None:
    stop, seen = asyncio.Event(), Seen()

    class Failing(Dispatcher):
        drains = 0

        async def drain(self, stop: asyncio.Event | None = None) -> int:
            self.drains += 1
            self.wake()
            if self.drains == 1:
                raise OSError("connection lost")
            if self.drains == 3 and stop:
                stop.set()
            return await super().drain()

    await emitted("card-held")
    await Failing(database, {"card-held": [seen.handler]}, origin=origin).run(stop)
    assert seen.names == ["card-held"]


@pytest.fixture
async def with_companions(
    database_url: str, clock: FakeClock, audit_mac: Mac
) -> AsyncIterator[Callable[..., Awaitable[Database]]]:
    opened: list[Database] = []

    async def with_companions(*companions: Any) -> Database:
        database = await Database.open(
            database_url,
            clock=clock,
            random=system_random,
            audit_mac=audit_mac,
            companions={"card-held": companions},
        )
        opened.append(database)
        return database

    yield with_companions
    for database in opened:
        await database.close()


async def end_sessions(work: Work, facts: Mapping[str, Any]) -> None:
    await emit(work, "noted", {"because": facts["card_id"]})


async def refuse(work: Work, facts: Mapping[str, Any]) -> None:
    raise ReceiverUnknown


async def test_a_companion_runs_in_the_transaction_of_the_act(
    with_companions: Callable[..., Awaitable[Database]], origin: Origin
) -> None:
    database = await with_companions(end_sessions)
    async with database.work(origin) as work:
        await emit(work, "card-held", {"card_id": UUID(int=3)})
        query = "select name, facts from outbox_event order by sequence"
        inside = await (await work.connection.execute(query)).fetchall()
        async with database.work(origin) as other:
            assert await (await other.connection.execute(query)).fetchall() == []
    assert inside == [
        ("card-held", {"card_id": str(UUID(int=3))}),
        ("noted", {"because": str(UUID(int=3))}),
    ]


async def test_a_companion_that_fails_undoes_the_act_and_the_other_companions(
    with_companions: Callable[..., Awaitable[Database]], origin: Origin
) -> None:
    database = await with_companions(end_sessions, refuse)
    with pytest.raises(ReceiverUnknown):
        async with database.work(origin) as work:
            await emit(work, "card-held", {"card_id": UUID(int=3)})
    assert await waiting(database, origin) == []


async def test_what_cannot_be_stored_is_no_fact(database: Database, origin: Origin) -> None:
    with pytest.raises(TypeError):
        async with database.work(origin) as work:
            await emit(work, "card-held", {"key": b"secret"})
