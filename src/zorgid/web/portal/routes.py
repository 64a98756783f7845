"""The addresses of the portal: front, login, logout, and the pages about cards."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from zorgid.kernel.errors import Refusal
from zorgid.login import sessions
from zorgid.login.errors import SessionEnded, SessionUnknown
from zorgid.login.rules import EndReason
from zorgid.web.cookies import clear_session
from zorgid.web.edge import render, sentence_for, work_of
from zorgid.web.portal import acts, cards
from zorgid.web.portal.errors import PortalLoginFailed
from zorgid.web.portal.relying_party import CALLBACK, FRONT, Attempt, RelyingParty
from zorgid.web.portal.session import (
    Visit,
    for_visitors,
    forget_attempt,
    forget_visit,
    login_cookie_name,
    remember_attempt,
    remember_visit,
    visit_of,
)
from zorgid.web.services import services_of

PORTAL_PATH: Final = re.compile(r"/portal(/[A-Za-z0-9_/-]*)?")
"""Where a login may end: a path of the portal, without anything that a browser reads as another host."""


def routes() -> list[BaseRoute]:
    """Return the routes of the portal."""
    return [
        Route(FRONT, front, name="portal"),
        Route("/portal/login", begin_login),
        Route(CALLBACK, finish_login, methods=["POST"]),
        Route("/portal/logout", log_out, methods=["POST"]),
        *cards.routes(),
        *acts.routes(),
    ]


def start_route() -> Route:
    """Return the start page of the platform; the demo puts its own in its place."""
    return Route("/", start)


async def start(request: Request) -> Response:
    """Show what can be done here."""
    return render(request, "portal/start.html")


async def front(request: Request) -> Response:
    """Show the way in, or go on when somebody is logged in."""
    try:
        await visit_of(request)
    except (SessionUnknown, SessionEnded):
        return render(
            request,
            "portal/front.html",
            return_to=return_path(request.query_params.get("to")),
            has_ended="ended" in request.query_params,
            sentence=None,
        )
    return RedirectResponse("/portal/cards", 303)


def return_path(asked: str | None) -> str:
    """Return the page of the portal that a login leads to; anything else leads to the cards."""
    if asked is None or asked == FRONT or not PORTAL_PATH.fullmatch(asked):
        return "/portal/cards"
    return asked


async def begin_login(request: Request) -> Response:
    """Send the browser to the identity server."""
    services = services_of(request)
    party = relying_party(request)
    return_to = return_path(request.query_params.get("to"))
    attempt = Attempt.new(services.keys, return_to=return_to, random=services.random)
    response = RedirectResponse(party.login_address(attempt), 303)
    remember_attempt(response, services.settings, attempt.cookie())
    return response


async def finish_login(request: Request) -> Response:
    """Take the answer of the identity server and open the portal's session.

    A refusal of the login leads to a page that offers to log in again.
    """
    services = services_of(request)
    form = await request.form(max_files=0, max_fields=10)
    answer = {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        cookie = request.cookies.get(login_cookie_name(services.settings), "")
        attempt = Attempt.from_cookie(services.keys, cookie)
        sid = await relying_party(request).redeem(attempt, answer)
        async with work_of(request) as work:
            await sessions.session_by_sid(work, sid, touch=True)
    except (PortalLoginFailed, SessionUnknown, SessionEnded) as refusal:
        return login_failed(request, refusal)
    response = RedirectResponse(attempt.return_to, 303)
    remember_visit(response, services.settings, services.keys, sid)
    forget_attempt(response, services.settings)
    return response


def login_failed(request: Request, refusal: Refusal) -> Response:
    """Say that the login did not work, with a way to try again."""
    response = render(
        request,
        "portal/front.html",
        return_to="/portal/cards",
        has_ended=False,
        sentence=sentence_for(request, refusal),
        status=refusal.status,
    )
    forget_attempt(response, services_of(request).settings)
    return response


def relying_party(request: Request) -> RelyingParty:
    """Return the portal as a client of the identity server in this process."""
    services = services_of(request)
    return RelyingParty(
        request.app.state.entrance, services.settings, services.keys, services.clock, services.random
    )


@for_visitors
async def log_out(request: Request, visit: Visit) -> Response:
    """End the session here and at the identity server, and with it every grant that rests on it."""
    services = services_of(request)
    await services.forms.read(request)
    async with work_of(request) as work:
        await sessions.end_session(work, visit.session, by=visit.actor, reason=EndReason.logged_out)
    response = RedirectResponse(FRONT, 303)
    forget_visit(response, services.settings)
    clear_session(request, response)
    return response
