"""The forms that answers of the identity server take: JSON errors, the page that posts, shared headers."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from zorgid.oidc.errors import OAuthRefusal
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.response import AuthorisationResponse, Redirect
from zorgid.web.edge import render
from zorgid.web.policy import script_hash

NOT_KEPT: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""Source: RFC 6749, section 5.1."""

ANY_SITE: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Scripts of any site may read the answer; with the wildcard a browser sends no cookies along."""

SUBMIT: Final = "document.forms[0].submit()"
"""The whole script of the page that posts; allowed by its hash."""


log = structlog.get_logger("zorgid.oidc")


def note(refusal: OAuthRefusal) -> None:
    """Write a refusal into the operator's log, with the detail that the client is not told."""
    log.info("refused", refusal=refusal)


def cached(span: timedelta) -> dict[str, str]:
    """Return the header that lets anybody keep an answer for so long."""
    return {"Cache-Control": f"public, max-age={int(span.total_seconds())}"}


def preflight(methods: str) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler that tells scripts of other sites what they may send (Fetch Standard, 3.2)."""

    async def answer(_request: Request) -> Response:
        allowed = {
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": "3600",
        }
        return Response(status_code=204, headers={**ANY_SITE, **allowed})

    return answer


def json_error(refusal: OAuthRefusal) -> JSONResponse:
    """Return a refusal as the token endpoint writes it (RFC 6749, section 5.2)."""
    note(refusal)
    content = {"error": refusal.error, "error_description": refusal.description}
    return JSONResponse(content, refusal.status, headers={**ANY_SITE, **NOT_KEPT})


def authorisation_answer(request: Request, response: AuthorisationResponse) -> Response:
    """Return an authorisation response: 303, so that no method and body go along, or the page that posts."""
    if isinstance(response, Redirect):
        headers = {**NOT_KEPT, "Referrer-Policy": "no-referrer"}
        return RedirectResponse(response.location, 303, headers=headers)
    page = render(
        request, "oidc/form_post.html", action=response.action, fields=response.fields, script=SUBMIT
    )
    page.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; script-src {script_hash(SUBMIT)};"
        f" form-action {response.origin}; base-uri 'none'; frame-ancestors 'none'"
    )
    page.headers["Referrer-Policy"] = "no-referrer"
    return page


async def form_parameters(request: Request) -> UnverifiedParameters:
    """Return the parameters of a form body, none for another content type. Raises `InvalidRequest`."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if content_type != "application/x-www-form-urlencoded":
        body = b""  # what is missing is said by the checks, as for an empty form
    return UnverifiedParameters.decode(body)
