"""What the identity server refuses stands in the audit log, so that an attack can be seen (AUD-1)."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.clock import FakeClock
from tests.oidc_builders import (
    AUTHORIZE_PATH,
    REDIRECT,
    Visit,
    a_client,
    a_request,
    a_token_request,
    an_application,
    an_assertion,
)
from tests.web_builders import browser

from zorgid.login.rules import EndReason
from zorgid.login.sessions import actor_of, end_session
from zorgid.storage.database import Origin
from zorgid.web.limits import RECORDED_PER_ADDRESS, TOKEN_PER_CLIENT, Limit, TooMany

TOKENS, CODE, USERINFO = "tokens-issued", "code-issued", "userinfo-asked"

Row = Mapping[str, Any]


async def refused(visit: Visit, origin: Origin) -> list[Row]:
    """Return the refusals in the log, as event, actor, subject and facts."""
    async with visit.database.work(origin) as work:
        cursor = await work.connection.execute(
            "select event, actor_kind, actor_reference, subject_id, facts from audit_entry"
            " where outcome = 'refused' order by at, id"
        )
        names = ("event", "kind", "client", "subject", "facts")
        return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]


async def the_refusal(visit: Visit, origin: Origin) -> Row:
    (entry,) = await refused(visit, origin)
    return entry


async def test_a_replayed_assertion_is_recorded_under_its_client_without_what_was_sent(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.log_in(origin)
    assertion = an_assertion(now=clock.at)
    await visit.redeem(await visit.code(), now=clock.at, client_assertion=assertion)
    code = await visit.code()
    assert (await visit.redeem(code, now=clock.at, client_assertion=assertion)).status_code == 401
    entry = await the_refusal(visit, origin)
    assert (entry["event"], entry["kind"], entry["client"], entry["subject"]) == (
        TOKENS,
        "client",
        "xis",
        "xis",
    )
    assert entry["facts"]["code"] == "oauth-invalid-client"
    assert entry["facts"]["description"] == "The client assertion was used before."
    written = json.dumps(entry)
    assert assertion not in written
    assert code not in written


async def test_a_wrong_verifier_is_recorded(visit: Visit, clock: FakeClock, origin: Origin) -> None:
    await visit.log_in(origin)
    await visit.redeem(await visit.code(), now=clock.at, code_verifier="w" * 43)
    entry = await the_refusal(visit, origin)
    assert (entry["event"], entry["client"], entry["facts"]["error"]) == (TOKENS, "xis", "invalid_grant")
    assert "w" * 43 not in json.dumps(entry)


async def test_a_client_that_shows_the_code_of_another_is_recorded(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.register(origin, a_client(id="other", redirect_uris=(REDIRECT,)))
    await visit.log_in(origin)
    other = {"client_id": "other", "client_assertion": an_assertion(now=clock.at, iss="other", sub="other")}
    await visit.redeem(await visit.code(), now=clock.at, **other)
    entry = await the_refusal(visit, origin)
    assert (entry["event"], entry["client"], entry["facts"]["error"]) == (TOKENS, "other", "invalid_grant")


async def test_an_unknown_client_is_recorded_by_the_name_it_gives_cut_short(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    stranger = "stranger" * 100
    await visit.redeem("bm9uc2Vuc2U", now=clock.at, client_id=stranger, client_assertion=None)
    entry = await the_refusal(visit, origin)
    assert (entry["event"], entry["client"]) == (TOKENS, stranger[:100])


async def test_a_token_request_that_names_nobody_is_recorded_without_a_name(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.redeem("bm9uc2Vuc2U", now=clock.at, client_id=None, client_assertion=None)
    entry = await the_refusal(visit, origin)
    assert (entry["client"], entry["subject"]) == (None, "not-named")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"redirect_uri": "https://evil.example"}, "oauth-return-address-not-registered"),
        ({"client_id": "nobody"}, "oauth-client-not-known"),
        ({"response_type": "token"}, "oauth-unsupported-response-type"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_authorisation_request_is_recorded(
    visit: Visit, origin: Origin, method: str, change: dict[str, str], code: str
) -> None:
    request = a_request(**change)
    sent = {"params": request} if method == "GET" else {"data": request}
    await visit.browser.request(method, AUTHORIZE_PATH, **sent)
    entry = await the_refusal(visit, origin)
    assert (entry["event"], entry["client"], entry["facts"]["code"]) == (CODE, request["client_id"], code)


async def test_a_kept_request_that_lapsed_is_recorded(visit: Visit, clock: FakeClock, origin: Origin) -> None:
    kept = (await visit.browser.post(AUTHORIZE_PATH, data=a_request())).headers["location"]
    clock.advance(timedelta(minutes=10))
    await visit.browser.get(kept)
    entry = await the_refusal(visit, origin)
    assert (entry["event"], entry["facts"]["code"]) == (CODE, "oauth-request-expired")


async def test_a_client_that_only_asks_whether_somebody_is_logged_in_is_not_recorded(
    visit: Visit, origin: Origin
) -> None:
    response = await visit.authorize(prompt="none")
    assert "error=login_required" in response.headers["location"]
    assert not await refused(visit, origin)


async def test_an_access_token_shown_after_the_session_ended_is_recorded_by_its_number(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    session = await visit.log_in(origin)
    tokens = await visit.tokens(now=clock.at)
    number = (await visit.claims_of(tokens["access_token"]))["jti"]
    async with visit.database.work(origin) as work:
        await end_session(work, session, by=actor_of(session), reason=EndReason.logged_out)
    assert (await visit.userinfo(tokens["access_token"])).status_code == 401
    entry = await the_refusal(visit, origin)
    assert (entry["event"], entry["facts"]["detail"]) == (USERINFO, f"jti {number}")
    assert tokens["access_token"] not in json.dumps(entry)


async def test_a_forged_access_token_is_recorded(visit: Visit, origin: Origin) -> None:
    await visit.userinfo("eyJhbGciOiJub25lIn0.e30.")
    entry = await the_refusal(visit, origin)
    assert (entry["event"], entry["kind"], entry["client"]) == (USERINFO, "client", None)
    assert "eyJhbGciOiJub25lIn0" not in json.dumps(entry)


async def test_nothing_is_recorded_as_refused_when_all_goes_well(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.log_in(origin)
    tokens = await visit.tokens(now=clock.at)
    assert (await visit.userinfo(tokens["access_token"])).status_code == 200
    assert not await refused(visit, origin)


class Reached:
    """Limits of which one is reached."""

    def __init__(self, reached: Limit) -> None:
        self._reached = reached

    async def take(self, _request: object, limit: Limit, *_: object) -> None:
        if limit is self._reached:
            raise TooMany(limit=limit.name, retry_after_seconds=1)


@pytest.mark.parametrize(("limit", "status"), [(TOKEN_PER_CLIENT, 429), (RECORDED_PER_ADDRESS, 400)])
async def test_asking_too_often_fills_no_audit_log(
    visit: Visit, clock: FakeClock, origin: Origin, limit: Limit, status: int
) -> None:
    application = an_application(visit.server, visit.database, limits=Reached(limit))
    async with browser(application) as visitor:
        form = a_token_request("bm9uc2Vuc2U", now=clock.at)
        assert (await visitor.post("/oauth/connect/token", data=form)).status_code == status
    assert not await refused(visit, origin)
