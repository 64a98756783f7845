"""Logging out: at once for whoever shows a verified ID token, else by a page that asks."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from zorgid.oidc.ending import Ending, end, requested_ending
from zorgid.oidc.errors import InvalidRequest
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.web import cookies
from zorgid.web.edge import render, work_of
from zorgid.web.oidc.answers import form_parameters
from zorgid.web.oidc.authorize import session_of_browser
from zorgid.web.services import services_of


async def end_session_by_get(request: Request) -> Response:
    """Answer a request to log out that came by address."""
    return await _end_session(request, _readable(request.scope["query_string"]))


async def end_session_by_post(request: Request) -> Response:
    """Answer a request to log out that came by form; from another site it comes without our cookies."""
    try:
        unverified = await form_parameters(request)
    except InvalidRequest:
        unverified = UnverifiedParameters(())
    return await _end_session(request, unverified)


async def confirm_end(request: Request) -> Response:
    """End the session of this browser: its person said so on our own page."""
    await services_of(request).forms.read(request)
    async with work_of(request) as work:
        session = await session_of_browser(request, work)
        if session is not None:
            await end(work, session)
    return _ended(request, None)


async def _end_session(request: Request, unverified: UnverifiedParameters) -> Response:
    server = services_of(request).identity
    async with work_of(request) as work:
        own = await session_of_browser(request, work)
        ending = await requested_ending(work, server, unverified, own)
        if ending.is_sure and ending.session is not None:
            await end(work, ending.session)
    return _answer(request, ending)


def _answer(request: Request, ending: Ending) -> Response:
    if ending.session is not None and not ending.is_sure:
        return render(request, "oidc/end_session.html", person=ending.session.means.full_name)
    return _ended(request, ending.return_to)


def _ended(request: Request, return_to: str | None) -> Response:
    if return_to is None:
        response: Response = render(request, "oidc/session_ended.html")
    else:
        response = RedirectResponse(return_to, 303)
    cookies.clear_session(request, response)
    return response


def _readable(query: bytes) -> UnverifiedParameters:
    try:
        return UnverifiedParameters.decode(query)
    except InvalidRequest:
        return UnverifiedParameters(())
