"""Each check of an authorisation request, by what it refuses and what it lets through (LOGIN-1, LOGIN-8)."""

import json
from typing import Any

import pytest
from tests.oidc_builders import HIGH, REDIRECT, SUBSTANTIAL, a_client, a_request, challenge

from zorgid.clients.model import Profile
from zorgid.oidc.authorise import ADDRESS_CHECKS, AUTHORISATION_CHECKS, checked_request
from zorgid.oidc.errors import InvalidRequest, OAuthRefusal, ResponseMode, Target
from zorgid.oidc.model import AuthorisationRequest, Scope
from zorgid.oidc.parameters import UnverifiedParameters

LONG_NONCE = "n" * 2048


def read_hint(hint: str) -> str:
    if hint != "our-token":
        raise InvalidRequest(description="not ours")
    return "subject-1"


def check(request: dict[str, str] | list[tuple[str, str]], **client: Any) -> AuthorisationRequest:
    pairs = list(request.items()) if isinstance(request, dict) else request
    return checked_request(UnverifiedParameters.of(pairs), client=a_client(**client), read_hint=read_hint)


def refusal_of(request: dict[str, str] | list[tuple[str, str]], **client: Any) -> OAuthRefusal:
    with pytest.raises(OAuthRefusal) as caught:
        check(request, **client)
    return caught.value


def test_a_right_request_passes_every_check() -> None:
    checked = check(a_request())
    assert checked.target == Target(REDIRECT, ResponseMode.query, "a state")
    assert checked.scope == (Scope.openid,)
    assert checked.code_challenge == challenge()
    assert checked.nonce == "a nonce"


def test_the_printed_request_of_the_portal_passes_every_check() -> None:
    """LOGIN-1; RFC 6749, section 3.1: unknown parameters are ignored."""
    redirect = "https://productie.zorg-id.nl/portal/signin-oidc"
    printed = a_request(
        client_id="user-management",
        redirect_uri=redirect,
        scope="openid profile api",
        response_mode="form_post",
        nonce="638975156847216595.NmZjNDk3MjktYmEyMS00ODkwLTg4ZGYtMjE1ZTljNDI3YTY1",
        state="CfDJ8CY9cVPPVdpFv3pNBhUSyfQ7ZnZ_Oj9mFh766oRzD_mFlHF9yb9YrQsgHF3T4sj1iaGKhrMFtNZsbfHFjriXQRW5"
        * 3,
        code_challenge="FF54-yjy1psbBfq4DCMZwBCmthCmQQPlK3aCHWSmE8s",
        **{"x-client-SKU": "ID_NET9_0", "x-client-ver": "8.7.0.0"},
    )
    scopes = frozenset({"openid", "profile", "api"})
    checked = check(printed, id="user-management", redirect_uris=(redirect,), scopes=scopes, is_portal=True)
    assert checked.target.mode is ResponseMode.form_post
    assert checked.target.state == printed["state"]
    assert checked.nonce == printed["nonce"]
    assert set(checked.scope) == set(Scope)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_id": None}, "oauth-client-not-known"),
        ({"client_id": "other"}, "oauth-client-not-known"),
        ({"redirect_uri": None}, "oauth-return-address-not-registered"),
        ({"redirect_uri": REDIRECT + "/"}, "oauth-return-address-not-registered"),
        ({"redirect_uri": REDIRECT + "?x=1"}, "oauth-return-address-not-registered"),
        ({"redirect_uri": REDIRECT.upper()}, "oauth-return-address-not-registered"),
        (
            {"redirect_uri": "https://xis.example.evil.example/callback"},
            "oauth-return-address-not-registered",
        ),
        ({"redirect_uri": "https://evil.example/callback"}, "oauth-return-address-not-registered"),
    ],
)
def test_without_a_known_client_and_address_nothing_is_sent_anywhere(
    change: dict[str, str | None], code: str
) -> None:
    """Module oidcc-ensure-registered-redirect-uri and fapi2-…-ensure-registered-redirect-uri."""
    refusal = refusal_of(a_request(**change))
    assert refusal.target is None
    assert refusal.code == code


