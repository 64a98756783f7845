"""The tables of the login room, walked over all pairs, and when things are over (LOGIN-4…6, LOGIN-10, CARD-2)."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zorgid.kernel.errors import Refusal
from zorgid.kernel.ids import PersonId, SessionId, TransactionId
from zorgid.login import rules
from zorgid.login.errors import SessionEnded, TransactionNotOpen
from zorgid.login.model import Means, MeansUsed, ProvedCard, Purpose, Session, Shown, Transaction
from zorgid.login.rules import Act
from zorgid.protocol.messages import TransactionState

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)

PRESCRIBED = {
    "new attach": "attached",
    "attached attach": "attached",
    "attached prove": "proved",
    "proved prove": "proved",
    "proved complete": "completed",
    "new cancel": "cancelled",
    "attached cancel": "cancelled",
    "cancelled cancel": "cancelled",
    "attached abort": "aborted",
    "proved abort": "aborted",
    "new expire": "expired",
    "attached expire": "expired",
    "proved expire": "expired",
}
"""Written out by hand, so that nobody changes the table of the rules unawares."""


@pytest.mark.parametrize(("state", "act"), list(product(TransactionState, Act)))
def test_every_pair_of_state_and_act_goes_where_the_protocol_says_or_is_refused(
    state: TransactionState, act: Act
) -> None:
    prescribed = PRESCRIBED.get(f"{state} {act}")
    if prescribed:
        assert rules.next_state(state, act) == prescribed
        assert state in rules.states_before(act)
        return
    with pytest.raises(TransactionNotOpen) as refused:
        rules.next_state(state, act)
    assert refused.value.facts == {"state": state}
    assert state not in rules.states_before(act)


@pytest.mark.parametrize("state", ["completed", "cancelled", "aborted", "expired"])
def test_what_ended_never_goes_on(state: TransactionState) -> None:
    """A second try to cancel changes nothing."""
    after = {to for (origin, _), to in rules.TRANSITIONS.items() if origin == state}
    assert after <= {state}


def test_nothing_is_completed_that_was_not_proved() -> None:
    before = {origin for (origin, _), to in rules.TRANSITIONS.items() if to == "completed"}
    assert before == {"proved"}


def transaction(state: TransactionState, **facts: Any) -> Transaction:
    fields: dict[str, Any] = {
        "id": TransactionId(UUID(int=1)),
        "purpose": Purpose.login,
        "state": state,
        "shown": Shown("Demo-HIS"),
        "acr": None,
        "accepts": tuple(MeansUsed),
        "return_to": "/",
        "browser": "default",
        "address": None,
        "created_at": NOW,
        "expires_at": NOW + rules.TRANSACTION_LASTS,
        "app_key": None,
        "challenge": None,
        "context": None,
        "proved": None,
        "person_id": None,
        "completion_expires_at": None,
        "completed_at": None,
    }
    return Transaction(**{**fields, **facts})


@pytest.mark.parametrize("state", TransactionState)
def test_five_minutes_end_what_is_open_and_nothing_else(state: TransactionState) -> None:
    is_open = state in {"new", "attached", "proved"}
    one = transaction(state)
    assert rules.state_at(one, now=one.expires_at - MOMENT) is state
    assert rules.state_at(one, now=one.expires_at) == ("expired" if is_open else state)


def test_a_proof_is_over_with_its_code_after_a_minute() -> None:
    """ALL-4."""
    one = transaction(TransactionState.proved, completion_expires_at=NOW + rules.COMPLETION_LASTS)
    assert timedelta(seconds=60) >= rules.COMPLETION_LASTS
    assert rules.state_at(one, now=NOW + rules.COMPLETION_LASTS - MOMENT) == "proved"
    assert rules.state_at(one, now=NOW + rules.COMPLETION_LASTS) == "expired"


def proved(kind: MeansUsed, card_type: str | None, role: str | None = "00.000") -> ProvedCard:
    means = Means(kind, "reference", "900000201", "90000382", "Sanne", "http://eidas.europa.eu/LoA/high")
    return ProvedCard(means, b"", None, card_type, role, "", "", "")


CARDS = {
    "Z": proved(MeansUsed.uzi_card, "Z", "01.015"),
    "Z83": proved(MeansUsed.uzi_card, "Z", rules.PHARMACY_ASSISTANT),
    "N": proved(MeansUsed.uzi_card, "N"),
    "M": proved(MeansUsed.uzi_card, "M", None),
    "smartcard": proved(MeansUsed.smartcard, None, None),
}
GOOD = "good"
FITS = {
    ("login", "Z"): GOOD,
    ("login", "Z83"): GOOD,
    ("login", "N"): GOOD,
    ("login", "M"): "card-without-name",
    ("login", "smartcard"): GOOD,
    ("make-card", "Z"): "make-card-with-z",
    ("make-card", "Z83"): "make-card-with-z-83",
    ("make-card", "N"): GOOD,
    ("make-card", "M"): "card-without-name",
    ("make-card", "smartcard"): "means-not-accepted",
    ("validate-organisation", "Z"): GOOD,
    ("validate-organisation", "Z83"): GOOD,
    ("validate-organisation", "N"): "uzi-card-type-not-for-purpose",
    ("validate-organisation", "M"): "card-without-name",
    ("validate-organisation", "smartcard"): "means-not-accepted",
    ("prove-new-card", "Z"): "means-not-accepted",
    ("prove-new-card", "Z83"): "means-not-accepted",
    ("prove-new-card", "N"): "means-not-accepted",
    ("prove-new-card", "M"): "means-not-accepted",
    ("prove-new-card", "smartcard"): GOOD,
}
"""CARD-2, ORG-4, LOGIN-2."""


@pytest.mark.parametrize(("purpose", "card"), list(product(Purpose, CARDS)))
def test_each_purpose_takes_its_cards_and_refuses_the_others_by_name(purpose: Purpose, card: str) -> None:
    expected = FITS[purpose, card]
    if expected == GOOD:
        assert rules.require_fit(CARDS[card], purpose=purpose, accepts=tuple(MeansUsed)) is CARDS[card]
        return
    with pytest.raises(Refusal) as refused:
        rules.require_fit(CARDS[card], purpose=purpose, accepts=tuple(MeansUsed))
    assert refused.value.code == expected


@pytest.mark.parametrize("card", CARDS)
def test_a_client_that_takes_one_kind_of_card_gets_no_other(card: str) -> None:
    for accepted in MeansUsed:
        if CARDS[card].means.kind is accepted:
            continue
        with pytest.raises(Refusal) as refused:
            rules.require_fit(CARDS[card], purpose=Purpose.login, accepts=(accepted,))
        assert refused.value.code == "means-not-accepted"
        assert refused.value.facts == {"used": CARDS[card].means.kind, "accepted": accepted}


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("card_type", [None, "", "S", "n"])
def test_a_uzi_card_of_a_type_that_is_not_listed_fits_no_purpose(
    purpose: Purpose, card_type: str | None
) -> None:
    card = proved(MeansUsed.uzi_card, card_type)
    with pytest.raises(Refusal):
        rules.require_fit(card, purpose=purpose, accepts=tuple(MeansUsed))


def test_every_purpose_has_its_rule() -> None:
    assert set(rules.PURPOSES) == set(Purpose)
    assert all(rule.means for rule in rules.PURPOSES.values())


@pytest.mark.parametrize("act", Act)
def test_the_states_before_an_act_are_named_once(act: Act) -> None:
    """They stand in the condition of the update that does the act."""
    before = rules.states_before(act)
    assert before
    assert len(before) == len(set(before))


def test_a_proof_is_over_with_its_transaction_when_that_ends_first() -> None:
    end = NOW + rules.TRANSACTION_LASTS
    one = transaction(TransactionState.proved, completion_expires_at=end + MOMENT)
    assert rules.ends_at(one) == end
    assert rules.state_at(one, now=end) == "expired"


def test_a_completion_that_was_not_asked_for_yet_ends_nothing() -> None:
    one = transaction(TransactionState.attached, completion_expires_at=NOW)
    assert rules.ends_at(one) == one.expires_at


def test_nothing_is_admitted_where_nothing_is_accepted() -> None:
    with pytest.raises(Refusal):
        rules.require_fit(CARDS["N"], purpose=Purpose.login, accepts=())


def session(**facts: Any) -> Session:
    fields: dict[str, Any] = {
        "id": SessionId(UUID(int=2)),
        "sid": "sid",
        "person_id": PersonId(UUID(int=3)),
        "means": CARDS["N"].means,
        "authenticated_at": NOW,
        "created_at": NOW,
        "last_seen_at": NOW,
        "expires_at": NOW + rules.SESSION_LASTS,
    }
    return Session(**{**fields, **facts})


def test_a_session_is_over_after_a_quarter_of_an_hour_of_silence() -> None:
    """LOGIN-10."""
    one = session()
    assert rules.require_alive(one, now=NOW + timedelta(minutes=15) - MOMENT) is one
    with pytest.raises(SessionEnded) as ended:
        rules.require_alive(one, now=NOW + timedelta(minutes=15))
    assert ended.value.facts == {"reason": "idle"}


def test_a_session_in_use_is_over_after_ten_hours() -> None:
    """LOGIN-10."""
    late = NOW + timedelta(hours=10)
    one = session(last_seen_at=late - timedelta(minutes=1))
    assert rules.require_alive(one, now=late - MOMENT) is one
    with pytest.raises(SessionEnded) as ended:
        rules.require_alive(one, now=late)
    assert ended.value.facts == {"reason": "too-old"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/portal/cards?number=1&lang=nl",
        "/oauth/connect/authorize?x=%2F%2Fa",
        "/é",
        "/%2F%2Fevil.example",
        "/%5Cevil.example",
        "/a//b",
        "/@evil.example",
        "/:80",
    ],
)
def test_a_local_path_leads_to_this_host(path: str) -> None:
    assert rules.is_local_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "/a\\b",
        "/a\nb",
        "/a\tb",
        "\t//x",
        " /x",
        "/\x00",
        "///evil.example",
        "/\x7f",
        "/\x85/evil.example",
        "/\u2028x",
        "/\u202eelpmaxe",
        "javascript:alert(1)",
        "http:evil.example",
        "%2F%2Fevil.example",
        "\\\\evil.example",
        "?next=/",
        "#/",
        ".//evil.example",
    ],
)
def test_what_could_lead_elsewhere_is_no_local_path(path: str) -> None:
    assert not rules.is_local_path(path)


@given(st.text())
def test_a_local_path_never_names_a_host(path: str) -> None:
    from urllib.parse import urljoin, urlsplit

    if rules.is_local_path(path):
        assert urlsplit(urljoin("https://id.example/here", path)).netloc == "id.example"
