"""The portal's own session: a cookie that names the session of the identity server, and nothing more.

Whether the session lives is decided there, at every request (LOGIN-10).
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from zorgid.audit.model import Actor
from zorgid.ca.keys import KeyProvider
from zorgid.kernel.randomness import base64url
from zorgid.login import sessions
from zorgid.login.errors import SessionEnded, SessionUnknown
from zorgid.login.model import Session
from zorgid.settings import Settings
from zorgid.web.edge import work_of
from zorgid.web.portal.relying_party import COOKIE_KEY, FRONT
from zorgid.web.services import services_of

LOGIN_COOKIE_SECONDS: Final = 15 * 60


def session_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie of the portal's session; bound to this host outside the demo."""
    return "__Host-zid-portal" if settings.is_secure else "zid-portal"


def login_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie of a login that is under way."""
    return "__Host-zid-portal-login" if settings.is_secure else "zid-portal-login"


@dataclass(frozen=True)
class Visit:
    """Somebody who is logged in at the portal."""

    session: Session

    @property
    def actor(self) -> Actor:
        """The person, for actions and the audit log."""
        return sessions.actor_of(self.session)


def sealed(keys: KeyProvider, sid: str) -> str:
    """Return the value of the session cookie."""
    return f"{sid}.{base64url(keys.mac(COOKIE_KEY, f'portal-session|{sid}'.encode()))}"


def unsealed(keys: KeyProvider, text: str) -> str:
    """Return the `sid` in a session cookie. Raises `SessionUnknown` when the cookie is not of our making."""
    sid = text.partition(".")[0]
    if not hmac.compare_digest(text.encode(), sealed(keys, sid).encode()):
        raise SessionUnknown
    return sid


async def visit_of(request: Request) -> Visit:
    """Return who is logged in at the portal in this browser.

    Raises:
        SessionUnknown: nobody.
        SessionEnded: somebody was, until the session ended.
    """
    services = services_of(request)
    sid = unsealed(services.keys, request.cookies.get(session_cookie_name(services.settings), ""))
    async with work_of(request) as work:
        return Visit(await sessions.session_by_sid(work, sid, touch=True))


VisitHandler = Callable[[Request, Visit], Awaitable[Response]]
Handler = Callable[[Request], Awaitable[Response]]


def for_visitors(handler: VisitHandler) -> Handler:
    """Let only people who are logged in reach `handler`; others go to the front page and come back later."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        try:
            visit = await visit_of(request)
        except (SessionUnknown, SessionEnded) as refusal:
            asked = {"to": request.url.path} if request.method == "GET" else {}
            ended = {"ended": "1"} if isinstance(refusal, SessionEnded) else {}
            return RedirectResponse(f"{FRONT}?{urlencode(asked | ended)}", 303)
        return await handler(request, visit)

    return guarded


def remember_visit(response: Response, settings: Settings, keys: KeyProvider, sid: str) -> None:
    """Let the browser keep the portal's session until it is closed."""
    response.set_cookie(
        session_cookie_name(settings),
        sealed(keys, sid),
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def forget_visit(response: Response, settings: Settings) -> None:
    """Let the browser drop the portal's session."""
    response.delete_cookie(
        session_cookie_name(settings), path="/", secure=settings.is_secure, httponly=True, samesite="lax"
    )


def remember_attempt(response: Response, settings: Settings, cookie: str) -> None:
    """Let the browser keep a login that is under way; it comes back with a post from the identity server."""
    response.set_cookie(
        login_cookie_name(settings),
        cookie,
        max_age=LOGIN_COOKIE_SECONDS,
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="none" if settings.is_secure else "lax",
    )


def forget_attempt(response: Response, settings: Settings) -> None:
    """Let the browser drop the login that was under way."""
    response.delete_cookie(
        login_cookie_name(settings),
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="none" if settings.is_secure else "lax",
    )
