"""The pages of a login in the browser that began it (docs/desktop-protocol.md, chapters 1 and 6)."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from zorgid.audit.model import BROWSER, Event, Subject
from zorgid.kernel.secrets import Secret
from zorgid.login import actions as login
from zorgid.login import rules
from zorgid.login.errors import CompletionWrong, TransactionUnknown
from zorgid.login.model import Completed, Purpose, Transaction
from zorgid.login.sessions import begin_session
from zorgid.oidc.errors import RequestExpired
from zorgid.oidc.granting import CONTINUE, waiting_request
from zorgid.protocol.links import Browser, browser_of
from zorgid.protocol.messages import TransactionState
from zorgid.storage.database import Work
from zorgid.web import cookies
from zorgid.web.edge import act_of, render, work_of
from zorgid.web.limits import COMPLETE_PER_ADDRESS
from zorgid.web.login.own import own_transaction
from zorgid.web.policy import content_policy
from zorgid.web.services import services_of

AUTHORIZE_PATH: Final = "/oauth/connect/authorize"
HEARTBEAT_SECONDS: Final = 15.0
"""How often a silent event stream says that it is alive, so that proxies keep it."""

BEGIN_AT: Final = {
    Purpose.make_card: "/portal/make-card",
    Purpose.validate_organisation: "/portal/validate-organisation",
}
"""Where a person begins for a purpose; a login begins anew where it goes on, while a request waits there."""


def routes() -> list[BaseRoute]:
    """Return the addresses of the login pages."""
    return [
        Route("/oauth/account/login", login_page, methods=["GET"]),
        Route("/oauth/account/login/events", login_events, methods=["GET"]),
        Route("/oauth/account/login/cancel", cancel_login, methods=["POST"]),
        Route("/oauth/account/login/again", begin_again, methods=["GET"]),
        Route("/oauth/complete", completion_page, methods=["GET"]),
        Route("/oauth/complete", complete_login, methods=["POST"]),
    ]


async def login_page(request: Request) -> Response:
    """Show how to log in. With `ReturnUrl`, as other identity servers write it, go there first (LOGIN-1)."""
    return_url = request.query_params.get("ReturnUrl")
    if return_url is not None:
        return RedirectResponse(_authorize_address(return_url), 303)
    async with work_of(request) as work:
        transaction = await own_transaction(request, work)
        now = work.now
    return _page(request, transaction, now)


def _authorize_address(return_url: str) -> str:
    """Return the address when it is a local authorization request.

    Raises `TransactionUnknown` for any other.
    """
    if not rules.is_local_path(return_url) or return_url.partition("?")[0] != AUTHORIZE_PATH:
        raise TransactionUnknown
    return return_url


def _page(request: Request, transaction: Transaction, now: datetime) -> Response:
    services = services_of(request)
    response = render(
        request,
        "login/login.html",
        transaction=transaction,
        state=rules.state_at(transaction, now=now),
        launch_link=services.login.launch_link(transaction.id, _browser(request, transaction)).text(),
        is_demo=services.settings.is_demo,
    )
    targets = [services.virtual_workplace] if services.virtual_workplace else []
    response.headers["content-security-policy"] = content_policy(may_connect=True, form_targets=targets)
    # Not no-referrer: browsers then post the form of this very page with `Origin: null`.
    response.headers["referrer-policy"] = "same-origin"
    return response


def _browser(request: Request, transaction: Transaction) -> str:
    """Return the browser that shows the link and must get the code: an application need not have named it."""
    shown = browser_of(request.headers.get("user-agent", ""))
    return transaction.browser if shown is Browser.default else shown


async def login_events(request: Request) -> Response:
    """Stream the states of this browser's transaction: nothing but their names."""
    async with work_of(request) as work:
        transaction = await own_transaction(request, work)
    return StreamingResponse(
        _states(request, str(transaction.id)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _states(request: Request, transaction_id: str) -> AsyncIterator[str]:
    last: TransactionState | None = None
    with services_of(request).watch.expect(transaction_id) as expected:
        while True:
            async with work_of(request) as work:
                transaction = await own_transaction(request, work)
                state = rules.state_at(transaction, now=work.now)
                left = (rules.ends_at(transaction) - work.now).total_seconds()
            if state is not last:
                yield f"event: state\ndata: {state}\n\n"
                last = state
            if (state, rules.Act.expire) not in rules.TRANSITIONS:
                return
            while left > 0 and not await expected.wait(seconds=min(HEARTBEAT_SECONDS, left)):
                left -= HEARTBEAT_SECONDS
                yield ": alive\n\n"


async def cancel_login(request: Request) -> Response:
    """End the transaction that the person does not want."""
    await services_of(request).forms.read(request)
    async with work_of(request) as work:
        transaction = await own_transaction(request, work, lock=True)
        await login.cancel(work, transaction=transaction, by=login.actor_of(transaction))
        now = work.now
    async with work_of(request) as work:
        transaction = await own_transaction(request, work)
    return _page(request, transaction, now)


async def begin_again(request: Request) -> Response:
    """Go where this browser began last, to begin anew; to the front page when nothing waits there."""
    try:
        async with work_of(request) as work:
            transaction = await own_transaction(request, work)
            begin_at = BEGIN_AT.get(transaction.purpose) or await _login_again_at(work, transaction)
    except (TransactionUnknown, RequestExpired):
        begin_at = "/"
    return RedirectResponse(begin_at, 303)


async def _login_again_at(work: Work, transaction: Transaction) -> str:
    """Return where a login that did not end goes on. Raises `RequestExpired` when nothing waits for it."""
    references = parse_qs(urlsplit(transaction.return_to).query).get(CONTINUE, [""])
    if transaction.state is TransactionState.completed:
        raise RequestExpired(description="The login was completed.")
    await waiting_request(work, references[0])
    return transaction.return_to


async def completion_page(request: Request) -> Response:
    """Show the page that takes handle and code from the fragment.

    The one page that needs script, and says so. A browser without a cookie began nothing: that is said
    without script too.
    """
    has_begun = cookies.transaction_cookie(request) is not None
    response = render(request, "login/complete.html", has_begun=has_begun)
    response.headers["content-security-policy"] = content_policy(may_connect=True)
    response.headers["referrer-policy"] = "no-referrer"
    return response


async def complete_login(request: Request) -> Response:
    """Complete the transaction of this browser and answer where to go on."""
    services = services_of(request)
    services.forms.require_own_origin(request)
    await services.limits.take(request, COMPLETE_PER_ADDRESS)
    handle, code = await _handle_and_code(request)
    event, on = Event.login_completed, Subject("login", "of-browser")
    async with act_of(request, event=event, by=BROWSER, on=on) as work:
        completed = await login.complete(
            work, cookie=cookies.transaction_cookie(request), handle=handle, code=code
        )
        return await _effect(request, work, completed)


async def _handle_and_code(request: Request) -> tuple[Secret, Secret]:
    try:
        sent = await request.json()
        return Secret.from_text(str(sent["handle"])), Secret.from_text(str(sent["code"]))
    except (ValueError, KeyError, TypeError, RecursionError):  # the last for brackets without end
        raise CompletionWrong from None


async def _effect(request: Request, work: Work, completed: Completed) -> Response:
    """Do what the purpose leads to, in the transaction that completes.

    A session only for the purpose login.
    """
    response = JSONResponse({"next": completed.return_to}, headers={"Cache-Control": "no-store"})
    if completed.purpose is Purpose.login:
        _, cookie = await begin_session(work, completed, former=cookies.session_cookie(request))
        cookies.set_session(request, response, cookie)
    return response
