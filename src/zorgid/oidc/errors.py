"""The refusals of the identity server: OAuth error codes with a public text and an internal detail apart.

`description` is sent to the client (RFC 6749, section 4.1.2.1: printable ASCII without quote and backslash);
`detail` is for the operator's log and never leaves the house. Where a refusal is shown to a person, its
sentence stands in the catalogue under `code`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Self

from zorgid.kernel.errors import Refusal

LONGEST_DETAIL: Final = 300
"""Characters of a detail in the log; some of it was sent by whoever was refused."""


class ResponseMode(StrEnum):
    """How an authorisation response travels.

    Source: OAuth 2.0 Multiple Response Types, section 2.1; OAuth 2.0 Form Post Response Mode 1.0.
    """

    query = "query"
    form_post = "form_post"


@dataclass(frozen=True)
class Target:
    """Where an authorisation response goes: a checked address, the mode, and the state as received."""

    redirect_uri: str
    mode: ResponseMode = ResponseMode.query
    state: str | None = None


class OAuthRefusal(Refusal):
    """The request breaks a rule of the protocol; the client's developer can solve it."""

    code = "oauth-invalid-request"
    error: ClassVar[str] = "invalid_request"
    """The error code on the wire."""

    status = 400

    def __init__(self, *, description: str, detail: str = "") -> None:
        self.description = description
        self.detail = detail[:LONGEST_DETAIL]
        self.target: Target | None = None
        super().__init__(error=self.error, description=description, detail=self.detail)

    def sent_to(self, target: Target) -> Self:
        """Return this refusal, to be answered to the client at `target` instead of shown to the person."""
        self.target = target
        return self


class InvalidRequest(OAuthRefusal):
    """A parameter is missing, repeated, malformed or does not fit the profile."""

    code = "oauth-invalid-request"


class ClientNotKnown(OAuthRefusal):
    """No care application is registered under this `client_id`; its supplier can solve it."""

    code = "oauth-client-not-known"
    error = "unauthorized_client"


class ReturnAddressNotRegistered(OAuthRefusal):
    """The return address is missing or not exactly one that the client registered.

    Its supplier can solve it.
    """

    code = "oauth-return-address-not-registered"


class RequestExpired(OAuthRefusal):
    """The kept authorisation request is too old, used up or never existed; the person starts again."""

    code = "oauth-request-expired"


class UnsupportedResponseType(OAuthRefusal):
    """Another response type than `code` was asked."""

    code = "oauth-unsupported-response-type"
    error = "unsupported_response_type"


class InvalidScope(OAuthRefusal):
    """The scope lacks `openid` or names one that the client may not have."""

    code = "oauth-invalid-scope"
    error = "invalid_scope"


class RequestNotSupported(OAuthRefusal):
    """The `request` parameter is not taken (OpenID Connect Core 1.0, section 3.1.2.6)."""

    code = "oauth-request-not-supported"
    error = "request_not_supported"


class RequestUriNotSupported(OAuthRefusal):
    """The `request_uri` parameter is not taken (OpenID Connect Core 1.0, section 3.1.2.6)."""

    code = "oauth-request-uri-not-supported"
    error = "request_uri_not_supported"


class RegistrationNotSupported(OAuthRefusal):
    """The `registration` parameter is not taken (OpenID Connect Core 1.0, section 3.1.2.6)."""

    code = "oauth-registration-not-supported"
    error = "registration_not_supported"


class LoginRequired(OAuthRefusal):
    """Nobody is logged in, or somebody else than the client expects (OpenID Connect Core 1.0, 3.1.2.6)."""

    code = "oauth-login-required"
    error = "login_required"


class AccessDenied(OAuthRefusal):
    """The person broke the login off (RFC 6749, section 4.1.2.1); beginning again solves it."""

    code = "oauth-access-denied"
    error = "access_denied"


class UnmetAuthenticationRequirements(OAuthRefusal):
    """No means gives the level that the client insists on.

    Source: OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
    """

    code = "oauth-unmet-authentication-requirements"
    error = "unmet_authentication_requirements"


class InvalidClient(OAuthRefusal):
    """The client did not prove who it is (RFC 6749, section 5.2)."""

    code = "oauth-invalid-client"
    error = "invalid_client"
    status = 401


class InvalidGrant(OAuthRefusal):
    """The code is unknown, used, expired, of another client, or does not fit the request.

    What was written stays: a code shown with a wrong verifier is used up, a reused one takes its family
    along, and the assertion that came with it counts as seen.
    """

    code = "oauth-invalid-grant"
    error = "invalid_grant"
    keeps_changes = True


class UnsupportedGrantType(OAuthRefusal):
    """The token endpoint does not know this grant type."""

    code = "oauth-unsupported-grant-type"
    error = "unsupported_grant_type"


class InvalidToken(OAuthRefusal):
    """The access token is malformed, expired, revoked or for somebody else (RFC 6750, section 3.1)."""

    code = "oauth-invalid-token"
    error = "invalid_token"
    status = 401
