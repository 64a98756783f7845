"""Token requests at several nodes at once: no client makes them wait for each other in a circle (LOGIN-1)."""

import asyncio
from typing import Any

import pytest
from tests.clock import FakeClock
from tests.integration.oidc.test_exchange_together import Desk
from tests.oidc_builders import Visit

from zorgid.oidc.errors import OAuthRefusal
from zorgid.storage.database import Origin

BLOCK_CODES = "select from oidc_code for update"
WAITING = (
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
)


@pytest.fixture
def desk(visit: Visit, clock: FakeClock, origin: Origin) -> Desk:
    return Desk(visit, clock, origin)


async def until_waiting(desk: Desk, count: int) -> None:
    async with asyncio.timeout(60):
        while await desk.ask(WAITING) != [(count,)]:
            pass


async def test_the_same_codes_in_another_order_at_another_node_wait_in_no_circle(desk: Desk) -> None:
    """Each wait in a circle costs everybody in both works a second, and a client could have them all day."""
    await desk.visit.log_in(desk.origin)
    one, two = await desk.codes(2)
    async with asyncio.TaskGroup() as group, desk.visit.database.work(desk.origin) as work:
        await work.connection.execute(BLOCK_CODES)
        here = group.create_task(desk.together(desk.request(one), desk.request(two)))
        there = group.create_task(desk.together(desk.request(two), desk.request(one)))
        await until_waiting(desk, 2)
    assert sorted(outcomes(here.result()) + outcomes(there.result())) == [False, False, True, True]


def outcomes(answers: Any) -> list[bool]:
    return [not isinstance(one, OAuthRefusal) for one in answers]
