"""Puts routes, refusals, error pages and the surrounding layers together into one ASGI application."""

from collections.abc import Iterable

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from zorgid.kernel.errors import Refusal
from zorgid.web.edge import answer_refusal, error_page
from zorgid.web.middleware import Surroundings, host_of, protect
from zorgid.web.services import Services

log = structlog.get_logger("zorgid.web")


class Application(Starlette):
    """Starlette without its own answer to faults: `Guarded` gives that, with a reference."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the router with only the handlers of refusals and HTTP errors around it."""
        return ExceptionMiddleware(self.router, handlers=self.exception_handlers)


def web_application(services: Services, routes: Iterable[BaseRoute]) -> ASGIApp:
    """Return the application that serves `routes` with `services`, with all layers around it."""
    application = Application(
        routes=list(routes), exception_handlers={Refusal: answer_refusal, HTTPException: answer_http_error}
    )
    application.router.redirect_slashes = False
    application.state.services = services

    async def fault_page(request: Request) -> Response:
        request.scope["app"] = application
        try:
            return error_page(request, 500)
        except Exception:
            log.exception("the page for faults has a fault")
            return PlainTextResponse("Er ging iets mis bij ons. Something went wrong on our side.\n", 500)

    settings = services.settings
    around = Surroundings(
        node=settings.node,
        hosts=frozenset({host_of(settings.origin)}),
        trusted_proxies=settings.trusted_proxies,
        is_secure=settings.is_secure,
        random=services.random,
        fault_page=fault_page,
        stopping=services.stopping,
    )
    entrance = protect(application, around)
    application.state.entrance = entrance
    return entrance


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer what Starlette refuses itself, such as an unknown address or method."""
    assert isinstance(error, HTTPException)
    response = error_page(request, error.status_code)
    response.headers.update(error.headers or {})
    return response
