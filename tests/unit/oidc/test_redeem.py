"""The checks of a token request, before and after the code is looked up."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from tests.oidc_builders import (
    HIGH,
    ISSUER,
    REDIRECT,
    TOKEN_URL,
    VERIFIER,
    a_client,
    a_token_request,
    challenge,
)

from zorgid.kernel.ids import GrantId, PersonId, SessionId
from zorgid.oidc.assertion import Addresses
from zorgid.oidc.errors import InvalidGrant, OAuthRefusal
from zorgid.oidc.model import Grant, Organisation, RedeemedCode, Scope
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.redeem import TokenDraft, TokenRequest, checked_token_request, require_fit
from zorgid.protocol.context import MeansUsed

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)


def a_grant() -> Grant:
    return Grant(
        id=GrantId(uuid4()),
        client_id=a_client().id,
        person_id=PersonId(uuid4()),
        session_id=SessionId(uuid4()),
        sid="sid",
        scope=(Scope.openid,),
        nonce="n",
        acr=HIGH,
        authenticated_at=NOW,
        means=MeansUsed.smartcard,
        uzi_number="900012345",
        ura_on_card="90001234",
        full_name="A. de Vries",
        organisation=Organisation("90001234", None, guest=False),
        id_token_claims=(),
        created_at=NOW,
    )


def check(form: dict[str, str] | list[tuple[str, str]], *, has_header: bool = False) -> TokenRequest:
    pairs = list(form.items()) if isinstance(form, dict) else form
    draft = TokenDraft(
        UnverifiedParameters.of(pairs), has_header, a_client(), Addresses(ISSUER, TOKEN_URL), NOW
    )
    return checked_token_request(draft)


def test_a_right_request_passes_every_check() -> None:
    request = check(a_token_request("the-code", now=NOW))
    assert request.unverified_code == "the-code"
    assert request.authenticated.client.id == "xis"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"client_secret": "secret"}, "invalid_client"),
        ({"client_assertion": None}, "invalid_client"),
        ({"code": None}, "invalid_request"),
        ({"code": "x" * 600}, "invalid_grant"),
        ({"code": "é"}, "invalid_grant"),
    ],
)
def test_what_is_wrong_is_refused_before_the_code_is_touched(
    change: dict[str, str | None], error: str
) -> None:
    with pytest.raises(OAuthRefusal) as caught:
        check(a_token_request(**({"code": "c", "now": NOW} | change)))
    assert caught.value.error == error


def test_a_header_with_a_secret_is_refused_even_beside_a_right_assertion() -> None:
    with pytest.raises(OAuthRefusal) as caught:
        check(a_token_request("c", now=NOW), has_header=True)
    assert caught.value.error == "invalid_client"


def test_a_repeated_parameter_is_refused() -> None:
    with pytest.raises(OAuthRefusal) as caught:
        check([*a_token_request("c", now=NOW).items(), ("code_verifier", VERIFIER)])
    assert caught.value.error == "invalid_request"


def redeemed(**changes: object) -> RedeemedCode:
    return replace(RedeemedCode(REDIRECT, challenge(), a_grant()), **changes)


def test_a_code_that_fits_is_returned() -> None:
    code = redeemed()
    assert require_fit(check(a_token_request("c", now=NOW)), code) is code


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": None},
        {"redirect_uri": REDIRECT + "/"},
        {"code_verifier": None},
        {"code_verifier": VERIFIER + "x"},
        {"code_verifier": "short"},
        {"code_verifier": "x" * 129},
        {"code_verifier": challenge()},
        {"code_verifier": "é" * 50},
    ],
)
def test_another_address_or_verifier_is_refused(change: dict[str, str | None]) -> None:
    """Modules oidcc-…-redirect-uri-…, fapi2-…-ensure-pkce-…"""
    with pytest.raises(InvalidGrant):
        require_fit(check(a_token_request(**({"code": "c", "now": NOW} | change))), redeemed())


def test_a_code_whose_session_ended_is_refused() -> None:
    with pytest.raises(InvalidGrant):
        require_fit(check(a_token_request("c", now=NOW)), redeemed(grant=replace(a_grant(), revoked_at=NOW)))


def test_a_verifier_of_the_shortest_and_longest_length_is_taken() -> None:
    for verifier in ("x" * 43, "y" * 128):
        request = check(a_token_request("c", now=NOW, code_verifier=verifier))
        require_fit(request, redeemed(code_challenge=challenge(verifier)))
