"""Smartcards in the database: each act with certificates, log and outbox."""

from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

import pytest
from tests.clock import FakeClock
from tests.register_builders import (
    active_card,
    actor,
    audited,
    certificate_statuses,
    emitted,
    events_about,
    issuing_card,
    known_person,
    person_with_role,
    registered_organisation,
    sold_blank_card,
)

from zorgid.audit.model import SYSTEM
from zorgid.cards import actions as cards
from zorgid.cards import store
from zorgid.cards.errors import (
    AlreadyHeldByYou,
    CardActRefused,
    CardExpired,
    CardHeld,
    CardNotFinished,
    CardRevoked,
    CardUnknown,
    HoldUnknown,
)
from zorgid.cards.model import CardState, HoldId, HoldOwnerKind, HoldReason, RevocationReason
from zorgid.kernel.clock import dutch_day
from zorgid.kernel.ids import CardId, IssuanceId
from zorgid.organisations.model import Organisation
from zorgid.people import actions as people
from zorgid.people.errors import OtherMeansReserved
from zorgid.people.model import MeansKind, MeansPolicy, Person
from zorgid.roles.errors import RightMissing
from zorgid.roles.model import Role
from zorgid.stock import actions as stock
from zorgid.storage.database import Work

ON_HOLD = {("on_hold", "certificate_hold")}
GOOD = {("good", None)}


class World(NamedTuple):
    """Two organisations with a manager each, somebody to make a card for, and support."""

    here: Organisation
    there: Organisation
    manager: Person
    manager_there: Person
    holder: Person
    support: Person


@pytest.fixture
async def world(work: Work) -> World:
    here = await registered_organisation(work)
    there = await registered_organisation(work, ura="90000401")
    return World(
        here,
        there,
        await person_with_role(work, Role.administrator, here.id),
        await person_with_role(work, Role.manager, there.id),
        await known_person(work),
        await person_with_role(work, Role.support, None),
    )


async def test_a_card_in_the_making_works_nowhere_and_takes_the_kind_of_means(
    work: Work, world: World
) -> None:
    """CARD-4, CARD-9: no half-made card is good."""
    card = await issuing_card(work, world.holder, world.here)

    assert card.state is CardState.issuing
    assert card.made_for == world.here.id
    assert await certificate_statuses(work, card) == ON_HOLD
    assert await cards.links_of(work, card.id) == ()
    with pytest.raises(CardNotFinished):
        await cards.require_active(work, card.id)
    with pytest.raises(OtherMeansReserved):
        await people.require_means_free(
            work, person_id=world.holder.id, kind=MeansKind.phone, policy=MeansPolicy.one_kind
        )
    assert ("card-begun", None, "issuing") in await audited(work, card.id)


async def test_a_card_is_valid_three_years_from_the_day_of_making(work: Work, world: World) -> None:
    """CARD-6, ALL-6: calendar years on the Dutch calendar."""
    card = await issuing_card(work, world.holder, world.here)
    made, last = dutch_day(card.made_at), dutch_day(card.valid_until)
    assert last + timedelta(days=1) == made.replace(year=made.year + 3)


async def test_kind_and_level_come_from_stock(work: Work, world: World) -> None:
    """CARD-10."""
    sold = await sold_blank_card(work, kind="virtual-unattested")
    blank = await stock.reserve_for_making(
        work, chip_serial=sold.chip_serial, issuance_id=IssuanceId(uuid4()), by=SYSTEM
    )
    card = await cards.begin_card(
        work,
        blank=blank,
        holder_id=world.holder.id,
        organisation_id=world.here.id,
        policy=MeansPolicy.one_kind,
        by=SYSTEM,
    )
    assert (card.kind, card.level) == ("virtual-unattested", "low")


async def test_who_manages_cannot_begin_a_smartcard(work: Work, world: World) -> None:
    """CARD-4."""
    with pytest.raises(OtherMeansReserved):
        await issuing_card(work, world.manager, world.here)


async def test_an_activated_card_is_good_linked_and_works(work: Work, world: World) -> None:
    """CARD-14; docs/architecture.md, the walk, step 14."""
    card = await active_card(work, world.holder, world.here)

    assert card.state is CardState.active
    assert await certificate_statuses(work, card) == GOOD
    assert [link.organisation_id for link in await cards.links_of(work, card.id)] == [world.here.id]
    assert await cards.require_active(work, card.id) == card
    assert await cards.card(work, card.id) == card
    assert {("card-activated", "issuing", "active"), ("card-linked", None, None)} <= set(
        await audited(work, card.id)
    )
    [event] = await emitted(work, "card-activated")
    assert event == {
        "card_id": str(card.id),
        "person_id": str(world.holder.id),
        "card_number": card.number,
        "organisation_id": str(world.here.id),
    }


