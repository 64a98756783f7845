"""CARD-10: which kinds of blank cards may be made where."""

from types import SimpleNamespace
from typing import Any

import pytest

from zorgid.issuance.errors import KindNotAdmitted
from zorgid.issuance.instructions import require_admitted
from zorgid.pki.algorithms import KeyKind
from zorgid.stock.rules import KINDS


def setup(*, may_attest_nothing: bool, allows_stand_ins: bool, key_kind: KeyKind | None = None) -> Any:
    return SimpleNamespace(
        may_attest_nothing=may_attest_nothing, allows_stand_ins=allows_stand_ins, key_kind=key_kind
    )


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


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("chosen", KeyKind)
def test_a_card_that_lacks_the_chosen_kind_of_keys_is_refused_and_gets_no_other(chosen, kind):
    asked = setup(may_attest_nothing=True, allows_stand_ins=True, key_kind=chosen)
    if chosen in kind.key_kinds:
        assert require_admitted(kind, asked) is kind
    else:
        with pytest.raises(KindNotAdmitted):
            require_admitted(kind, asked)
