"""The token endpoint."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from zorgid.audit.model import Event
from zorgid.clients.errors import ClientUnknown
from zorgid.clients.model import Client, ClientId
from zorgid.oidc.assertion import claimed_client
from zorgid.oidc.errors import OAuthRefusal
from zorgid.oidc.redeem import TokenDraft, checked_token_request
from zorgid.oidc.setup import IdentityServer
from zorgid.web.edge import origin_of, retry_after, sentence_for, work_of
from zorgid.web.limits import TOKEN_PER_ADDRESS, TOKEN_PER_CLIENT, TooMany
from zorgid.web.oidc.answers import ANY_SITE, NOT_KEPT, form_parameters, json_error, note
from zorgid.web.services import services_of


async def token(request: Request) -> Response:
    """Exchange a code for tokens; what is remembered of them and the audit entry are one commit."""
    services = services_of(request)
    server = services.identity
    client_id: ClientId | None = None
    try:
        await services.limits.take(request, TOKEN_PER_ADDRESS)
        unverified = await form_parameters(request)
        client_id = claimed_client(unverified)
        draft = TokenDraft(
            unverified=unverified,
            has_authorization_header="authorization" in request.headers,
            client=await _client(request, server, client_id),
            addresses=server.addresses,
            now=services.clock(),
        )
        checked = checked_token_request(draft)
        await services.limits.take(request, TOKEN_PER_CLIENT, client_id)
        answer = await services.redeeming.ask(origin_of(request), checked)
    except TooMany as refusal:
        return _too_many(request, refusal)
    except OAuthRefusal as refusal:
        await note(request, refusal, event=Event.tokens_issued, claimed_client=client_id)
        return _refused(request, refusal)
    return JSONResponse(answer, headers={**ANY_SITE, **NOT_KEPT})


def _refused(request: Request, refusal: OAuthRefusal) -> Response:
    """Answer an error; one who tried a header is told so in a header (RFC 6749, section 5.2)."""
    response = json_error(refusal)
    if refusal.status == HTTPStatus.UNAUTHORIZED and "authorization" in request.headers:
        response.headers["WWW-Authenticate"] = 'Basic realm="private_key_jwt only"'
    return response


def _too_many(request: Request, refusal: TooMany) -> Response:
    """Answer that a limit is reached, as an OAuth error with a sentence and the seconds to wait."""
    sentence = sentence_for(request, refusal)
    description = f"{sentence.text} {sentence.next_step}"
    content = {"error": "temporarily_unavailable", "error_description": description}
    headers = {**ANY_SITE, **NOT_KEPT, **retry_after(refusal)}
    return JSONResponse(content, refusal.status, headers=headers)


async def _client(request: Request, server: IdentityServer, client_id: ClientId) -> Client | None:
    if kept := server.clients.kept(client_id):
        return kept
    try:
        async with work_of(request) as work:
            return await server.clients.client(work, client_id)
    except ClientUnknown:
        return None
