"""A making that is broken off, at every position there is (CARD-9).

The card pulled, the app killed, the platform gone: after each the same employee goes on with a fresh proof, and
ends with one active card with good certificates. Never is a certificate of an unfinished making good. Nothing
secret is in the log of all these walks: the fixture `world` looks at its end (ALL-4).
"""

import pytest
from tests.scenarios import breaks
from tests.scenarios.surviving import MADE, Kind, every_position
from tests.scenarios.world import Scenario


@pytest.mark.parametrize("kind", [breaks.PulledBefore, breaks.PulledAfter])
def test_a_pulled_card_is_put_in_again_and_the_making_goes_on(world: Scenario, kind: Kind) -> None:
    ended = every_position(world, kind)
    assert len(ended) > 100
    assert set(ended) == {MADE}


def test_the_app_may_be_killed_after_any_command(world: Scenario) -> None:
    """Before a command is the same as after the one before it, or as after a request; both are tried."""
    assert len(every_position(world, breaks.KilledAfterApdu)) > 100


@pytest.mark.parametrize("kind", [breaks.PulledAfter, breaks.KilledAfterApdu])
def test_a_making_may_be_broken_off_while_the_card_is_emptied(world: Scenario, kind: Kind) -> None:
    """The second making on a card that the first one wrote: its reset can break off as well."""
    ended = every_position(world, breaks.only_while_preparing(kind), half_made=True)
    assert len(ended) > 12


@pytest.mark.parametrize("kind", [breaks.KilledBeforeRequest, breaks.KilledAfterRequest])
def test_the_app_may_be_killed_at_any_request(world: Scenario, kind: Kind) -> None:
    assert len(every_position(world, kind)) > 9


@pytest.mark.parametrize("kind", [breaks.Undelivered, breaks.AnswerLost])
def test_the_platform_may_be_gone_from_any_request_on(world: Scenario, kind: Kind) -> None:
    assert len(every_position(world, kind)) > 9


@pytest.mark.parametrize("kind", [breaks.UndeliveredOnce, breaks.AnswerLostOnce])
def test_a_lost_request_or_answer_is_not_noticed(world: Scenario, kind: Kind) -> None:
    ended = every_position(world, kind)
    assert len(ended) > 9
    assert set(ended) == {MADE}


@pytest.mark.parametrize("kind", [breaks.DiesBeforeCommit, breaks.DiesAfterCommit])
def test_the_platform_may_die_in_any_transaction_and_come_back(world: Scenario, kind: Kind) -> None:
    ended = every_position(world, kind)
    assert len(ended) > 20


@pytest.mark.parametrize("kind", [breaks.DiesBeforeCommitForLong, breaks.DiesAfterCommitForLong])
def test_the_platform_may_die_in_any_transaction_for_long(world: Scenario, kind: Kind) -> None:
    assert len(every_position(world, kind)) > 20
