"""When the session that is there is proof enough (decision 0240)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.oidc_builders import HIGH, SUBSTANTIAL, a_session

from zorgid.login.model import Session
from zorgid.oidc.errors import LoginRequired, UnmetAuthenticationRequirements
from zorgid.oidc.model import Wishes
from zorgid.oidc.requirement import Circumstances, ProofNeeded, sufficient_session

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)


def decide(
    wishes: Wishes, *, session: Session | None, kept_at: datetime | None = None
) -> Session | ProofNeeded:
    there = Circumstances(session=session, kept_at=kept_at, subject_of=lambda _: "subject-1", now=NOW)
    return sufficient_session(wishes, there)


def aged(**age: float) -> Session:
    return a_session(now=NOW - timedelta(**age))


def test_a_session_is_enough_when_nothing_is_wished() -> None:
    session = aged(minutes=10)
    assert decide(Wishes(), session=session) is session


def test_without_a_session_a_proof_is_needed() -> None:
    assert decide(Wishes(acr_values=(HIGH,)), session=None) == ProofNeeded(HIGH)


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(fresh=True),
        Wishes(max_age_s=0),
        Wishes(max_age_s=600),
        Wishes(acr_values=(SUBSTANTIAL,)),
        Wishes(essential_acrs=(SUBSTANTIAL,)),
        Wishes(subject="somebody else"),
    ],
)
def test_an_older_session_is_not_enough_for_these_wishes(wishes: Wishes) -> None:
    """Modules oidcc-prompt-login, oidcc-max-age-1 and oidcc-id-token-hint."""
    assert isinstance(decide(wishes, session=aged(minutes=10)), ProofNeeded)


@pytest.mark.parametrize(
    "wishes", [Wishes(max_age_s=601), Wishes(acr_values=(SUBSTANTIAL, HIGH)), Wishes(subject="subject-1")]
)
def test_an_older_session_is_enough_for_these_wishes(wishes: Wishes) -> None:
    """Module oidcc-max-age-10000."""
    session = aged(minutes=10)
    assert decide(wishes, session=session) is session


@pytest.mark.parametrize(
    "wishes", [Wishes(fresh=True), Wishes(max_age_s=0), Wishes(acr_values=(SUBSTANTIAL,))]
)
def test_a_proof_given_after_the_request_came_in_is_fresh(wishes: Wishes) -> None:
    """A wished level is answered truthfully; nobody is asked twice."""
    session = aged(seconds=5)
    assert decide(wishes, session=session, kept_at=NOW - timedelta(seconds=30)) is session


def test_a_session_from_before_the_request_is_not_fresh() -> None:
    kept_at = NOW - timedelta(seconds=30)
    assert isinstance(decide(Wishes(fresh=True), session=aged(seconds=31), kept_at=kept_at), ProofNeeded)


@pytest.mark.parametrize("kept_at", [None, NOW - timedelta(minutes=1)])
@pytest.mark.parametrize(
    ("wishes", "session"),
    [
        (Wishes(silent=True), None),
        (Wishes(silent=True, max_age_s=1), aged(minutes=10)),
        (Wishes(silent=True, essential_acrs=(SUBSTANTIAL,)), aged(minutes=10)),
        (Wishes(silent=True, subject="somebody else"), aged(minutes=10)),
    ],
)
def test_with_prompt_none_nobody_is_asked(wishes: Wishes, session: Session | None, kept_at: Any) -> None:
    """Module oidcc-prompt-none-not-logged-in."""
    with pytest.raises(LoginRequired):
        decide(wishes, session=session, kept_at=kept_at)


def test_with_prompt_none_a_wished_level_is_answered_truthfully() -> None:
    """Module oidcc-prompt-none-logged-in."""
    session = aged(minutes=10)
    assert decide(Wishes(silent=True, acr_values=(SUBSTANTIAL,)), session=session) is session


def test_an_essential_level_that_no_means_has_is_refused_at_once() -> None:
    with pytest.raises(UnmetAuthenticationRequirements):
        decide(Wishes(essential_acrs=("urn:mace:incommon:iap:silver",)), session=None)


def test_an_essential_level_that_the_fresh_proof_lacks_is_refused() -> None:
    with pytest.raises(UnmetAuthenticationRequirements):
        decide(
            Wishes(essential_acrs=(SUBSTANTIAL,)),
            session=aged(seconds=5),
            kept_at=NOW - timedelta(seconds=30),
        )


def test_another_person_than_the_one_asked_is_refused() -> None:
    with pytest.raises(LoginRequired):
        decide(Wishes(subject="somebody else"), session=aged(seconds=5), kept_at=NOW - timedelta(seconds=30))
