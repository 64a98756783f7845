"""Two connections at once on one card or one person."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.register_builders import (
    active_card,
    actor,
    certificate_statuses,
    issuing_card,
    known_person,
    person_with_role,
    registered_organisation,
)

from zorgid.cards import actions as cards
from zorgid.cards.model import Card, CardState, HoldReason, RevocationReason
from zorgid.kernel.errors import Refusal
from zorgid.organisations.model import Organisation
from zorgid.people.model import Person
from zorgid.roles.model import Role
from zorgid.storage.database import Database, Origin, Work

pytestmark = pytest.mark.oldest_postgresql

Act = Callable[[Work], Awaitable[object]]
WAITING = "select count(*) from pg_locks where not granted"


async def outcome(database: Database, origin: Origin, act: Act) -> str:
    try:
        async with database.work(origin) as work:
            await act(work)
    except Refusal as refusal:
        return refusal.code
    return "done"


async def at_once(database: Database, origin: Origin, *acts: Act) -> list[str]:
    return sorted(await asyncio.gather(*(outcome(database, origin, act) for act in acts)))


async def prepare(database: Database, origin: Origin) -> tuple[Organisation, Person, Person]:
    async with database.work(origin) as work:
        organisation = await registered_organisation(work)
        manager = await person_with_role(work, Role.manager, organisation.id)
        return organisation, manager, await known_person(work)


async def test_of_two_new_cards_that_become_active_at_once_one_lives(
    database: Database, origin: Origin
) -> None:
    """CARD-15."""
    organisation, _, holder = await prepare(database, origin)
    async with database.work(origin) as work:
        made = [await issuing_card(work, holder, organisation) for _ in range(3)]

    def activate(card: Card) -> Act:
        return lambda work: cards.activate_card(work, card_id=card.id, by=actor(holder))

    assert await at_once(database, origin, *(activate(card) for card in made)) == ["done"] * 3
    async with database.work(origin) as work:
        states = [(await cards.card(work, card.id)).state for card in made]
        assert sorted(states) == ["active", "revoked", "revoked"]
        for card, state in zip(made, states, strict=True):
            [(status, _)] = await certificate_statuses(work, card)
            assert status == ("good" if state is CardState.active else "revoked")


async def test_one_making_is_activated_or_failed_never_both(database: Database, origin: Origin) -> None:
    """CARD-9."""
    organisation, _, holder = await prepare(database, origin)
    async with database.work(origin) as work:
        card = await issuing_card(work, holder, organisation)
    outcomes = await at_once(
        database,
        origin,
        lambda work: cards.activate_card(work, card_id=card.id, by=actor(holder)),
        lambda work: cards.fail_card(work, card_id=card.id, by=actor(holder)),
    )
    assert outcomes == ["card-act-refused", "done"]
    async with database.work(origin) as work:
        [(status, _)] = await certificate_statuses(work, card)
        state = (await cards.card(work, card.id)).state
    assert (state, status) in {(CardState.active, "good"), (CardState.failed, "revoked")}


async def test_two_managers_of_one_organisation_hold_a_card_once(database: Database, origin: Origin) -> None:
    """LIFE-2."""
    organisation, manager, holder = await prepare(database, origin)
    async with database.work(origin) as work:
        colleague = await person_with_role(work, Role.manager, organisation.id)
        card = await active_card(work, holder, organisation)

    def hold(by: Person) -> Act:
        return lambda work: cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(by))

    assert await at_once(database, origin, hold(manager), hold(colleague)) == [
        "card-already-held-by-you",
        "done",
    ]


async def test_two_holds_released_at_once_leave_the_card_working(database: Database, origin: Origin) -> None:
    """LIFE-2: neither believes that the other's hold remains."""
    organisation, manager, holder = await prepare(database, origin)
    async with database.work(origin) as work:
        card = await active_card(work, holder, organisation)
        holds = [
            await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(by))
            for by in (manager, holder)
        ]

    def release(index: int, by: Person) -> Act:
        return lambda work: cards.release_hold(work, hold_id=holds[index].id, by=actor(by))

    assert await at_once(database, origin, release(0, manager), release(1, holder)) == ["done", "done"]
    async with database.work(origin) as work:
        assert (await cards.card(work, card.id)).state is CardState.active
        assert await certificate_statuses(work, card) == {("good", None)}


async def test_a_release_and_a_revocation_at_once_leave_the_card_revoked(
    database: Database, origin: Origin
) -> None:
    """LIFE-2: revoked is final, whichever came first."""
    organisation, manager, holder = await prepare(database, origin)
    async with database.work(origin) as work:
        card = await active_card(work, holder, organisation)
        hold = await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(manager))
    await at_once(
        database,
        origin,
        lambda work: cards.release_hold(work, hold_id=hold.id, by=actor(manager)),
        lambda work: cards.revoke_card(work, card_id=card.id, reason=RevocationReason.lost, by=actor(holder)),
    )
    async with database.work(origin) as work:
        assert (await cards.card(work, card.id)).state is CardState.revoked
        assert await certificate_statuses(work, card) == {("revoked", "key_compromise")}


async def test_a_hold_waits_for_a_login_that_found_the_card_active(
    database: Database, origin: Origin
) -> None:
    """LIFE-3: so that the hold's own transaction sees, and ends, the session of that login."""
    organisation, manager, holder = await prepare(database, origin)
    async with database.work(origin) as work:
        card = await active_card(work, holder, organisation)
    order: list[str] = []

    async def hold() -> None:
        async with database.work(origin) as work:
            await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(manager))
        order.append("held")

    async with database.work(origin) as login:
        await cards.require_active(login, card.id)
        waiting = asyncio.create_task(hold())
        await until_somebody_waits(login)
        async with database.work(origin) as other_login:
            await cards.note_use(other_login, card.id)
        order.append("logged in")
    await waiting
    assert order == ["logged in", "held"]


async def until_somebody_waits(work: Work) -> None:
    async with asyncio.timeout(60):
        while True:
            found = await work.connection.execute(WAITING)
            if (await found.fetchone())[0]:
                return
