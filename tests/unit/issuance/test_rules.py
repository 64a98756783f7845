"""The steps of a making as a table, walked over all pairs, and what decides between them (CARD-9, ALL-8)."""

from datetime import UTC, datetime, timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zorgid.issuance import rules
from zorgid.issuance.errors import CardNotBlank, IssuanceOver, NotAtThisStep
from zorgid.issuance.model import IssuanceAct
from zorgid.kernel.ids import OrganisationId
from zorgid.protocol.messages import IssuanceStep

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)

PRESCRIBED = {
    "birth-date state-birth-date": "blank-card",
    "blank-card state-birth-date": "blank-card",
    "blank-card reserve": "certificates",
    "certificates reserve": "certificates",
    "kept reserve": "certificates",
    "prove reserve": "certificates",
    "certificates certify": "kept",
    "kept certify": "kept",
    "kept keep": "prove",
    "prove keep": "prove",
    "prove prove": "done",
    "done prove": "done",
    "blank-card abandon": "blank-card",
    "certificates abandon": "blank-card",
    "kept abandon": "blank-card",
    "prove abandon": "blank-card",
    "birth-date fail": "failed",
    "blank-card fail": "failed",
    "certificates fail": "failed",
    "kept fail": "failed",
    "prove fail": "failed",
}
"""Written out by hand, so that nobody changes the table of the rules unawares."""


@pytest.mark.parametrize(("step", "act"), list(product(IssuanceStep, IssuanceAct)))
def test_every_pair_of_step_and_act_goes_where_it_is_prescribed_or_is_refused(
    step: IssuanceStep, act: IssuanceAct
) -> None:
    prescribed = PRESCRIBED.get(f"{step} {act}")
    if prescribed:
        assert rules.next_step(step, act) == prescribed
        return
    with pytest.raises(NotAtThisStep) as refused:
        rules.next_step(step, act)
    assert refused.value.facts == {"step": step, "act": act}


@pytest.mark.parametrize("act", [act for act in IssuanceAct if act is not IssuanceAct.fail])
def test_an_act_whose_answer_was_lost_can_be_asked_again(act: IssuanceAct) -> None:
    """ALL-8: after each step that an act leads to, the same act leads there again."""
    for (_, known), after in rules.STEPS.items():
        if known is act:
            assert rules.next_step(after, act) is after


def test_no_certificate_becomes_good_without_a_kept_puk_and_a_proof() -> None:
    """CARD-8: the only way to done goes through keep and prove."""
    into = {
        after: {step for (step, _), to in rules.STEPS.items() if to is after and step is not after}
        for after in IssuanceStep
    }
    assert into[IssuanceStep.done] == {"prove"}
    assert into[IssuanceStep.prove] == {"kept"}
    assert into[IssuanceStep.kept] == {"certificates"}


def test_an_end_is_an_end() -> None:
    assert {to for (step, _), to in rules.STEPS.items() if step in rules.OVER} == {IssuanceStep.done}
    assert IssuanceStep.failed not in {step for step, _ in rules.STEPS}


def issuance(step: IssuanceStep) -> Any:
    return SimpleNamespace(step=step, expires_at=NOW + rules.ISSUANCE_LASTS)


@pytest.mark.parametrize("step", IssuanceStep)
def test_a_making_is_over_after_a_day_unless_it_is_done(step: IssuanceStep) -> None:
    one = issuance(step)
    end = one.expires_at
    assert timedelta(hours=24) == rules.ISSUANCE_LASTS
    if step is IssuanceStep.failed:
        with pytest.raises(IssuanceOver):
            rules.require_open(one, now=NOW)
        return
    assert rules.require_open(one, now=end - MOMENT) is one
    if step is IssuanceStep.done:
        assert rules.require_open(one, now=end) is one
        return
    with pytest.raises(IssuanceOver):
        rules.require_open(one, now=end)


guids = st.binary(min_size=16, max_size=16)


@given(guids, st.frozensets(guids))
def test_only_a_card_without_identity_or_with_one_of_ours_is_blank(
    guid: bytes, ours: frozenset[bytes]
) -> None:
    assert rules.require_blank(None, ours=ours) is None
    assert rules.require_blank(guid, ours=ours | {guid}) == guid
    with pytest.raises(CardNotBlank):
        rules.require_blank(guid, ours=ours - {guid})


def proved(**facts: str) -> Any:
    means = {"uzi_number": "900000201", "ura": "90000382", "full_name": "Sanne van der Berg"}
    return SimpleNamespace(means=SimpleNamespace(**{**means, **facts}))


HERE, THERE = OrganisationId(UUID(int=1)), OrganisationId(UUID(int=2))


def former() -> Any:
    return SimpleNamespace(proved=proved(), expires_at=NOW + rules.ISSUANCE_LASTS, organisation_id=HERE)


def test_a_fresh_proof_goes_on_with_the_open_making_of_its_day() -> None:
    """CARD-9."""
    end = former().expires_at
    assert rules.can_go_on(former(), proved(), organisation_id=HERE, now=end - MOMENT)
    assert not rules.can_go_on(former(), proved(), organisation_id=HERE, now=end)


@pytest.mark.parametrize(
    "other", [{"uzi_number": "900000202"}, {"ura": "90000401"}, {"full_name": "Sanne Jansen"}], ids=str
)
def test_a_proof_of_other_facts_starts_over(other: dict[str, str]) -> None:
    """CARD-5: the certificates carry what the UZI card says now."""
    assert not rules.can_go_on(former(), proved(**other), organisation_id=HERE, now=NOW)


def test_a_proof_for_another_organisation_starts_over() -> None:
    assert not rules.can_go_on(former(), proved(), organisation_id=THERE, now=NOW)