@pytest.mark.parametrize("is_held", [False, True])
async def test_the_older_smartcard_of_the_person_is_revoked_when_the_new_one_becomes_active(
    work: Work, world: World, is_held: bool
) -> None:
    """CARD-15: one living Smartcard a person."""
    older = await active_card(work, world.holder, world.here)
    if is_held:
        await cards.hold_card(work, card_id=older.id, reason=HoldReason.lost, by=actor(world.holder))
    newer = await issuing_card(work, world.holder, world.here)
    assert (await cards.card(work, older.id)).state is (CardState.held if is_held else CardState.active)

    await cards.activate_card(work, card_id=newer.id, by=actor(world.holder))

    assert (await cards.card(work, older.id)).state is CardState.revoked
    assert await certificate_statuses(work, older) == {("revoked", "superseded")}
    assert await certificate_statuses(work, newer) == GOOD
    assert ("card-revoked", "held" if is_held else "active", "revoked") in await audited(work, older.id)
    assert [event["card_id"] for event in await emitted(work, "card-revoked")] == [str(older.id)]
    assert [one.reference for one in await people.reserved_means(work, world.holder.id)] == [
        f"card:{newer.id}"
    ]
    assert {card.id for card in await cards.cards_of_holder(work, world.holder.id)} == {older.id, newer.id}


async def test_a_failed_making_revokes_what_was_signed_and_frees_the_means(work: Work, world: World) -> None:
    """CARD-9; docs/decisions/0340-on-hold-until-proved.md."""
    card = await issuing_card(work, world.holder, world.here)
    await cards.fail_card(work, card_id=card.id, by=SYSTEM)

    assert await certificate_statuses(work, card) == {("revoked", "cessation_of_operation")}
    assert await people.reserved_means(work, world.holder.id) == ()
    assert ("card-failed", "issuing", "failed") in await audited(work, card.id)
    assert len(await emitted(work, "card-failed")) == 1
    with pytest.raises(CardActRefused):
        await cards.activate_card(work, card_id=card.id, by=SYSTEM)


async def test_beginning_anew_on_a_blank_card_fails_what_was_left_of_it(
    work: Work, world: World, clock: FakeClock
) -> None:
    """CARD-9: another's reservation lapsed."""
    left = await issuing_card(work, world.holder, world.here)
    blank = await stock.blank_card(work, number=left.number)
    other = await known_person(work)
    newer = await cards.begin_card(
        work,
        blank=blank,
        holder_id=other.id,
        organisation_id=world.here.id,
        policy=MeansPolicy.one_kind,
        by=actor(other),
    )
    assert (await cards.card(work, left.id)).state is CardState.failed
    assert await people.reserved_means(work, world.holder.id) == ()
    assert (await cards.card_by_number(work, left.number)).id == newer.id


async def test_a_hold_stops_the_card_everywhere_and_a_release_lets_it_work_again(
    work: Work, world: World
) -> None:
    """LIFE-2, LIFE-3."""
    card = await active_card(work, world.holder, world.here)
    hold = await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(world.manager))

    assert (hold.owner.kind, hold.owner.organisation_id) == (HoldOwnerKind.organisation, world.here.id)
    assert await certificate_statuses(work, card) == ON_HOLD
    with pytest.raises(CardHeld):
        await cards.require_active(work, card.id)
    assert await cards.holds_of(work, card.id) == (hold,)
    [held] = await emitted(work, "card-held")
    assert held["person_id"] == str(world.holder.id)

    released = await cards.release_hold(work, hold_id=hold.id, by=actor(world.manager))

    assert released.state is CardState.active
    assert await certificate_statuses(work, card) == GOOD
    assert await cards.require_active(work, card.id)
    assert await cards.holds_of(work, card.id) == ()
    assert len(await emitted(work, "card-released")) == 1
    assert {("card-held", "active", "held"), ("card-released", "held", "active")} <= set(
        await audited(work, card.id)
    )


