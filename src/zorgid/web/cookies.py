"""The cookies of login: one for the transaction that a browser began, one for its session.

Outside the demo both have the `__Host-` prefix: bound to this host, only over TLS, for the whole site
(RFC 6265bis, section 4.1.3).
`SameSite=Lax` keeps them from requests that other sites post (section 4.1.2.7).
"""

from datetime import timedelta
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from zorgid.kernel.secrets import Secret
from zorgid.login.model import Begun
from zorgid.web.services import services_of

TRANSACTION: Final = "zid-tx"
SESSION: Final = "zid-session"
TRANSACTION_KEPT: Final = timedelta(hours=24)
"""How long a browser remembers what it began: the page that shows a making needs it for its day."""


def cookie_name(connection: HTTPConnection, name: str) -> str:
    """Return the name as this environment writes it."""
    return f"__Host-{name}" if services_of(connection).settings.is_secure else name


def transaction_cookie(connection: HTTPConnection) -> Secret | None:
    """Return the transaction that this browser began, when its cookie has the right form."""
    return _read(connection, TRANSACTION)


def session_cookie(connection: HTTPConnection) -> Secret | None:
    """Return the session of this browser, when its cookie has the right form."""
    return _read(connection, SESSION)


def _read(connection: HTTPConnection, name: str) -> Secret | None:
    text = connection.cookies.get(cookie_name(connection, name))
    try:
        return Secret.from_text(text) if text else None
    except ValueError:
        return None


def set_transaction(connection: HTTPConnection, response: Response, begun: Begun) -> None:
    """Let the browser remember the transaction that it just began."""
    _write(connection, response, TRANSACTION, begun.cookie, TRANSACTION_KEPT)


def set_session(connection: HTTPConnection, response: Response, cookie: Secret) -> None:
    """Let the browser remember its session; how long that lives is decided here, at each use."""
    _write(connection, response, SESSION, cookie, None)


def clear_session(connection: HTTPConnection, response: Response) -> None:
    """Let the browser forget its session."""
    name = cookie_name(connection, SESSION)
    response.delete_cookie(name, path="/", secure=_is_secure(connection), httponly=True, samesite="lax")


def _is_secure(connection: HTTPConnection) -> bool:
    return services_of(connection).settings.is_secure


def _write(
    connection: HTTPConnection, response: Response, name: str, value: Secret, kept: timedelta | None
) -> None:
    response.set_cookie(
        cookie_name(connection, name),
        value.text_for_wire(),
        max_age=int(kept.total_seconds()) if kept else None,
        path="/",
        secure=_is_secure(connection),
        httponly=True,
        samesite="lax",
    )
