"""The authorisation endpoint: by GET, by POST, and where a browser goes on after the login."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from zorgid.audit.model import Event
from zorgid.kernel.errors import Refusal
from zorgid.login.actions import transaction_of_browser
from zorgid.login.errors import TransactionUnknown
from zorgid.login.model import Session
from zorgid.login.sessions import session_for
from zorgid.oidc.errors import OAuthRefusal
from zorgid.oidc.granting import (
    CONTINUE,
    DECLINED,
    FromSession,
    LoginBegun,
    Waiting,
    authorise,
    decline,
    keep_request,
    waiting_request,
)
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.response import AuthorisationResponse, error_response
from zorgid.protocol.messages import TransactionState
from zorgid.storage.database import Work
from zorgid.web import cookies
from zorgid.web.edge import LANGUAGES, origin_of, refusal_page, work_of
from zorgid.web.limits import BEGIN_PER_ADDRESS
from zorgid.web.oidc.answers import authorisation_answer, form_parameters, note
from zorgid.web.services import services_of

LOGIN_PAGE = "/oauth/account/login"


async def authorize_by_get(request: Request) -> Response:
    """Answer a new request, or one that was kept and now goes on."""
    services = services_of(request)
    await services.limits.take(request, BEGIN_PER_ADDRESS)
    client_id: str | None = None
    try:
        unverified = UnverifiedParameters.decode(request.scope["query_string"])
        client_id = unverified.one("client_id")
        if (at_once := await _at_once(request, unverified)) is not None:
            return authorisation_answer(request, at_once)
        async with work_of(request) as work:
            waiting = await _waiting(work, unverified)
            client_id = waiting.unverified.one("client_id")
            if waiting.reference is not None and await _was_declined(request, work):
                return authorisation_answer(request, await decline(work, services.identity, waiting))
            session = await session_of_browser(request, work)
            answer = await authorise(work, services.identity, waiting, session)
    except OAuthRefusal as refusal:
        return await _refused(request, refusal, client_id)
    if isinstance(answer, LoginBegun):
        response = RedirectResponse(_login_page(answer.ui_locales), 303)
        cookies.set_transaction(request, response, answer.begun)
        return response
    return authorisation_answer(request, answer)


async def authorize_by_post(request: Request) -> Response:
    """Keep the request and go on by GET: a post from another site comes without our cookies."""
    services = services_of(request)
    await services.limits.take(request, BEGIN_PER_ADDRESS)
    client_id: str | None = None
    try:
        unverified = await form_parameters(request)
        client_id = unverified.one("client_id")
        async with work_of(request) as work:
            goes_on_at = await keep_request(work, services.identity, unverified)
    except OAuthRefusal as refusal:
        return await _refused(request, refusal, client_id)
    return RedirectResponse(goes_on_at, 303)


async def _at_once(request: Request, unverified: UnverifiedParameters) -> AuthorisationResponse | None:
    """Return the answer to a new request of somebody whose session will do, else `None`."""
    cookie = cookies.session_cookie(request)
    if cookie is None or not unverified.one("client_id"):
        return None
    asked = FromSession(unverified, cookie)
    return await services_of(request).authorising.ask(origin_of(request), asked)


async def session_of_browser(request: Request, work: Work) -> Session | None:
    """Return the living session of this browser, if it has one."""
    try:
        return await session_for(work, cookies.session_cookie(request))
    except Refusal:
        return None


async def _waiting(work: Work, unverified: UnverifiedParameters) -> Waiting:
    """Return the kept request that is named, unless a client uses that name for something of its own."""
    reference = None if unverified.one("client_id") else unverified.one(CONTINUE)
    return Waiting(unverified) if reference is None else await waiting_request(work, reference)


async def _was_declined(request: Request, work: Work) -> bool:
    """Tell whether this browser's person broke off the login that the kept request waits for."""
    cookie = cookies.transaction_cookie(request)
    if DECLINED not in request.query_params or cookie is None:
        return False
    try:
        transaction = await transaction_of_browser(work, cookie)
    except TransactionUnknown:
        return False
    waits_for_it = transaction.return_to.endswith(f"{CONTINUE}={request.query_params[CONTINUE]}")
    return waits_for_it and transaction.state is TransactionState.cancelled


def _login_page(ui_locales: Sequence[str]) -> str:
    """Return the login page, in the first language that the client wishes and we speak."""
    wished = (tag.lower().partition("-")[0] for tag in ui_locales)
    spoken = next((name for name in wished if name in LANGUAGES), None)
    return LOGIN_PAGE if spoken is None else f"{LOGIN_PAGE}?lang={spoken}"


async def _refused(request: Request, refusal: OAuthRefusal, client_id: str | None) -> Response:
    await note(request, refusal, event=Event.code_issued, claimed_client=client_id)
    if refusal.target is None:
        return refusal_page(request, refusal)
    issuer = services_of(request).identity.issuer
    return authorisation_answer(request, error_response(refusal, issuer=issuer))
