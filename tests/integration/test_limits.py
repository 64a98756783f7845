"""Too many requests of one source are refused with the seconds to wait; others are not touched (ALL-2)."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clock import START, FakeClock

from zorgid.storage.database import Database, Mac, Origin
from zorgid.web import limits as rules
from zorgid.web.limits import Limit, Limits, TooMany, after_taking, source_of, sweep

SHARED = Limit("test", 3, timedelta(seconds=30))
OF_THE_NODE = Limit("test", 3, timedelta(seconds=30), is_shared=False)
BOTH = pytest.mark.parametrize("limit", [SHARED, OF_THE_NODE], ids=["shared", "of the node"])


@pytest.fixture
def limits(database: Database, clock: FakeClock, audit_mac: Mac) -> Limits:
    return Limits(database, clock=clock, mac=audit_mac)


def request_from(origin: Origin) -> Any:
    return SimpleNamespace(scope={"zorgid.origin": origin})


@BOTH
async def test_the_allowance_is_given_at_once_and_then_one_by_one(
    limit: Limit, limits: Limits, origin: Origin, clock: FakeClock
) -> None:
    for _ in range(3):
        await limits.take_for(origin, limit, "a")
    with pytest.raises(TooMany) as refused:
        await limits.take_for(origin, limit, "a")
    assert refused.value.facts == {"limit": "test", "retry_after_seconds": 10}
    clock.advance(timedelta(seconds=9))
    with pytest.raises(TooMany) as refused:
        await limits.take_for(origin, limit, "a")
    assert refused.value.facts["retry_after_seconds"] == 1
    clock.advance(timedelta(seconds=1))
    await limits.take_for(origin, limit, "a")
    with pytest.raises(TooMany):
        await limits.take_for(origin, limit, "a")


@BOTH
async def test_keys_and_limits_are_counted_apart(limit: Limit, limits: Limits, origin: Origin) -> None:
    other = Limit("other", 1, timedelta(minutes=1), is_shared=limit.is_shared)
    for _ in range(3):
        await limits.take_for(origin, limit, "a")
    await limits.take_for(origin, limit, "b")
    await limits.take_for(origin, other, "a")


@BOTH
async def test_a_refused_request_does_not_make_the_wait_longer(
    limit: Limit, limits: Limits, origin: Origin, clock: FakeClock
) -> None:
    for _ in range(3):
        await limits.take_for(origin, limit, "a")
    for _ in range(20):
        with pytest.raises(TooMany):
            await limits.take_for(origin, limit, "a")
    clock.advance(timedelta(seconds=10))
    await limits.take_for(origin, limit, "a")


async def test_a_shared_limit_is_counted_by_all_nodes_together(
    limits: Limits, database: Database, clock: FakeClock, audit_mac: Mac, origin: Origin
) -> None:
    other_node = Limits(database, clock=clock, mac=audit_mac)

    async def taken(node: Limits) -> bool:
        try:
            await node.take_for(origin, SHARED, "a")
        except TooMany:
            return False
        return True

    results = await asyncio.gather(*(taken(node) for node in [limits, other_node] * 6))
    assert sum(results) == 3


async def test_keys_that_are_counted_at_the_same_moment_are_counted_each_for_itself(
    limits: Limits, database: Database, clock: FakeClock, audit_mac: Mac, origin: Origin
) -> None:
    """Two nodes that count the same keys in opposite orders neither lose one nor wait for each other."""
    other_node = Limits(database, clock=clock, mac=audit_mac)
    keys = [str(number) for number in range(20)]
    asked = [(limits, key) for key in keys] + [(other_node, key) for key in reversed(keys)]

    answers = await asyncio.gather(
        *(node.take_for(origin, SHARED, key) for node, key in asked * 2), return_exceptions=True
    )

    assert answers.count(None) == 3 * len(keys)
    assert sum(isinstance(one, TooMany) for one in answers) == len(keys)


async def test_a_request_counts_for_its_source_or_for_the_key_that_is_given(limits: Limits) -> None:
    once = Limit("once", 1, timedelta(minutes=1))
    here = request_from(Origin("r1", "192.0.2.1", "n"))
    there = request_from(Origin("r2", "192.0.2.2", "n"))
    await limits.take(here, once)
    await limits.take(there, once)
    await limits.take(here, once, "client-1")
    with pytest.raises(TooMany):
        await limits.take(here, once)
    with pytest.raises(TooMany):
        await limits.take(there, once, "client-1")


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_a_household_with_many_addresses_is_one_source(address: str | None, source: str) -> None:
    assert source_of(address) == source


async def test_the_table_tells_no_address_and_is_swept(
    limits: Limits, database: Database, origin: Origin, clock: FakeClock
) -> None:
    await limits.take_for(origin, SHARED, "192.0.2.1")
    clock.advance(timedelta(seconds=5))
    await limits.take_for(origin, SHARED, "192.0.2.2")
    async with database.work(origin) as work:
        rows = await (await work.connection.execute("select key::text from limit_use")).fetchall()
    assert not any("192" in key for (key,) in rows)
    clock.advance(timedelta(seconds=6))
    async with database.work(origin) as work:
        assert await sweep(work) == 1
    clock.advance(timedelta(seconds=6))
    async with database.work(origin) as work:
        assert await sweep(work) == 1


async def test_a_node_sweeps_by_itself(
    limits: Limits, database: Database, origin: Origin, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SWEPT_AFTER", 5)
    for number in range(5):
        await limits.take_for(origin, SHARED, str(number))
        clock.advance(timedelta(minutes=1))
    async with database.work(origin) as work:
        [(left,)] = await (await work.connection.execute("select count(*) from limit_use")).fetchall()
    assert left <= 1


async def test_the_memory_of_a_node_is_bounded(
    limits: Limits, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_KEYS_IN_MEMORY", 2)
    for key in ["a", "a", "a", "b", "c"]:
        await limits.take_for(origin, OF_THE_NODE, key)
    await limits.take_for(origin, OF_THE_NODE, "a")  # forgotten, so it begins afresh


@given(
    most=st.integers(1, 50),
    per=st.timedeltas(timedelta(seconds=1), timedelta(hours=1)),
    gaps=st.lists(st.timedeltas(timedelta(0), timedelta(minutes=1)), max_size=60),
)
def test_in_no_span_more_than_the_allowance_and_what_filled_up_is_given(
    most: int, per: timedelta, gaps: list[timedelta]
) -> None:
    limit = Limit("test", most, per)
    now, full_at, given_at = START, None, []
    for gap in gaps:
        now += gap
        try:
            full_at = after_taking(limit, full_at, now)
            given_at.append(now)
        except TooMany as refused:
            wait = refused.facts["retry_after_seconds"]
            after_taking(limit, full_at, now + timedelta(seconds=wait))
    for begin in given_at:
        within = [at for at in given_at if begin <= at < begin + per]
        assert len(within) <= 2 * most
