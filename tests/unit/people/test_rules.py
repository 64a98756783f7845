"""Tries at a birth date, and one kind of means a person."""

from datetime import date, timedelta
from itertools import product

import pytest

from zorgid.people import rules
from zorgid.people.errors import BirthDateTriesSpent, BirthDateUnfit, OtherMeansReserved
from zorgid.people.model import MeansKind, MeansPolicy

TODAY = date(2026, 6, 15)
KINDS = list(MeansKind)


@pytest.mark.parametrize("birth_on", [date(1899, 12, 31), TODAY + timedelta(days=1), date(9999, 1, 1)])
def test_a_date_that_cannot_be_a_birth_date_is_refused_before_it_is_compared(birth_on: date) -> None:
    """ALL-2."""
    with pytest.raises(BirthDateUnfit):
        rules.require_fit_birth_date(birth_on, today=TODAY)


@pytest.mark.parametrize("birth_on", [date(1900, 1, 1), date(2000, 2, 29), TODAY])
def test_any_day_since_1900_may_be_a_birth_date(birth_on: date) -> None:
    assert rules.require_fit_birth_date(birth_on, today=TODAY) == birth_on


def test_there_are_three_tries_a_day() -> None:
    """docs/decisions/0410-birth-date.md."""
    assert [rules.tries_left_after(wrong) for wrong in range(5)] == [3, 2, 1, 0, 0]
    rules.require_tries_left(2)
    with pytest.raises(BirthDateTriesSpent):
        rules.require_tries_left(3)


def test_nobody_is_asked_to_try_again_when_no_try_is_left() -> None:
    said = [rules.refusal_of_wrong_date(wrong) for wrong in (1, 2, 3, 4)]
    assert [one.code for one in said] == ["birth-date-wrong"] * 2 + ["birth-date-tries-spent"] * 2
    assert all(one.keeps_changes for one in said), "the counted try stays counted"


@pytest.mark.parametrize(
    ("kind", "taken"), list(product(KINDS, [(), *((one,) for one in KINDS), tuple(KINDS)]))
)
def test_a_kind_of_means_is_free_unless_another_kind_is_taken(
    kind: MeansKind, taken: tuple[MeansKind, ...]
) -> None:
    """CARD-4, ROLE-4."""
    rules.require_free(kind, taken=taken, policy=MeansPolicy.both_kinds)
    others = [other for other in taken if other != kind]
    if others:
        with pytest.raises(OtherMeansReserved) as refusal:
            rules.require_free(kind, taken=taken, policy=MeansPolicy.one_kind)
        assert refusal.value.facts == {"kind": others[0]}
    else:
        rules.require_free(kind, taken=taken, policy=MeansPolicy.one_kind)
