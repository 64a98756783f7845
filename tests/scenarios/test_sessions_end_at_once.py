"""A session ends in the very transaction that holds, revokes or replaces its card, or ends its person's role.

LIFE-3, LOGIN-10: with the companions as `app.py` wires them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.clock import FakeClock
from tests.register_builders import (
    active_card,
    actor,
    issuing_card,
    known_person,
    person_with_role,
    registered_organisation,
)

from zorgid.app import companions
from zorgid.audit.model import SYSTEM
from zorgid.cards import actions as cards
from zorgid.cards.errors import CardHeld
from zorgid.cards.model import Card, HoldReason, RevocationReason
from zorgid.kernel.ids import TransactionId
from zorgid.kernel.randomness import RandomSource
from zorgid.kernel.secrets import Secret
from zorgid.login.errors import SessionEnded
from zorgid.login.model import Completed, Means, MeansUsed, ProvedCard, Purpose
from zorgid.login.sessions import begin_session, session_for
from zorgid.people.model import Person
from zorgid.roles import actions as roles
from zorgid.roles.model import Role
from zorgid.storage.database import Database, Mac, Origin, Work


@pytest.fixture
async def wired(
    database_url: str, clock: FakeClock, random_source: RandomSource, audit_mac: Mac
) -> AsyncIterator[Database]:
    """The database with what rooms do in each other's transactions."""
    database = await Database.open(
        database_url, clock=clock, random=random_source, audit_mac=audit_mac, companions=companions()
    )
    yield database
    await database.close()


async def log_in(work: Work, person: Person, card: Card | None) -> Secret:
    kind = MeansUsed.smartcard if card else MeansUsed.uzi_card
    reference = str(card.id) if card else "00" * 32
    level = "http://eidas.europa.eu/LoA/substantial"
    means = Means(kind, reference, "900016528", "90000382", person.names.full_name, level)
    proved = ProvedCard(means, b"certificate", card.id if card else None, None, "00.000", "", "", "De Linde")
    completed = Completed(TransactionId(uuid4()), Purpose.login, person.id, proved, None, "/")
    _, cookie = await begin_session(work, completed, former=None)
    return cookie


async def is_logged_in(work: Work, cookie: Secret) -> bool:
    try:
        await session_for(work, cookie, touch=False)
    except SessionEnded:
        return False
    return True


async def open_sessions(work: Work) -> int:
    """How many sessions stand as not ended, whatever is known of their means."""
    found = await work.connection.execute("select count(*) from session where ended_at is null")
    return (await found.fetchone())[0]


async def hold(work: Work, card: Card, holder: Person) -> None:
    await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(holder))


async def revoke(work: Work, card: Card, holder: Person) -> None:
    await cards.revoke_card(work, card_id=card.id, reason=RevocationReason.lost, by=actor(holder))


async def replace(work: Work, card: Card, holder: Person) -> None:
    newer = await issuing_card(work, holder, await registered_organisation(work, ura="90000401"))
    await cards.activate_card(work, card_id=newer.id, by=actor(holder))


ACTS: dict[str, Callable[[Work, Card, Person], Awaitable[None]]] = {
    "hold": hold,
    "revoke": revoke,
    "replace": replace,
}


@pytest.mark.parametrize("name", list(ACTS))
async def test_a_session_with_a_card_ends_in_the_transaction_that_stops_the_card(
    wired: Database, origin: Origin, name: str
) -> None:
    """LIFE-3, LOGIN-10, CARD-15."""
    async with wired.work(origin) as work:
        holder = await known_person(work)
        card = await active_card(work, holder, await registered_organisation(work))
        with_card, with_uzi_card = await log_in(work, holder, card), await log_in(work, holder, None)
        assert await is_logged_in(work, with_card)

        await ACTS[name](work, card, holder)

        assert await open_sessions(work) == 1
        assert not await is_logged_in(work, with_card)
        assert await is_logged_in(work, with_uzi_card)


async def test_a_release_brings_no_session_back(wired: Database, origin: Origin) -> None:
    """LIFE-2, LOGIN-10."""
    async with wired.work(origin) as work:
        holder = await known_person(work)
        card = await active_card(work, holder, await registered_organisation(work))
        cookie = await log_in(work, holder, card)
        held = await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(holder))
        await cards.release_hold(work, hold_id=held.id, by=actor(holder))
        assert not await is_logged_in(work, cookie)


async def test_a_session_ends_with_the_cards_last_second(
    wired: Database, origin: Origin, clock: FakeClock
) -> None:
    """CARD-6, LOGIN-4: also before the sweep has come by."""
    async with wired.work(origin) as work:
        holder = await known_person(work)
        card = await active_card(work, holder, await registered_organisation(work))
    clock.set(card.valid_until)
    async with wired.work(origin) as work:
        cookie = await log_in(work, holder, card)
        assert await is_logged_in(work, cookie)
    clock.advance(timedelta(seconds=1))
    async with wired.work(origin) as work:
        assert not await is_logged_in(work, cookie)


async def test_a_session_ends_when_its_person_loses_a_role(wired: Database, origin: Origin) -> None:
    """LOGIN-10."""
    async with wired.work(origin) as work:
        organisation = await registered_organisation(work)
        manager = await person_with_role(work, Role.manager, organisation.id)
        colleague = await person_with_role(work, Role.manager, organisation.id)
        own, colleagues = await log_in(work, manager, None), await log_in(work, colleague, None)
        [grant] = await roles.grants_of(work, manager.id)

        await roles.end_grant(work, grant_id=grant.id, by=SYSTEM)

        assert await open_sessions(work) == 1
        assert not await is_logged_in(work, own)
        assert await is_logged_in(work, colleagues)


async def test_no_session_survives_a_hold_that_comes_at_the_same_moment(
    wired: Database, origin: Origin
) -> None:
    """LIFE-3: the login found the card active and commits; the hold waits for it, and ends its session."""
    async with wired.work(origin) as work:
        holder = await known_person(work)
        card = await active_card(work, holder, await registered_organisation(work))

    async def attempt() -> Secret | None:
        try:
            async with wired.work(origin) as work:
                await cards.require_active(work, card.id)
                return await log_in(work, holder, card)
        except CardHeld:
            return None

    async def stop() -> None:
        async with wired.work(origin) as work:
            await hold(work, card, holder)

    *cookies, _ = await asyncio.gather(*(attempt() for _ in range(4)), stop())
    async with wired.work(origin) as work:
        for cookie in cookies:
            assert cookie is None or not await is_logged_in(work, cookie)
        assert await open_sessions(work) == 0
