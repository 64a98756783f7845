"""Guards our own forms against posts from elsewhere; works without script (ALL-1).

Every form carries a token that belongs to a cookie of this browser and to its portal session. A browser that
says where the post comes from must name us.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from zorgid.kernel.randomness import RandomSource, base64url
from zorgid.web.errors import FormNotOurs

FIELD: Final = "form_token"
MOST_FIELDS: Final = 50
MOST_FIELD_BYTES: Final = 16 * 1024


@dataclass(frozen=True)
class FormGuard:
    """Makes and checks form tokens. `mac` gives 32 bytes and uses a key that all nodes share."""

    mac: Callable[[bytes], bytes]
    own_origin: str
    cookie_name: str
    session_cookie_name: str
    is_secure: bool
    random: RandomSource

    def token(self, request: Request) -> str:
        """Return the token for a form on the page that answers `request`."""
        return self._token(request, self._browser_mark(request))

    def remember(self, request: Request, response: Response) -> None:
        """Let the browser keep its mark, when a form was rendered and the browser had none."""
        fresh = request.scope.get("zorgid.fresh_form_mark")
        if fresh:
            response.set_cookie(
                self.cookie_name, fresh, path="/", secure=self.is_secure, httponly=True, samesite="lax"
            )

    async def read(self, request: Request) -> FormData:
        """Return the posted fields of one of our own forms. Raises `FormNotOurs` for any other post."""
        self.require_own_origin(request)
        form = await request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=MOST_FIELD_BYTES)
        mark = request.cookies.get(self.cookie_name)
        given = form.get(FIELD)
        if not mark or not isinstance(given, str):
            raise FormNotOurs
        if not hmac.compare_digest(given.encode(), self._token(request, mark).encode()):
            raise FormNotOurs
        return form

    def require_own_origin(self, request: Request) -> None:
        """Refuse a post that the browser says comes from elsewhere; old browsers say nothing."""
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        if origin not in {None, self.own_origin} or site not in {None, "same-origin"}:
            raise FormNotOurs

    def _browser_mark(self, request: Request) -> str:
        """Return the mark of this browser, a new one when it has none."""
        mark = request.cookies.get(self.cookie_name)
        if mark:
            return mark
        fresh: str = request.scope.setdefault("zorgid.fresh_form_mark", base64url(self.random(16)))
        return fresh

    def _token(self, request: Request, mark: str) -> str:
        """Return the token that belongs to browser and session."""
        session = request.cookies.get(self.session_cookie_name, "")
        return base64url(self.mac(f"form|{mark}|{session}".encode()))
