"""The forms that answers of the identity server take: JSON errors, the page that posts, shared headers."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from zorgid.audit.actions import record_refusal
from zorgid.audit.model import Actor, ActorKind, Event, Subject
from zorgid.oidc.errors import LoginRequired, OAuthRefusal, UnmetAuthenticationRequirements
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.response import AuthorisationResponse, Redirect
from zorgid.web.edge import origin_of, render
from zorgid.web.limits import RECORDED_PER_ADDRESS, TooMany
from zorgid.web.policy import script_hash
from zorgid.web.services import services_of

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


EVERYDAY: Final = (LoginRequired, UnmetAuthenticationRequirements)
"""Answers to a client that only asked whether somebody is logged in, and how."""

LONGEST_CLIENT: Final = 100
"""Characters of a claimed client id in the audit log."""

log = structlog.get_logger("zorgid.oidc")


async def note(
    request: Request, refusal: OAuthRefusal, *, event: Event, claimed_client: str | None = None
) -> None:
    """Write a refusal into the log, and into the audit log unless it is an everyday answer (AUD-1).

    `claimed_client` is who the request says it comes from; whether that was proved, the refusal tells. What
    one address is refused beyond a limit stands in the operator's log only.
    """
    log.info("refused", refusal=refusal)
    if isinstance(refusal, EVERYDAY):
        return
    services = services_of(request)
    with suppress(TooMany):
        await services.limits.take(request, RECORDED_PER_ADDRESS)
        named = claimed_client[:LONGEST_CLIENT] if claimed_client else None
        await record_refusal(
            services.database,
            origin_of(request),
            refusal,
            event=event,
            by=Actor(ActorKind.client, reference=named),
            on=Subject("client", named or "not-named"),
        )


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
