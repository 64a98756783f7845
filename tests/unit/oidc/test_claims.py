"""What tokens say and what they keep to themselves."""

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.oidc_builders import HIGH, ISSUER
from tests.unit.oidc.test_redeem import a_grant

from zorgid.kernel.ids import PersonId
from zorgid.oidc.claims import (
    access_token_claims,
    id_token_claims,
    is_in_force,
    pairwise_subject,
    signed_userinfo_claims,
    userinfo_claims,
)
from zorgid.oidc.model import Jti, Organisation

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
PERSON = PersonId(UUID(int=7))


def mac(data: bytes) -> bytes:
    return hmac.digest(b"key", data, "sha256")


def test_a_subject_is_the_same_in_a_sector_and_different_elsewhere() -> None:
    """OpenID Connect Core 1.0, section 8.1."""
    here = pairwise_subject(mac, "a.example", PERSON)
    assert here == pairwise_subject(mac, "a.example", PERSON)
    others = {
        pairwise_subject(mac, "b.example", PERSON),
        pairwise_subject(mac, "a.example", PersonId(UUID(int=8))),
        pairwise_subject(lambda data: hmac.digest(b"other", data, "sha256"), "a.example", PERSON),
    }
    assert len(others - {here}) == 3


def test_an_id_token_lives_five_minutes_and_has_no_amr() -> None:
    """OpenID NLGov."""
    claims = id_token_claims(a_grant(), issuer=ISSUER, subject="s", jti=Jti("j"), now=NOW)
    assert claims["exp"] - claims["iat"] == 300
    assert {"nbf", "auth_time", "acr", "sid", "nonce", "jti"} <= set(claims)
    assert "amr" not in claims
    assert not {name for name in claims if name.startswith("urn:")}


def test_an_id_token_without_a_nonce_makes_none_up() -> None:
    grant = replace(a_grant(), nonce=None)
    assert "nonce" not in id_token_claims(grant, issuer=ISSUER, subject="s", jti=Jti("j"), now=NOW)


def test_a_claim_asked_in_the_id_token_stands_there_and_nothing_else_can_be_asked() -> None:
    """OpenID Connect Core 1.0, section 5.5; module oidcc-claims-essential."""
    asked = replace(a_grant(), id_token_claims=("name", "iss", "person_id", "urn:zorgid:means"))
    claims = id_token_claims(asked, issuer=ISSUER, subject="s", jti=Jti("j"), now=NOW)
    assert claims["name"] == "A. de Vries"
    assert claims["urn:zorgid:means"] == "smartcard"
    assert claims["iss"] == ISSUER
    assert "person_id" not in claims


def test_an_access_token_names_its_client_twice_and_one_audience_as_text() -> None:
    """NL GOV asks `azp`, RFC 9068 `client_id`."""
    claims = access_token_claims(
        a_grant(), issuer=ISSUER, subject="s", audiences=("https://userinfo",), jti=Jti("j"), now=NOW
    )
    assert claims["azp"] == claims["client_id"] == "xis"
    assert claims["aud"] == "https://userinfo"
    assert claims["exp"] - claims["iat"] <= 3600
    assert claims["acr"] == HIGH


def test_userinfo_names_the_organisation_of_work_apart_from_the_card() -> None:
    """LOGIN-3."""
    guest = replace(a_grant(), organisation=Organisation("90001234", "De Linde", guest=True))
    told = userinfo_claims(guest, subject="s")
    assert told["urn:zorgid:ura_on_card"] == "90001234"
    assert told["urn:zorgid:organisation"] == {"ura": "90001234", "name": "De Linde", "guest": True}
    signed = signed_userinfo_claims(guest, issuer=ISSUER, subject="s", now=NOW)
    assert signed["aud"] == "xis"
    assert told.items() <= signed.items()


@pytest.mark.parametrize(
    ("seconds", "holds"), [(-11, False), (-10, True), (0, True), (59, True), (60, False), (61, False)]
)
def test_a_token_is_in_force_from_its_beginning_until_before_its_end(seconds: int, *, holds: bool) -> None:
    claims = {"nbf": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 60}
    assert is_in_force(claims, now=NOW + timedelta(seconds=seconds)) is holds


@pytest.mark.parametrize(
    "claims", [{}, {"exp": 9e9, "nbf": 1}, {"exp": "9999999999", "nbf": 1}, {"exp": 9999999999}]
)
def test_a_token_without_whole_bounds_is_never_in_force(claims: dict) -> None:
    assert not is_in_force(claims, now=NOW)