async def test_a_held_card_works_when_no_hold_remains(work: Work, world: World) -> None:
    """LIFE-2: a hold belongs to who set it."""
    card = await active_card(work, world.holder, world.here)
    await store.add_link(work, card.id, world.there.id)
    ours = await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(world.manager))
    theirs = await cards.hold_card(
        work, card_id=card.id, reason=HoldReason.misuse_suspected, by=actor(world.manager_there)
    )
    own = await cards.hold_card(work, card_id=card.id, reason=HoldReason.other, by=actor(world.holder))

    with pytest.raises(RightMissing):
        await cards.release_hold(work, hold_id=theirs.id, by=actor(world.manager))
    with pytest.raises(RightMissing):
        await cards.release_hold(work, hold_id=ours.id, by=actor(world.holder))
    for hold, by in ((ours, world.manager), (theirs, world.support)):
        assert (await cards.release_hold(work, hold_id=hold.id, by=actor(by))).state is CardState.held
        assert await certificate_statuses(work, card) == ON_HOLD
    assert await emitted(work, "card-released") == []
    assert (await cards.release_hold(work, hold_id=own.id, by=actor(world.holder))).state is CardState.active
    assert ("card-hold-lifted", "held", "held") in await audited(work, card.id)


async def test_a_party_holds_a_card_once(work: Work, world: World) -> None:
    """LIFE-2."""
    card = await active_card(work, world.holder, world.here)
    await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(world.manager))
    with pytest.raises(AlreadyHeldByYou):
        await cards.hold_card(work, card_id=card.id, reason=HoldReason.stolen, by=actor(world.manager))


async def test_only_linked_organisations_manage_a_card(work: Work, world: World) -> None:
    """LIFE-4, ROLE-6."""
    card = await active_card(work, world.holder, world.here)
    stranger = actor(world.manager_there)
    with pytest.raises(RightMissing):
        await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=stranger)
    with pytest.raises(RightMissing):
        await cards.revoke_card(work, card_id=card.id, reason=RevocationReason.lost, by=stranger)
    with pytest.raises(CardUnknown):
        await cards.view_card(work, number=card.number, by=stranger)
    with pytest.raises(RightMissing):
        await cards.hold_card(
            work,
            card_id=card.id,
            reason=HoldReason.lost,
            by=actor(world.manager),
            acting_for=world.there.id,
        )
    assert (await cards.card(work, card.id)).state is CardState.active


async def test_who_is_no_person_has_no_right(work: Work, world: World) -> None:
    card = await active_card(work, world.holder, world.here)
    with pytest.raises(RightMissing):
        await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=SYSTEM)


async def test_who_may_see_a_card_sees_it_and_that_is_in_the_log(work: Work, world: World) -> None:
    """LIFE-4, AUD-1."""
    card = await active_card(work, world.holder, world.here)
    for viewer in (world.manager, world.holder, world.support):
        assert await cards.view_card(work, number=card.number, by=actor(viewer)) == card
    assert [event for event, _, _ in await audited(work, card.id)].count("card-viewed") == 3
    with pytest.raises(CardUnknown):
        await cards.view_card(work, number="NONE", by=actor(world.manager))


async def test_holders_hold_release_and_revoke_their_own_card(work: Work, world: World) -> None:
    """LIFE-11."""
    card = await active_card(work, world.holder, world.here)
    me = actor(world.holder)
    hold = await cards.hold_card(work, card_id=card.id, reason=HoldReason.left_behind, by=me)
    assert hold.owner.kind is HoldOwnerKind.holder
    assert (await cards.release_hold(work, hold_id=hold.id, by=me)).state is CardState.active
    revoked = await cards.revoke_card(work, card_id=card.id, reason=RevocationReason.lost, by=me)
    assert revoked.state is CardState.revoked


async def test_support_holds_a_card_that_nobody_links_and_no_other_unless_the_holder_asks(
    work: Work, world: World
) -> None:
    """LIFE-11."""
    card = await active_card(work, world.holder, world.here)
    support = actor(world.support)
    with pytest.raises(RightMissing):
        await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=support)
    asked = await cards.hold_card(
        work, card_id=card.id, reason=HoldReason.lost, by=support, is_asked_by_holder=True
    )
    assert asked.owner.kind is HoldOwnerKind.holder
    await cards.release_hold(work, hold_id=asked.id, by=actor(world.holder))

    await work.connection.execute("update card_link set ended_at = linked_at where card_id = %s", (card.id,))

    hold = await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=support)
    assert hold.owner.kind is HoldOwnerKind.support


