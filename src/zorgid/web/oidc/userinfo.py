"""The userinfo endpoint: who it is, for whoever has an access token.

Source: RFC 6750; OpenID Connect Core 1.0, section 5.3.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from zorgid.audit.model import Event
from zorgid.oidc.errors import InvalidRequest, InvalidToken, OAuthRefusal
from zorgid.oidc.jose import UnverifiedToken
from zorgid.oidc.tokens import UserinfoRequest
from zorgid.web.edge import origin_of
from zorgid.web.oidc.answers import ANY_SITE, NOT_KEPT, form_parameters, note
from zorgid.web.services import services_of

SIGNED = "application/jwt"


async def userinfo(request: Request) -> Response:
    """Answer the claims as JSON, or signed when the client takes nothing else."""
    accepted = ",".join(request.headers.getlist("accept"))
    as_jwt = SIGNED in accepted and "application/json" not in accepted
    try:
        unverified = await _bearer_token(request)
        asked = UserinfoRequest(unverified, as_jwt)
        told = await services_of(request).asking_userinfo.ask(origin_of(request), asked)
    except OAuthRefusal as refusal:
        await note(request, refusal, event=Event.userinfo_asked)
        return _challenge(refusal)
    headers = {**ANY_SITE, **NOT_KEPT}
    if isinstance(told, str):
        return Response(told, media_type=SIGNED, headers=headers)
    return JSONResponse(told, headers=headers)


async def _bearer_token(request: Request) -> UnverifiedToken:
    """Return the token from the header or the form, never from the address (RFC 6750, section 2)."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    in_header = text.strip() if scheme.lower() == "bearer" else None
    in_form = (await form_parameters(request)).one("access_token") if request.method == "POST" else None
    if in_header and in_form:
        raise InvalidRequest(description="The access token is given in two ways.")
    given = in_header or in_form
    if not given:
        raise InvalidToken(description="The access token is missing.")
    return UnverifiedToken(given)


def _challenge(refusal: OAuthRefusal) -> Response:
    """Return a refusal as a resource server writes it (RFC 6750, section 3)."""
    facts = f'error="{refusal.error}", error_description="{refusal.description}"'
    headers = {**ANY_SITE, **NOT_KEPT, "WWW-Authenticate": f"Bearer {facts}"}
    content = {"error": refusal.error, "error_description": refusal.description}
    return JSONResponse(content, refusal.status, headers=headers)
