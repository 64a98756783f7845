"""The life cycle of an organisation, as a table."""

from itertools import product

import pytest

from zorgid.organisations.errors import OrganisationActRefused
from zorgid.organisations.model import OrganisationAct, OrganisationState
from zorgid.organisations.rules import CLOSED, TRANSITIONS, next_state

# Written out by hand, so that nobody changes the table of the rules unawares.
PRESCRIBED = {
    "requested ask": "question",
    "question answer": "requested",
    "requested approve": "approved",
    "requested reject": "rejected",
    "requested withdraw": "withdrawn",
    "approved validate": "validated",
    "validated register": "registered",
    "registered merge": "merged",
    "registered end": "ended",
}


@pytest.mark.parametrize(("state", "act"), list(product(OrganisationState, OrganisationAct)))
def test_every_pair_of_state_and_act_goes_where_it_is_prescribed_or_is_refused(
    state: OrganisationState, act: OrganisationAct
) -> None:
    """ORG-3; docs/tables.md, an organisation."""
    prescribed = PRESCRIBED.get(f"{state} {act}")
    if prescribed:
        assert next_state(state, act) == prescribed
    else:
        with pytest.raises(OrganisationActRefused) as refusal:
            next_state(state, act)
        assert refusal.value.facts == {"state": state, "act": act}


def test_every_state_can_be_reached_from_a_request() -> None:
    reached = {OrganisationState.requested}
    while more := {new for (state, _), new in TRANSITIONS.items() if state in reached} - reached:
        reached |= more
    assert reached == set(OrganisationState)


def test_a_closed_organisation_stays_closed() -> None:
    assert not {state for state, _ in TRANSITIONS} & CLOSED
