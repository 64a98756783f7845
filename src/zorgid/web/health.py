"""Tells a load balancer whether this process lives, and whether it can serve. No detail: anybody may ask."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from zorgid.web.edge import work_of
from zorgid.web.services import services_of


def routes() -> list[BaseRoute]:
    """Return the addresses of health and readiness."""
    return [Route("/health", health), Route("/ready", ready)]


async def health(request: Request) -> Response:
    """Say that the process lives; asks nothing of anybody."""
    del request
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> Response:
    """Say whether database, keys and listener are there; 503 while one is not."""
    parts = {name: await check(request) for name, check in CHECKS.items()}
    is_ready = all(parts.values())
    return JSONResponse({"status": "ready" if is_ready else "not-ready", **parts}, 200 if is_ready else 503)


async def database_answers(request: Request) -> bool:
    """Tell whether the database answers."""
    try:
        async with work_of(request) as work:
            await work.connection.execute("select 1")
    except Exception:  # noqa: BLE001 - whatever it is, the database does not answer
        return False
    return True


async def keys_answer(request: Request) -> bool:
    """Tell whether the home of the keys answers."""
    try:
        return bool(services_of(request).keys.names())
    except Exception:  # noqa: BLE001 - whatever it is, the keys cannot be used
        return False


async def listener_hears(request: Request) -> bool:
    """Tell whether this node hears what others announce, and the platform is not stopping."""
    services = services_of(request)
    return services.is_listening() and not services.stopping.is_set()


CHECKS = {"database": database_answers, "keys": keys_answer, "listener": listener_hears}
