"""The addresses of the identity server, and what it says about itself."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from zorgid.oidc.keys import JWKS_CACHE_FOR
from zorgid.oidc.metadata import metadata
from zorgid.oidc.setup import AUTHORIZE, END_SESSION, JWKS, METADATA, TOKEN, USERINFO
from zorgid.web.edge import work_of
from zorgid.web.oidc.answers import ANY_SITE, cached, preflight
from zorgid.web.oidc.authorize import authorize_by_get, authorize_by_post
from zorgid.web.oidc.end_session import confirm_end, end_session_by_get, end_session_by_post
from zorgid.web.oidc.token import token
from zorgid.web.oidc.userinfo import userinfo
from zorgid.web.services import services_of

PATH: Final = "/oauth"
"""The path of the issuer."""

METADATA_CACHE_FOR: Final = timedelta(hours=1)

METADATA_ADDRESSES: Final = (
    f"{PATH}{METADATA}",
    f"{PATH}/.well-known/oauth-authorization-server",
    f"/.well-known/oauth-authorization-server{PATH}",
)
"""Two append to the issuer (OpenID Connect Discovery 1.0; NL GOV), one inserts (RFC 8414, section 3)."""


def routes() -> list[BaseRoute]:
    """Return the addresses of the identity server."""
    return [
        *(Route(address, show_metadata, methods=["GET"]) for address in METADATA_ADDRESSES),
        Route(f"{PATH}{JWKS}", show_keys, methods=["GET"]),
        Route(f"{PATH}{AUTHORIZE}", authorize_by_get, methods=["GET"]),
        Route(f"{PATH}{AUTHORIZE}", authorize_by_post, methods=["POST"]),
        Route(f"{PATH}{TOKEN}", token, methods=["POST"]),
        Route(f"{PATH}{TOKEN}", preflight("POST"), methods=["OPTIONS"]),
        Route(f"{PATH}{USERINFO}", userinfo, methods=["GET", "POST"]),
        Route(f"{PATH}{USERINFO}", preflight("GET, POST"), methods=["OPTIONS"]),
        Route(f"{PATH}{END_SESSION}", end_session_by_get, methods=["GET"]),
        Route(f"{PATH}{END_SESSION}", end_session_by_post, methods=["POST"]),
        Route(f"{PATH}{END_SESSION}/confirm", confirm_end, methods=["POST"]),
    ]


async def show_metadata(request: Request) -> Response:
    """Answer what the server can do; anybody may keep it for an hour."""
    issuer = services_of(request).identity.issuer
    assert urlsplit(issuer).path == PATH
    return JSONResponse(metadata(issuer), headers={**ANY_SITE, **cached(METADATA_CACHE_FOR)})


async def show_keys(request: Request) -> Response:
    """Answer the public keys: those that sign, those that will, and those that did."""
    async with work_of(request) as work:
        ring = await services_of(request).identity.signing_keys.ring(work)
    return JSONResponse(ring.jwks(), headers={**ANY_SITE, **cached(JWKS_CACHE_FOR)})
