"""What is shown is what is signed: the context and its canonical form (docs/desktop-protocol.md, 3 and 4)."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from zorgid.protocol.context import (
    Context,
    MeansUsed,
    Purpose,
    context_matches_act,
    sha256_of_act,
    still_open,
)

UNTIL = datetime(2026, 6, 15, 10, 5, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "origin": "https://id.example",
    "care_application": "Demo-HIS",
    "purpose": Purpose.login,
    "accepts": (MeansUsed.uzi_card,),
    "expires_at": UNTIL,
    "app_key": "A" * 43,
}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(texts, texts, st.sampled_from(Purpose), st.permutations(list(MeansUsed)))
def test_a_context_survives_the_journey_with_the_same_canonical_form(
    application: str, act: str, purpose: Purpose, accepts: list[MeansUsed]
) -> None:
    fields = {"care_application": application, "act": act, "act_sha256": sha256_of_act(act)}
    context = Context(**{**GOOD, **fields, "purpose": purpose, "accepts": tuple(accepts)})
    arrived = Context.model_validate_json(context.model_dump_json())
    assert arrived == context
    assert arrived.canonical() == context.canonical()
    assert json.loads(context.canonical())["care_application"] == application


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://id.example.evil"},
        {"care_application": "Demo-HIS "},
        {"organisation": ""},
        {"purpose": Purpose.make_card},
        {"act": "x"},
        {"act_sha256": "0" * 64},
        {"acr": ""},
        {"accepts": (MeansUsed.smartcard,)},
        {"accepts": tuple(MeansUsed)},
        {"expires_at": UNTIL + timedelta(microseconds=1)},
        {"app_key": "A" * 42 + "B"},
    ],
)
def test_each_part_of_a_context_is_in_what_is_signed(change: dict[str, Any]) -> None:
    assert Context(**{**GOOD, **change}).canonical() != Context(**GOOD).canonical()


def test_a_context_with_something_unknown_in_it_is_refused() -> None:
    with pytest.raises(ValidationError):
        Context(**GOOD, note="please")


def test_a_context_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        Context(**{**GOOD, "expires_at": datetime(2026, 6, 15)})  # noqa: DTZ001 - that is the point


def test_a_context_can_be_answered_until_its_last_moment_exclusive() -> None:
    context = Context(**GOOD)
    assert still_open(context, now=UNTIL - timedelta(microseconds=1))
    assert not still_open(context, now=UNTIL)
    assert not still_open(context, now=UNTIL.astimezone(timezone(timedelta(hours=2))))


@pytest.mark.parametrize(
    ("act", "act_sha256", "matches"),
    [
        (None, None, True),
        ("Ja", sha256_of_act("Ja"), True),
        ("Ja", sha256_of_act("Nee"), False),
        ("Ja", None, False),
        (None, sha256_of_act(""), False),
    ],
)
def test_an_act_is_shown_only_when_it_is_the_hashed_one(
    act: str | None, act_sha256: str | None, matches: bool
) -> None:
    assert context_matches_act(Context(**{**GOOD, "act": act, "act_sha256": act_sha256})) is matches
