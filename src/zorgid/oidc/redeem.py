"""Checks a token request: what can be refused before anything is looked up, then what the used code says."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from zorgid.clients.model import Client
from zorgid.oidc.assertion import Addresses, Authenticated, authenticated_client
from zorgid.oidc.errors import InvalidClient, InvalidGrant, InvalidRequest, UnsupportedGrantType
from zorgid.oidc.model import RedeemedCode
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.pkce import require_verifier

LONGEST_CODE: Final = 512


@dataclass(frozen=True)
class TokenDraft:
    """What is known of a token request while the checks go through it."""

    unverified: UnverifiedParameters
    has_authorization_header: bool
    client: Client | None
    addresses: Addresses
    now: datetime
    authenticated: Authenticated | None = None


@dataclass(frozen=True)
class TokenRequest:
    """A token request of a client that proved itself; code, address and verifier are still to be compared."""

    authenticated: Authenticated
    unverified_code: str
    unverified_redirect_uri: str | None
    unverified_verifier: str | None


def check_no_secret(draft: TokenDraft) -> TokenDraft:
    """No shared secret is sent, in a header or in the form: there are none (NL GOV; FAPI 2.0, 5.3.2.1)."""
    if draft.has_authorization_header or draft.unverified.one("client_secret") is not None:
        raise InvalidClient(
            description="Clients authenticate with private_key_jwt; there are no client secrets."
        )
    return draft


def check_token_parameters(draft: TokenDraft) -> TokenDraft:
    """No parameter is given twice (RFC 6749, section 3.2)."""
    if draft.unverified.repeated():
        raise InvalidRequest(description="A parameter is given more than once.")
    return draft


def check_grant_type(draft: TokenDraft) -> TokenDraft:
    """Only authorisation codes are exchanged."""
    grant_type = draft.unverified.one("grant_type")
    if grant_type is None:
        raise InvalidRequest(description="The parameter grant_type is missing.")
    if grant_type != "authorization_code":
        raise UnsupportedGrantType(description="The grant_type must be authorization_code.")
    return draft


def check_client_assertion(draft: TokenDraft) -> TokenDraft:
    """The client proves itself as it registered."""
    if draft.client is None:
        raise InvalidClient(description="The client is not known.")
    proved = authenticated_client(
        draft.unverified, client=draft.client, addresses=draft.addresses, now=draft.now
    )
    return replace(draft, authenticated=proved)


def check_code_is_there(draft: TokenDraft) -> TokenDraft:
    """A code of a length that can be one of ours."""
    code = draft.unverified.one("code")
    if code is None:
        raise InvalidRequest(description="The parameter code is missing.")
    if len(code) > LONGEST_CODE or not code.isascii():
        raise InvalidGrant(description="The code is not valid.")
    return draft


TOKEN_CHECKS: Final[tuple[Callable[[TokenDraft], TokenDraft], ...]] = (
    check_no_secret,
    check_token_parameters,
    check_grant_type,
    check_client_assertion,
    check_code_is_there,
)


def checked_token_request(draft: TokenDraft) -> TokenRequest:
    """Return the request when every check passes. Raises an `OAuthRefusal`."""
    for check in TOKEN_CHECKS:
        draft = check(draft)
    assert draft.authenticated is not None
    return TokenRequest(
        authenticated=draft.authenticated,
        unverified_code=draft.unverified.one("code") or "",
        unverified_redirect_uri=draft.unverified.one("redirect_uri"),
        unverified_verifier=draft.unverified.one("code_verifier"),
    )


def check_grant_lives(_request: TokenRequest, code: RedeemedCode) -> None:
    """The session behind the code did not end meanwhile (LOGIN-10)."""
    if code.grant.revoked_at is not None:
        raise InvalidGrant(description="The code is not valid.", detail="the grant was revoked")


def check_same_address(request: TokenRequest, code: RedeemedCode) -> None:
    """The return address is that of the authorisation request (OpenID Connect Core 1.0, section 3.1.3.2)."""
    given = request.unverified_redirect_uri or ""
    if not hmac.compare_digest(given.encode(), code.redirect_uri.encode()):
        raise InvalidGrant(description="The redirect_uri is not the one of the authorization request.")


def check_verifier(request: TokenRequest, code: RedeemedCode) -> None:
    """The verifier is the one whose hash came with the authorisation request (RFC 7636, section 4.6)."""
    require_verifier(request.unverified_verifier, code.code_challenge)


CODE_CHECKS: Final[tuple[Callable[[TokenRequest, RedeemedCode], None], ...]] = (
    check_grant_lives,
    check_same_address,
    check_verifier,
)


def require_fit(request: TokenRequest, code: RedeemedCode) -> RedeemedCode:
    """Return the used code when it fits the request. Raises `InvalidGrant`."""
    for check in CODE_CHECKS:
        check(request, code)
    return code
