"""Reads a request of the Desktop App into a checked message and the signature that goes with it."""

from typing import TypeVar

from starlette.requests import Request

from zorgid.login.setup import AppRequest
from zorgid.protocol.app_key import HEADER, read_header
from zorgid.protocol.context import Message
from zorgid.web.desktop.errors import MessageMalformed
from zorgid.web.limits import APP_PER_ADDRESS, Limit
from zorgid.web.services import services_of

Kind = TypeVar("Kind", bound=Message)


async def read_message(
    request: Request, kind: type[Kind], limit: Limit | None = None
) -> tuple[Kind, AppRequest]:
    """Return the message of a request and what its signature must cover; the action checks that.

    The request counts against `limit`, else that of all requests of apps, also when it is refused.

    Raises:
        TooMany: the limit is reached.
        MessageMalformed: the body is not exactly such a message.
        AppSignatureWrong: the header is missing or not of its form.
    """
    await services_of(request).limits.take(request, limit or APP_PER_ADDRESS)
    body = await request.body()
    incoming = AppRequest(request.method, request.url.path, body, read_header(request.headers.get(HEADER)))
    try:
        return kind.model_validate_json(body), incoming
    except ValueError:
        raise MessageMalformed from None
