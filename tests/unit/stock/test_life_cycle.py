"""The life cycle of a blank card, as a table, and who may have one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from zorgid.kernel.ids import IssuanceId
from zorgid.pki.recognise import Level
from zorgid.stock import rules
from zorgid.stock.errors import (
    BlankCardBarred,
    BlankCardInMaking,
    BlankCardNotSold,
    BlankCardUsed,
    CardKindUnknown,
    ChipSerialMalformed,
    ReservationLost,
    StockActRefused,
)
from zorgid.stock.model import BlankCard, StockAct, StockState

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
MINE, OTHER = IssuanceId(UUID(int=1)), IssuanceId(UUID(int=2))

# Written out by hand, so that nobody changes the table of the rules unawares. A failed card that was reset
# goes back to stock, and from there (CARD-10: it was sold) it can be made anew.
PRESCRIBED = {
    "in_stock allocate": "allocated",
    "allocated ship": "shipped",
    "shipped reserve": "in_making",
    "in_stock reserve": "in_making",
    "in_making take-over": "in_making",
    "in_making use": "used",
    "in_making take-back": "in_stock",
    "in_stock bar": "barred",
    "allocated bar": "barred",
    "shipped bar": "barred",
    "in_making bar": "barred",
}


def blank(state: StockState = StockState.shipped, **facts) -> BlankCard:
    fields = {"is_sold": True, "issuance_id": None, "alive_at": None}
    if state is StockState.in_making:
        fields |= {"issuance_id": OTHER, "alive_at": NOW}
    return BlankCard("NR", "123", rules.KINDS["yubikey-5"], state, **{**fields, **facts})


@pytest.mark.parametrize(("state", "act"), list(product(StockState, StockAct)))
def test_every_pair_of_state_and_act_goes_where_it_is_prescribed_or_is_refused(
    state: StockState, act: StockAct
) -> None:
    prescribed = PRESCRIBED.get(f"{state} {act}")
    if prescribed:
        assert rules.next_state(state, act) == prescribed
    else:
        with pytest.raises(StockActRefused) as refusal:
            rules.next_state(state, act)
        assert refusal.value.facts == {"state": state, "act": act}


@pytest.mark.parametrize("is_sold", [True, False])
@pytest.mark.parametrize("state", list(StockState))
def test_a_blank_card_is_reserved_when_it_was_sold_and_is_free(state: StockState, is_sold: bool) -> None:
    """CARD-10."""
    expected = {
        StockState.in_stock: StockAct.reserve if is_sold else BlankCardNotSold,
        StockState.allocated: StockAct.reserve if is_sold else BlankCardNotSold,
        StockState.shipped: StockAct.reserve if is_sold else BlankCardNotSold,
        StockState.in_making: BlankCardInMaking,
        StockState.used: BlankCardUsed,
        StockState.barred: BlankCardBarred,
    }[state]
    card = blank(state, is_sold=is_sold)
    if isinstance(expected, StockAct):
        assert rules.reserving_act(card, MINE, now=NOW) is expected
    else:
        with pytest.raises(expected):
            rules.reserving_act(card, MINE, now=NOW)


@pytest.mark.parametrize(
    ("silent_for", "is_free"),
    [(timedelta(0), False), (timedelta(minutes=29, seconds=59), False), (timedelta(minutes=30), True)],
)
def test_a_reservation_lapses_half_an_hour_after_the_last_sign_of_life(
    silent_for: timedelta, is_free: bool
) -> None:
    """CARD-10; docs/tables.md, a blank card."""
    reserved = blank(StockState.in_making, alive_at=NOW - silent_for)
    if is_free:
        assert rules.reserving_act(reserved, MINE, now=NOW) is StockAct.take_over
    else:
        with pytest.raises(BlankCardInMaking):
            rules.reserving_act(reserved, MINE, now=NOW)


def test_the_issuance_that_has_a_card_keeps_it_however_long_it_was_silent() -> None:
    mine = blank(StockState.in_making, issuance_id=MINE, alive_at=NOW - timedelta(hours=5))
    assert rules.reserving_act(mine, MINE, now=NOW) is StockAct.take_over
    assert rules.require_reserved_for(mine, MINE) is mine


@pytest.mark.parametrize(
    "card", [blank(StockState.in_making), blank(), replace(blank(StockState.used), issuance_id=MINE)]
)
def test_an_issuance_without_the_card_is_told_so(card: BlankCard) -> None:
    with pytest.raises(ReservationLost):
        rules.require_reserved_for(card, MINE)


@pytest.mark.parametrize("serial", ["", "12a", "-1", " 1", "1" * 21, "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_chip_serial_is_made_of_ascii_digits(serial: str) -> None:
    with pytest.raises(ChipSerialMalformed):
        rules.require_chip_serial(serial)


def test_a_kind_that_cannot_attest_has_a_lower_level() -> None:
    """CARD-10; docs/tables.md, a blank card."""
    assert {kind.level for kind in rules.KINDS.values() if kind.attests} == {Level.substantial}
    assert {kind.level for kind in rules.KINDS.values() if not kind.attests} == {Level.low}


def test_every_kind_follows_the_pin_rule_and_has_a_default_key() -> None:
    """CARD-7."""
    for name, kind in rules.KINDS.items():
        assert rules.kind_named(name) is kind
        assert (kind.pin_rule.shortest, kind.pin_rule.longest) == (6, 8)
        assert kind.key_kinds[0] == "rsa2048"


def test_a_virtual_card_is_a_stand_in_and_is_certified_by_no_real_root() -> None:
    for kind in rules.KINDS.values():
        assert kind.is_stand_in == kind.name.startswith("virtual-")
        assert not (kind.is_stand_in and kind.attestation_root == "yubico")
        assert kind.is_stand_in or kind.attestation_root != "test"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(CardKindUnknown):
        rules.kind_named("paper")
