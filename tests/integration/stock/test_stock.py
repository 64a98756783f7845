"""Blank cards in the database."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.clock import FakeClock
from tests.register_builders import audited, sold_blank_card

from zorgid.audit.model import SYSTEM
from zorgid.kernel.codes import check_character
from zorgid.kernel.ids import IssuanceId
from zorgid.stock import actions as stock
from zorgid.stock.errors import (
    BlankCardBarred,
    BlankCardInMaking,
    BlankCardNotSold,
    BlankCardUnknown,
    BlankCardUsed,
    CardKindUnknown,
    ChipSerialKnown,
    ChipSerialMalformed,
    ReservationLost,
    StockActRefused,
)
from zorgid.stock.model import BlankCard, StockState
from zorgid.storage.database import Database, Origin, Work


def issuance() -> IssuanceId:
    return IssuanceId(uuid4())


async def reserve(work: Work, card: BlankCard, issuance_id: IssuanceId) -> BlankCard:
    return await stock.reserve_for_making(
        work, chip_serial=card.chip_serial, issuance_id=issuance_id, by=SYSTEM
    )


async def test_a_card_goes_from_the_box_to_its_making_and_each_step_is_in_the_log(work: Work) -> None:
    """SHOP-3, CARD-10, AUD-1."""
    card, mine = await sold_blank_card(work, chip_serial="12345678"), issuance()
    assert (await reserve(work, card, mine)).state is StockState.in_making
    used = await stock.mark_used(work, number=card.number, issuance_id=mine, by=SYSTEM)

    assert (used.state, used.is_sold, used.issuance_id) == (StockState.used, True, None)
    assert set(await audited(work, card.number)) == {
        ("blank-card-added", None, None),
        ("blank-card-allocated", "in_stock", "allocated"),
        ("blank-card-shipped", "allocated", "shipped"),
        ("blank-card-reserved", "shipped", "in_making"),
        ("blank-card-used", "in_making", "used"),
    }


async def test_a_card_number_can_be_read_aloud_and_shows_a_slip(work: Work) -> None:
    card = await sold_blank_card(work)
    assert len(card.number) == 9
    assert check_character(card.number[:-1]) == card.number[-1]


async def test_a_chip_is_on_the_list_once(work: Work) -> None:
    await sold_blank_card(work, chip_serial="1")
    with pytest.raises(ChipSerialKnown):
        await stock.add_to_stock(work, chip_serial="1", kind="yubikey-5", by=SYSTEM)


async def test_what_cannot_be_a_card_is_not_added(work: Work) -> None:
    with pytest.raises(ChipSerialMalformed):
        await stock.add_to_stock(work, chip_serial="0x1", kind="yubikey-5", by=SYSTEM)
    with pytest.raises(CardKindUnknown):
        await stock.add_to_stock(work, chip_serial="1", kind="paper", by=SYSTEM)


async def test_a_number_that_was_drawn_before_is_drawn_anew(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["SAME", "SAME", "OTHER"])
    monkeypatch.setattr(stock, "new_code", lambda *_: next(drawn))
    first = await stock.add_to_stock(work, chip_serial="1", kind="yubikey-5", by=SYSTEM)
    second = await stock.add_to_stock(work, chip_serial="2", kind="yubikey-5", by=SYSTEM)
    assert (first.number, second.number) == ("SAME", "OTHER")


async def test_a_foreign_card_is_unknown(work: Work) -> None:
    """CARD-10."""
    with pytest.raises(BlankCardUnknown):
        await stock.reserve_for_making(work, chip_serial="404", issuance_id=issuance(), by=SYSTEM)


async def test_a_card_that_was_never_sold_is_not_made(work: Work) -> None:
    """CARD-10."""
    card = await stock.add_to_stock(work, chip_serial="1", kind="yubikey-5", by=SYSTEM)
    with pytest.raises(BlankCardNotSold):
        await reserve(work, card, issuance())
    await stock.allocate(work, number=card.number, by=SYSTEM)
    with pytest.raises(BlankCardNotSold):
        await reserve(work, card, issuance())


async def test_of_many_people_with_one_blank_card_one_gets_it(database: Database, origin: Origin) -> None:
    """CARD-9, CARD-10: a race."""
    async with database.work(origin) as work:
        card = await sold_blank_card(work)

    async def ask() -> bool:
        try:
            async with database.work(origin) as work:
                await reserve(work, card, issuance())
        except BlankCardInMaking:
            return False
        return True

    assert sorted(await asyncio.gather(*(ask() for _ in range(5)))) == [False, False, False, False, True]


async def test_of_two_who_take_over_a_lapsed_card_one_gets_it(
    database: Database, origin: Origin, clock: FakeClock
) -> None:
    async with database.work(origin) as work:
        card = await sold_blank_card(work)
        await reserve(work, card, issuance())
    clock.advance(timedelta(minutes=30))

    async def ask() -> bool:
        try:
            async with database.work(origin) as work:
                await reserve(work, card, issuance())
        except BlankCardInMaking:
            return False
        return True

    assert sorted(await asyncio.gather(ask(), ask())) == [False, True]


async def test_a_sign_of_life_keeps_the_card_and_silence_loses_it(
    database: Database, origin: Origin, clock: FakeClock
) -> None:
    """CARD-10; docs/tables.md, a blank card."""
    mine = issuance()
    async with database.work(origin) as work:
        card = await sold_blank_card(work)
        await reserve(work, card, mine)
    clock.advance(timedelta(minutes=20))
    async with database.work(origin) as work:
        assert (await reserve(work, card, mine)).alive_at == clock.at
    clock.advance(timedelta(minutes=20))
    async with database.work(origin) as work:
        await stock.keep_alive(work, number=card.number, issuance_id=mine)
    clock.advance(timedelta(minutes=20))
    with pytest.raises(BlankCardInMaking):
        async with database.work(origin) as work:
            await reserve(work, card, issuance())
    clock.advance(timedelta(minutes=10))
    async with database.work(origin) as work:
        await reserve(work, card, issuance())
        for late in (
            stock.keep_alive(work, number=card.number, issuance_id=mine),
            stock.mark_used(work, number=card.number, issuance_id=mine, by=SYSTEM),
            stock.return_to_stock(work, number=card.number, issuance_id=mine, by=SYSTEM),
            stock.bar(work, number=card.number, issuance_id=mine, by=SYSTEM),
        ):
            with pytest.raises(ReservationLost):
                await late


async def test_a_failed_card_that_was_reset_can_be_made_anew(work: Work) -> None:
    """CARD-9; docs/desktop-protocol.md, chapter 7."""
    card, mine = await sold_blank_card(work), issuance()
    await reserve(work, card, mine)
    returned = await stock.return_to_stock(work, number=card.number, issuance_id=mine, by=SYSTEM)
    assert (returned.state, returned.is_sold) == (StockState.in_stock, True)
    assert (await reserve(work, card, issuance())).state is StockState.in_making


async def test_a_card_that_could_not_be_reset_is_barred_for_good(work: Work) -> None:
    """CARD-9; docs/desktop-protocol.md, chapter 7."""
    card = await sold_blank_card(work)
    await reserve(work, card, issuance())
    await stock.bar(work, number=card.number, by=SYSTEM)
    with pytest.raises(BlankCardBarred):
        await reserve(work, card, issuance())
    with pytest.raises(StockActRefused):
        await stock.bar(work, number=card.number, by=SYSTEM)
    assert ("blank-card-barred", "in_making", "barred") in await audited(work, card.number)


async def test_a_used_card_is_used_for_good(work: Work) -> None:
    """CARD-10."""
    card, mine = await sold_blank_card(work), issuance()
    await reserve(work, card, mine)
    await stock.mark_used(work, number=card.number, issuance_id=mine, by=SYSTEM)
    with pytest.raises(BlankCardUsed):
        await reserve(work, card, mine)
    with pytest.raises(StockActRefused):
        await stock.bar(work, number=card.number, by=SYSTEM)


async def test_one_card_is_allocated_once(database: Database, origin: Origin) -> None:
    """SHOP-3: two orders at once."""
    async with database.work(origin) as work:
        card = await stock.add_to_stock(work, chip_serial="1", kind="yubikey-5", by=SYSTEM)

    async def allocate() -> bool:
        try:
            async with database.work(origin) as work:
                await stock.allocate(work, number=card.number, by=SYSTEM)
        except StockActRefused:
            return False
        return True

    assert sorted(await asyncio.gather(*(allocate() for _ in range(3)))) == [False, False, True]


async def test_an_unknown_number_is_refused(work: Work) -> None:
    with pytest.raises(BlankCardUnknown):
        await stock.ship(work, number="NONE", by=SYSTEM)
