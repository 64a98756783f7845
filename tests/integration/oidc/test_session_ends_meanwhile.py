"""A session ends in the very moment in which something is given out on it: that is of no use (LOGIN-10)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from tests.clock import FakeClock
from tests.integration.oidc.test_exchange_on_nodes import until_waiting
from tests.integration.oidc.test_exchange_together import Desk
from tests.oidc_builders import Visit, answered, begin_session

from zorgid.login import session_store
from zorgid.login.model import Session
from zorgid.login.rules import EndReason
from zorgid.login.sessions import actor_of, end_session, end_sessions_of_person
from zorgid.oidc import store
from zorgid.oidc.errors import InvalidGrant
from zorgid.storage.database import Origin


@pytest.fixture
def desk(visit: Visit, clock: FakeClock, origin: Origin) -> Desk:
    return Desk(visit, clock, origin)


@asynccontextmanager
async def ending_at(desk: Desk, session: Session, step: str) -> AsyncIterator[None]:
    """The card is pulled after the session was looked at, just before that step of the work."""
    go_on: Callable[..., Awaitable[None]] = getattr(store, step)

    async def pulled_first(*facts: Any) -> None:
        async with desk.visit.database.work(desk.origin) as work:
            await end_session(work, session, by=actor_of(session), reason=EndReason.card_out)
        await go_on(*facts)

    with mock.patch.object(store, step, pulled_first):
        yield


async def test_a_token_that_is_given_out_while_its_card_is_pulled_opens_nothing(desk: Desk) -> None:
    session = await desk.visit.log_in(desk.origin)
    (code,) = await desk.codes(1)
    async with ending_at(desk, session, "add_tokens"):
        (answer,) = await desk.together(desk.request(code))
    assert not await desk.works(answer)


async def test_a_code_that_is_given_out_while_its_card_is_pulled_gets_no_token(desk: Desk) -> None:
    session = await desk.visit.log_in(desk.origin)
    async with ending_at(desk, session, "add_codes"):
        code = answered(await desk.visit.authorize())["code"]
    (answer,) = await desk.together(desk.request(code))
    assert isinstance(answer, InvalidGrant)


async def test_a_neighbour_whose_card_stays_in_loses_nothing_by_that(desk: Desk) -> None:
    pulled = await desk.visit.log_in(desk.origin)
    (theirs,) = await desk.codes(1)
    await desk.visit.log_in(desk.origin)
    (mine,) = await desk.codes(1)
    async with ending_at(desk, pulled, "add_tokens"):
        dead, living = await desk.together(desk.request(theirs), desk.request(mine))
    assert [await desk.works(one) for one in (dead, living)] == [False, True]


async def test_a_role_that_ends_while_two_sessions_are_in_use_waits_in_no_circle(desk: Desk) -> None:
    """One of both works would be broken off, and its person told of a fault."""
    first, second = UUID(int=1), UUID(int=2)
    async with desk.visit.database.work(desk.origin) as work:
        other, _ = await begin_session(work, id=second)
        one, _ = await begin_session(work, id=first, person=other.person_id)

    async def end_role() -> None:
        async with desk.visit.database.work(desk.origin) as work:
            await end_sessions_of_person(work, one.person_id, reason=EndReason.role_lost)

    async with asyncio.TaskGroup() as group, desk.visit.database.work(desk.origin) as work:
        await session_store.touch_session(work, one.id)
        group.create_task(end_role())
        await until_waiting(desk, 1)
        await session_store.touch_session(work, other.id)
    assert await desk.ask("select count(*) from session where ended_at is null") == [(0,)]
