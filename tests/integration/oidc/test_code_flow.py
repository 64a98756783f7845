"""The code flow over HTTP: authorisation request, code, tokens (LOGIN-1, LOGIN-3, LOGIN-8)."""

import asyncio
from datetime import timedelta

import pytest
from tests.clock import FakeClock
from tests.oidc_builders import (
    AUTHORIZE_PATH,
    EC_KEY,
    HIGH,
    ISSUER,
    REDIRECT,
    RSA_KEY,
    TOKEN_URL,
    Visit,
    a_client,
    a_request,
    an_assertion,
    answered,
    fields_of_page,
    jwks,
    seconds_of,
)

from zorgid.clients.model import Profile, SigningAlgorithm, TokenEndpointAuth
from zorgid.login.rules import EndReason
from zorgid.login.sessions import actor_of, end_session
from zorgid.storage.database import Origin


async def events(visit: Visit, origin: Origin) -> list[str]:
    async with visit.database.work(origin) as work:
        rows = await (
            await work.connection.execute("select event from audit_entry order by at, id")
        ).fetchall()
    return [row[0] for row in rows]


async def test_a_code_is_exchanged_for_tokens_that_say_who_it_is(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """Modules oidcc-server and oidcc-userinfo-get of the OpenID Foundation suite."""
    session = await visit.log_in(origin)
    back = answered(await visit.authorize(state="s t&t%e+"))
    assert back["state"] == "s t&t%e+"
    assert back["iss"] == ISSUER
    response = await visit.redeem(back["code"], now=clock.at)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    identity = await visit.claims_of(tokens["id_token"])
    subject = identity.pop("sub")
    assert len(subject) == 43
    assert len(identity.pop("jti")) == 22
    assert identity == {
        "iss": ISSUER,
        "aud": "xis",
        "exp": seconds_of(clock.at + timedelta(minutes=5)),
        "iat": seconds_of(clock.at),
        "nbf": seconds_of(clock.at),
        "auth_time": seconds_of(session.authenticated_at),
        "acr": HIGH,
        "sid": session.sid,
        "nonce": "a nonce",
    }
    told = await visit.userinfo(tokens["access_token"])
    assert told.json() == {
        "sub": subject,
        "name": "A.B. de Vries-Öztürk",
        "acr": HIGH,
        "urn:zorgid:uzi_number": "900012345",
        "urn:zorgid:ura_on_card": "90001234",
        "urn:zorgid:organisation": {"ura": "90001234", "guest": False},
        "urn:zorgid:means": "uzi-card",
    }
    assert {"code-issued", "tokens-issued"} <= set(await events(visit, origin))


async def test_the_answer_by_form_posts_itself_to_one_origin_and_escapes_every_value(
    visit: Visit, origin: Origin
) -> None:
    """Module oidcc-response-mode-form-post; OAuth 2.0 Form Post Response Mode."""
    await visit.log_in(origin)
    state = '"><script>alert(1)</script>&amp;'
    response = await visit.authorize(response_mode="form_post", state=state)
    assert response.status_code == 200
    fields = fields_of_page(response.text)
    assert list(fields) == ["code", "state", "iss"]
    assert fields["state"] == state
    assert "alert(1)</script>" not in response.text
    assert f'action="{REDIRECT}"' in response.text
    policy = response.headers["content-security-policy"]
    assert "form-action https://xis.example;" in policy
    assert "script-src 'sha256-" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "<button>" in response.text
    assert "onload" not in response.text


async def test_an_error_by_form_carries_issuer_and_state(visit: Visit) -> None:
    fields = fields_of_page((await visit.authorize(response_mode="form_post", prompt="none")).text)
    assert fields["error"] == "login_required"
    assert fields["iss"] == ISSUER
    assert fields["state"] == "a state"


async def test_a_request_by_post_is_kept_and_goes_on_by_get(visit: Visit, origin: Origin) -> None:
    """OpenID Connect Core 1.0, section 3.1.2.1; a post from another site has no cookies of ours."""
    response = await visit.browser.post(AUTHORIZE_PATH, data=a_request())
    assert response.status_code == 303
    assert "code" not in response.headers["location"].partition("?")[2].partition("=")[0]
    await visit.log_in(origin)
    back = answered(await visit.browser.get(response.headers["location"]))
    assert back["state"] == "a state"
    assert "code" in back


async def test_without_a_session_the_login_begins_and_the_request_goes_on_once_after_it(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    response = await visit.authorize(prompt="login", ui_locales="fy en")
    assert response.status_code == 303
    assert response.headers["location"] == "/oauth/account/login?lang=en"
    assert "zid-tx" in response.cookies
    async with visit.database.work(origin) as work:
        rows = await (
            await work.connection.execute("select return_to, client_name from login_transaction")
        ).fetchall()
    (return_to, client_name) = rows[0]
    assert client_name == "Huisartsysteem"
    assert return_to.startswith(f"{AUTHORIZE_PATH}?continue=")
    clock.advance(timedelta(minutes=2))
    await visit.log_in(origin)
    back = answered(await visit.browser.get(return_to))
    assert back["state"] == "a state"
    again = await visit.browser.get(return_to)
    assert again.status_code == 400
    assert "verlopen" in again.text


async def test_a_session_from_before_does_not_do_for_prompt_login(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """Module oidcc-prompt-login."""
    await visit.log_in(origin)
    clock.advance(timedelta(seconds=1))
    response = await visit.authorize(prompt="login")
    assert response.headers["location"] == "/oauth/account/login"


async def test_a_kept_request_lapses_after_ten_minutes(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    kept = (await visit.browser.post(AUTHORIZE_PATH, data=a_request())).headers["location"]
    clock.advance(timedelta(minutes=10))
    await visit.log_in(origin)
    assert (await visit.browser.get(kept)).status_code == 400
    assert (await visit.browser.get(f"{AUTHORIZE_PATH}?continue=nonsense!")).status_code == 400


async def test_what_may_not_be_redirected_is_a_page_in_the_language_of_the_browser(visit: Visit) -> None:
    response = await visit.browser.get(
        AUTHORIZE_PATH,
        params=a_request(redirect_uri="https://evil.example"),
        headers={"accept-language": "en"},
    )
    assert response.status_code == 400
    assert "not registered with us" in response.text
    assert '"https://evil.example' not in response.text
    assert "location" not in response.headers


@pytest.mark.parametrize("query", ["%ff=%ff", "a=b&" * 200, "state=" + "x" * 40_000])
async def test_a_request_that_cannot_be_read_is_a_page(visit: Visit, query: str) -> None:
    assert (await visit.browser.get(f"{AUTHORIZE_PATH}?{query}")).status_code == 400


async def test_a_code_is_of_no_use_after_sixty_seconds(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """FAPI 2.0, 5.3.2.1-11."""
    await visit.log_in(origin)
    code = await visit.code()
    clock.advance(timedelta(seconds=60))
    response = await visit.redeem(code, now=clock.at)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_grant"


async def test_a_code_used_again_is_refused_and_takes_its_tokens_along(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """Modules oidcc-codereuse and oidcc-codereuse-30seconds."""
    await visit.log_in(origin)
    code = await visit.code()
    tokens = (await visit.redeem(code, now=clock.at)).json()
    assert (await visit.userinfo(tokens["access_token"])).status_code == 200
    assert (await visit.redeem(code, now=clock.at)).json()["error"] == "invalid_grant"
    refused = await visit.userinfo(tokens["access_token"])
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert "code-replayed" in await events(visit, origin)


async def test_nobody_burns_the_code_of_another_client(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """FAPI 2.0: a code is bound to its client; only reuse by the same client revokes."""
    await visit.register(origin, a_client(id="other", redirect_uris=(REDIRECT,)))
    await visit.log_in(origin)
    code = await visit.code()
    other = {"client_id": "other", "client_assertion": an_assertion(now=clock.at, iss="other", sub="other")}
    assert (await visit.redeem(code, now=clock.at, **other)).json()["error"] == "invalid_grant"
    tokens = await visit.redeem(code, now=clock.at)
    assert tokens.status_code == 200
    other["client_assertion"] = an_assertion(now=clock.at, iss="other", sub="other")
    assert (await visit.redeem(code, now=clock.at, **other)).status_code == 400
    assert (await visit.userinfo(tokens.json()["access_token"])).status_code == 200


@pytest.mark.parametrize("change", [{"code_verifier": "w" * 43}, {"redirect_uri": REDIRECT + "/"}])
async def test_a_code_shown_with_a_wrong_verifier_or_address_is_used_up(
    visit: Visit, clock: FakeClock, origin: Origin, change: dict[str, str]
) -> None:
    await visit.log_in(origin)
    code = await visit.code()
    assert (await visit.redeem(code, now=clock.at, **change)).json()["error"] == "invalid_grant"
    assert (await visit.redeem(code, now=clock.at)).json()["error"] == "invalid_grant"


async def test_two_requests_with_one_code_at_once_lose_one(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """RFC 6749, section 4.1.2: a code counts once, also when all come at the same moment."""
    await visit.log_in(origin)
    code = await visit.code()
    answers = await asyncio.gather(*(visit.redeem(code, now=clock.at) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]


async def test_an_assertion_counts_once_even_when_its_request_was_refused(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """RFC 7523, section 3; FAPI 2.0, 5.3.2.1-13."""
    await visit.log_in(origin)
    assertion = an_assertion(now=clock.at)
    refused = await visit.redeem("bm9uc2Vuc2U", now=clock.at, client_assertion=assertion)
    assert refused.json()["error"] == "invalid_grant"
    code = await visit.code()
    replayed = await visit.redeem(code, now=clock.at, client_assertion=assertion)
    assert replayed.status_code == 401
    assert replayed.json()["error"] == "invalid_client"
    assert (await visit.redeem(code, now=clock.at)).status_code == 200


async def test_two_requests_with_one_assertion_at_once_lose_one(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.log_in(origin)
    codes = [await visit.code() for _ in range(4)]
    assertion = an_assertion(now=clock.at)
    answers = await asyncio.gather(
        *(visit.redeem(code, now=clock.at, client_assertion=assertion) for code in codes)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_the_end_of_the_session_ends_codes_and_tokens_in_the_same_transaction(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """LOGIN-10."""
    session = await visit.log_in(origin)
    tokens = await visit.tokens(now=clock.at)
    code = await visit.code()
    async with visit.database.work(origin) as work:
        await end_session(work, session, by=actor_of(session), reason=EndReason.logged_out)
    assert (await visit.redeem(code, now=clock.at)).json()["error"] == "invalid_grant"
    assert (await visit.userinfo(tokens["access_token"])).status_code == 401


async def test_a_grant_that_slipped_past_the_end_of_its_session_is_of_no_use(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """LOGIN-10: a code issued at the very moment the session ends."""
    session = await visit.log_in(origin)
    code = await visit.code()
    async with visit.database.work(origin) as work:
        await work.connection.execute(
            "update session set ended_at = %s, end_reason = 'logged-out' where sid = %s",
            (work.now, session.sid),
        )
    assert (await visit.redeem(code, now=clock.at)).json()["error"] == "invalid_grant"


async def test_an_unknown_parameter_named_like_ours_is_ignored(visit: Visit, origin: Origin) -> None:
    await visit.log_in(origin)
    assert "code" in answered(
        await visit.browser.get(AUTHORIZE_PATH, params={**a_request(), "continue": "here"})
    )


async def test_whoever_tries_a_header_is_told_in_a_header(visit: Visit) -> None:
    """RFC 6749, section 5.2."""
    response = await visit.browser.post(
        TOKEN_URL, data={"client_id": "xis"}, headers={"Authorization": "Basic eDp5"}
    )
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "RS256"])
async def test_tokens_are_signed_as_the_client_registered(
    visit: Visit, clock: FakeClock, origin: Origin, algorithm: str
) -> None:
    client = a_client(id="signed", signing_algorithm=SigningAlgorithm(algorithm))
    await visit.register(origin, client)
    await visit.log_in(origin)
    code = await visit.code(client_id="signed")
    own = {"client_id": "signed", "client_assertion": an_assertion(now=clock.at, iss="signed", sub="signed")}
    tokens = (await visit.redeem(code, now=clock.at, **own)).json()
    assert (await visit.claims_of(tokens["id_token"]))["aud"] == "signed"
    assert (await visit.userinfo(tokens["access_token"])).status_code == 200


async def test_a_fapi_client_gets_its_tokens_with_ps256_and_the_issuer_as_audience(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.register(origin, a_client(id="fapi", profile=Profile.fapi2, jwks=jwks(RSA_KEY)))
    await visit.log_in(origin)
    facts = {"now": clock.at, "key": RSA_KEY, "alg": "PS256", "iss": "fapi", "sub": "fapi"}
    for audience, status in ((TOKEN_URL, 401), (ISSUER, 200)):
        code = await visit.code(client_id="fapi", nonce=None)
        assertion = an_assertion(**facts, aud=audience)
        answer = await visit.redeem(code, now=clock.at, client_id="fapi", client_assertion=assertion)
        assert answer.status_code == status


async def test_a_public_client_redeems_with_its_verifier_alone(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    client = a_client(
        id="native",
        token_endpoint_auth=TokenEndpointAuth.none,
        jwks={"keys": []},
        redirect_uris=("https://native.example/cb",),
    )
    await visit.register(origin, client)
    await visit.log_in(origin)
    own = {"client_id": "native", "redirect_uri": "https://native.example/cb"}
    code = await visit.code(**own)
    nothing = {"client_assertion": None, "client_assertion_type": None}
    assert (await visit.redeem(code, now=clock.at, **own, **nothing)).status_code == 200


async def test_one_person_has_one_subject_in_a_sector_and_another_elsewhere(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    for name, sector in (("same", "xis.example"), ("elsewhere", "other.example")):
        await visit.register(origin, a_client(id=name, sector=sector, jwks=jwks(EC_KEY)))
    await visit.log_in(origin)
    subjects = {}
    for name in ("xis", "same", "elsewhere"):
        code = await visit.code(client_id=name)
        assertion = an_assertion(now=clock.at, iss=name, sub=name)
        tokens = (await visit.redeem(code, now=clock.at, client_id=name, client_assertion=assertion)).json()
        subjects[name] = (await visit.claims_of(tokens["id_token"]))["sub"]
    assert subjects["xis"] == subjects["same"] != subjects["elsewhere"]


async def test_an_id_token_hint_of_somebody_else_needs_a_login(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """Module oidcc-id-token-hint."""
    await visit.log_in(origin)
    hint = (await visit.tokens(now=clock.at))["id_token"]
    clock.advance(timedelta(minutes=6))
    assert "code" in answered(await visit.authorize(prompt="none", id_token_hint=hint))
    await visit.log_in(origin)
    assert answered(await visit.authorize(prompt="none", id_token_hint=hint))["error"] == "login_required"
    assert (await visit.authorize(id_token_hint=hint)).headers["location"] == "/oauth/account/login"
    forged = hint[:-4] + "AAAA"
    assert answered(await visit.authorize(id_token_hint=forged))["error"] == "invalid_request"


async def test_no_code_and_no_token_is_stored(visit: Visit, clock: FakeClock, origin: Origin) -> None:
    """docs/security.md, keys, data and log."""
    await visit.log_in(origin)
    code = await visit.code()
    tokens = (await visit.redeem(code, now=clock.at)).json()
    async with visit.database.work(origin) as work:
        tables = ("oidc_code", "oidc_grant", "oidc_token", "oidc_assertion", "audit_entry", "outbox_event")
        stored = ""
        for table in tables:
            rows = await (await work.connection.execute(f"select t::text from {table} t")).fetchall()
            stored += str(rows)
    for secret in (code, tokens["access_token"], tokens["id_token"], tokens["id_token"].split(".")[2]):
        assert secret not in stored


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_the_token_endpoint_takes_posts_only(visit: Visit, method: str) -> None:
    assert (await visit.browser.request(method, TOKEN_URL)).status_code == 405


async def test_a_token_request_in_another_form_is_refused(visit: Visit) -> None:
    response = await visit.browser.post(TOKEN_URL, json={"grant_type": "authorization_code"})
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
