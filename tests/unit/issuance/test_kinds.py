"""CARD-10: which kinds of blank cards may be made where."""

from types import SimpleNamespace
from typing import Any

import pytest

from zorgid.issuance.errors import KindNotAdmitted
from zorgid.issuance.instructions import require_admitted
from zorgid.stock.rules import KINDS


def setup(*, may_attest_nothing: bool, allows_stand_ins: bool) -> Any:
    return SimpleNamespace(may_attest_nothing=may_attest_nothing, allows_stand_ins=allows_stand_ins)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.is_stand_in], ids=lambda kind: kind.name
)
def test_production_makes_no_card_that_is_a_stand_in(kind):
    with pytest.raises(KindNotAdmitted):
        require_admitted(kind, setup(may_attest_nothing=True, allows_stand_ins=False))
    assert require_admitted(kind, setup(may_attest_nothing=True, allows_stand_ins=True)) is kind


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if not kind.attests], ids=lambda kind: kind.name
)
def test_a_card_that_cannot_attest_needs_the_operators_word(kind):
    with pytest.raises(KindNotAdmitted):
        require_admitted(kind, setup(may_attest_nothing=False, allows_stand_ins=True))