def test_a_repeated_client_or_address_is_not_answered_to_an_address() -> None:
    for name in ("client_id", "redirect_uri"):
        assert refusal_of([*a_request().items(), (name, "https://evil.example")]).target is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "query.jwt"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://xis.example/request"}, "request_uri_not_supported"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"nonce": LONG_NONCE + "n"}, "invalid_request"),
        ({"scope": None}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid api"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": challenge() + "="}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"prompt": "maybe"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"claims": "["}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": 1}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": {"values": "x"}}}'}, "invalid_request"),
        ({"claims": '{"userinfo": 7}'}, "invalid_request"),
        ({"claims": "[" * 8000}, "invalid_request"),
        ({"claims": '{"a": "' + "x" * 9000 + '"}'}, "invalid_request"),
        ({"id_token_hint": "foreign"}, "invalid_request"),
        ({"id_token_hint": "our-token", "claims": '{"id_token":{"sub":{"value":"x"}}}'}, "invalid_request"),
        ({"organisation": "1234"}, "invalid_request"),
        ({"organisation": "1234567\uff18"}, "invalid_request"),
        ({"login_hint": "x" * 9000}, "invalid_request"),
        ({"ui_locales": "x" * 9000}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_answered_to_the_client_with_its_state(
    change: dict[str, str | None], error: str
) -> None:
    """Modules oidcc-response-type-missing, -ensure-request-object-…, fapi2-…-ensure-request-without-nonce/-state."""
    request = a_request(**change)
    refusal = refusal_of(request)
    assert refusal.error == error
    assert refusal.target is not None
    assert refusal.target.redirect_uri == REDIRECT
    assert refusal.target.state == request.get("state") or "response_mode" in change


@pytest.mark.parametrize("name", ["scope", "state", "nonce", "code_challenge", "response_type", "unknown"])
def test_a_repeated_parameter_is_refused(name: str) -> None:
    """RFC 6749, section 3.1."""
    request = [*a_request(unknown="x").items(), (name, "again")]
    refusal = refusal_of(request)
    assert refusal.error == "invalid_request"
    assert refusal.target is not None


@pytest.mark.parametrize("state", ["line\nfeed", "\x7f", "é", "s" * 8193])
def test_a_state_that_cannot_come_back_byte_for_byte_is_refused_and_not_sent_back(state: str) -> None:
    refusal = refusal_of(a_request(state=state))
    assert refusal.target == Target(REDIRECT)


def test_a_long_state_and_a_very_long_nonce_pass() -> None:
    """Modules fapi2-…-ensure-different-state-inside-…, and -test-with-long-nonce."""
    checked = check(a_request(state="~!&=%+ <>\"'" * 700, nonce=LONG_NONCE))
    assert len(checked.target.state or "") == 7700
    assert checked.nonce == LONG_NONCE


def test_a_client_of_the_other_profile_may_leave_out_state_and_nonce() -> None:
    checked = check(a_request(state=None, nonce=None), profile=Profile.fapi2)
    assert checked.target.state is None
    assert checked.nonce is None


def test_an_empty_value_counts_as_absent() -> None:
    assert refusal_of(a_request(state="")).target == Target(REDIRECT)


def test_a_scope_that_nobody_knows_is_ignored() -> None:
    """OpenID Connect Core 1.0, section 3.1.2.1; module oidcc-scope-…"""
    assert check(a_request(scope="openid offline_access weather")).scope == (Scope.openid,)


def test_api_is_refused_to_a_care_application_even_when_it_is_registered_for_it() -> None:
    scopes = frozenset({"openid", "api"})
    assert refusal_of(a_request(scope="openid api"), scopes=scopes).error == "invalid_scope"


def test_what_the_client_wishes_is_read() -> None:
    wishes = check(
        a_request(
            prompt="login consent", max_age="0", acr_values=f"{HIGH} {SUBSTANTIAL}", id_token_hint="our-token"
        )
    ).wishes
    assert wishes.fresh
    assert not wishes.silent
    assert wishes.max_age_s == 0
    assert wishes.acr_values == (HIGH, SUBSTANTIAL)
    assert wishes.subject == "subject-1"


def test_prompt_none_forbids_to_ask() -> None:
    assert check(a_request(prompt="none")).wishes.silent


@pytest.mark.parametrize("wish", [{"values": [HIGH, SUBSTANTIAL]}, {"value": HIGH}])
def test_an_essential_level_goes_before_every_other_wish(wish: dict[str, Any]) -> None:
    claims = json.dumps({"id_token": {"acr": {"essential": True, **wish}}})
    wishes = check(a_request(claims=claims, acr_values=SUBSTANTIAL), default_acr=SUBSTANTIAL).wishes
    assert wishes.essential_acrs[0] == HIGH
    assert wishes.acr_values == ()


def test_the_level_of_the_registration_is_a_wish_when_the_request_has_none() -> None:
    assert check(a_request(), default_acr=SUBSTANTIAL).wishes.acr_values == (SUBSTANTIAL,)


@pytest.mark.parametrize("wish", ["90009999", {"ura": "90009999"}])
def test_an_organisation_is_asked_by_parameter_or_by_claim(wish: Any) -> None:
    claims = json.dumps({"userinfo": {"urn:zorgid:organisation": {"value": wish}}})
    assert check(a_request(claims=claims)).organisation == "90009999"
    assert check(a_request(organisation="90009999")).organisation == "90009999"


def test_what_is_refused_tells_the_client_nothing_that_it_sent() -> None:
    """Source: RFC 6749, section 4.1.2.1: printable ASCII without quote and backslash."""
    for change in ({"scope": '"><script>'}, {"response_mode": "\\"}, {"prompt": "<b>"}):
        text = refusal_of(a_request(**change)).description
        assert text.isascii()
        assert not set('"\\<>') & set(text)


def test_the_checks_stand_in_an_order_that_answers_only_to_checked_addresses() -> None:
    names = [one.__name__ for one in (*ADDRESS_CHECKS, *AUTHORISATION_CHECKS)]
    assert names[:4] == [
        "check_client_is_known",
        "check_return_address",
        "check_response_mode",
        "check_state",
    ]
    assert len(set(names)) == len(names)