@pytest.mark.parametrize("is_held", [False, True])
async def test_revoked_is_final(work: Work, world: World, is_held: bool) -> None:
    """LIFE-2."""
    card = await active_card(work, world.holder, world.here)
    me = actor(world.manager)
    hold = None
    if is_held:
        hold = await cards.hold_card(work, card_id=card.id, reason=HoldReason.stolen, by=me)
    await cards.revoke_card(work, card_id=card.id, reason=RevocationReason.stolen, by=me)

    assert await certificate_statuses(work, card) == {("revoked", "key_compromise")}
    assert await people.reserved_means(work, world.holder.id) == ()
    with pytest.raises(CardRevoked):
        await cards.require_active(work, card.id)
    for act in (
        cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=me),
        cards.revoke_card(work, card_id=card.id, reason=RevocationReason.lost, by=me),
        cards.activate_card(work, card_id=card.id, by=me),
        cards.fail_card(work, card_id=card.id, by=me),
    ):
        with pytest.raises(CardActRefused):
            await act
    if hold:
        with pytest.raises(HoldUnknown):
            await cards.release_hold(work, hold_id=hold.id, by=me)
    assert len(await emitted(work, "card-revoked")) == 1


async def test_living_cards_expire_after_their_last_second(
    work: Work, world: World, clock: FakeClock
) -> None:
    """CARD-6."""
    card = await active_card(work, world.holder, world.here)
    await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=actor(world.holder))
    at_the_end = replace_now(work, card.valid_until)
    assert await cards.expire_cards(at_the_end) == 0
    after = replace_now(work, card.valid_until + timedelta(seconds=1))
    assert await cards.expire_cards(after) == 1
    assert await cards.expire_cards(after) == 0

    with pytest.raises(CardExpired):
        await cards.require_active(after, card.id)
    assert ("card-expired", "held", "expired") in await audited(work, card.id)
    assert len(await emitted(work, "card-expired")) == 1
    assert await people.reserved_means(work, world.holder.id) == ()


def replace_now(work: Work, now) -> Work:
    return Work(work.connection, now, work.random, work.origin, work.companions, work.audit_mac)


async def test_a_card_works_at_organisations_that_never_linked_it(work: Work, world: World) -> None:
    """LIFE-7: nothing about where it is used is asked."""
    card = await active_card(work, world.holder, world.here)
    await work.connection.execute("update card_link set ended_at = linked_at where card_id = %s", (card.id,))
    assert await cards.require_active(work, card.id) == card


async def test_the_last_use_is_noted_to_the_minute(work: Work, world: World) -> None:
    """LIFE-1."""
    card = await active_card(work, world.holder, world.here)
    assert await cards.last_used_at(work, card.id) is None
    for seconds, noted in ((0, 0), (59, 0), (61, 61)):
        at = work.now + timedelta(seconds=seconds)
        await cards.note_use(replace_now(work, at), card.id)
        assert await cards.last_used_at(work, card.id) == work.now + timedelta(seconds=noted)


async def test_an_organisation_lists_its_own_cards_in_pages(work: Work, world: World) -> None:
    """LIFE-1, LIFE-4."""
    mine = {(await active_card(work, await known_person(work), world.here)).id for _ in range(5)}
    await active_card(work, await known_person(work), world.there)
    used = next(iter(mine))
    await cards.note_use(work, used)

    seen, after = [], None
    while True:
        page = await cards.cards_of_organisation(
            work, organisation_id=world.here.id, by=actor(world.manager), after=after, limit=2
        )
        seen += page.cards
        if page.next is None:
            break
        after = page.next
    assert {listed.card.id for listed in seen} == mine
    assert len(seen) == 5
    assert {listed.card.id for listed in seen if listed.last_used_at} == {used}
    looked = await work.connection.execute("select facts from audit_entry where event = 'cards-listed'")
    assert sorted(row[0]["cards"] for row in await looked.fetchall()) == [1, 2, 2]


@pytest.mark.parametrize("who", ["manager_there", "holder"])
async def test_who_manages_nothing_there_sees_no_list(work: Work, world: World, who: str) -> None:
    """ROLE-6."""
    with pytest.raises(RightMissing):
        await cards.cards_of_organisation(work, organisation_id=world.here.id, by=actor(getattr(world, who)))


async def test_what_is_not_there_is_unknown(work: Work, world: World) -> None:
    nowhere = CardId(uuid4())
    for act in (
        cards.card(work, nowhere),
        cards.card_by_number(work, "NONE"),
        cards.require_active(work, nowhere),
        cards.activate_card(work, card_id=nowhere, by=SYSTEM),
        cards.hold_card(work, card_id=nowhere, reason=HoldReason.lost, by=actor(world.manager)),
    ):
        with pytest.raises(CardUnknown):
            await act
    with pytest.raises(HoldUnknown):
        await cards.release_hold(work, hold_id=HoldId(uuid4()), by=actor(world.manager))
    assert await events_about(work, nowhere) == set()
