"""Authorisation and userinfo requests that share a transaction are judged as if each came alone (LOGIN-1)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.clock import FakeClock
from tests.oidc_builders import Visit, a_request, a_session, begin_session
from tests.register_builders import active_card, known_person, registered_organisation

from zorgid.kernel.randomness import base64url
from zorgid.kernel.secrets import Secret
from zorgid.login.rules import TOUCH_EVERY, EndReason
from zorgid.login.sessions import actor_of, end_session
from zorgid.oidc.errors import InvalidScope, InvalidToken, LoginRequired
from zorgid.oidc.granting import FromSession, authorise_at_once
from zorgid.oidc.jose import UnverifiedToken
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.response import Redirect
from zorgid.oidc.tokens import UserinfoRequest, userinfo
from zorgid.protocol.context import MeansUsed
from zorgid.storage.database import Origin
from zorgid.storage.together import Act, Part


async def together(visit: Visit, act: Act[Any, Any], *asked: object) -> Sequence[Any]:
    async with visit.database.work(Origin("first", None, "node")) as work:
        origins = [Origin(f"request-{n}", None, "node") for n in range(len(asked))]
        parts = [Part(work.asked_from(by), one) for by, one in zip(origins, asked, strict=True)]
        return await act(parts)


def asking(cookie: Secret, **changes: str | None) -> FromSession:
    return FromSession(UnverifiedParameters.of(a_request(**changes).items()), cookie)


@pytest.fixture
async def people(visit: Visit, origin: Origin) -> list[tuple[Any, Secret]]:
    async with visit.database.work(origin) as work:
        return [await begin_session(work) for _ in range(2)]


async def asked(visit: Visit, origin: Origin, query: str, *values: object) -> list[tuple[Any, ...]]:
    async with visit.database.work(origin) as work:
        return await (await work.connection.execute(query.encode(), values)).fetchall()


async def test_each_gets_a_code_for_its_own_session_and_an_audit_entry_of_its_own(
    visit: Visit, people: list[tuple[Any, Secret]], origin: Origin, clock: FakeClock
) -> None:
    act = partial(authorise_at_once, visit.server)
    answers = await together(
        visit, act, *(asking(cookie, state=f"s{n}") for n, (_, cookie) in enumerate(people))
    )

    for n, (answer, (session, _)) in enumerate(zip(answers, people, strict=True)):
        assert isinstance(answer, Redirect)
        given = parse_qs(urlsplit(answer.location).query)
        assert given["state"] == [f"s{n}"]
        tokens = (await visit.redeem(given["code"][0], now=clock.at)).json()
        assert (await visit.claims_of(tokens["id_token"]))["sid"] == session.sid
    entries = await asked(
        visit, origin, "select request_id from audit_entry where event = 'code-issued' order by request_id"
    )
    assert entries == [("request-0",), ("request-1",)]


async def test_one_that_is_refused_or_must_log_in_takes_nothing_from_the_others(
    visit: Visit, people: list[tuple[Any, Secret]], origin: Origin
) -> None:
    (_, cookie), (ended, other) = people
    async with visit.database.work(origin) as work:
        await end_session(work, ended, by=actor_of(ended), reason=EndReason.logged_out)

    granted, no_scope, no_session, silent, fresh = await together(
        visit,
        partial(authorise_at_once, visit.server),
        asking(cookie),
        asking(cookie, scope="profile"),
        asking(other),
        asking(other, prompt="none"),
        asking(cookie, prompt="login"),
    )

    assert isinstance(granted, Redirect)
    assert isinstance(no_scope, InvalidScope)
    assert isinstance(silent, LoginRequired)
    assert silent.target is not None
    assert (no_session, fresh) == (None, None)
    assert await asked(visit, origin, "select count(*) from oidc_grant") == [(1,)]


async def test_a_session_that_is_used_is_touched(
    visit: Visit, people: list[tuple[Any, Secret]], origin: Origin, clock: FakeClock
) -> None:
    clock.at += TOUCH_EVERY
    (used, cookie), (idle, _) = people
    await together(visit, partial(authorise_at_once, visit.server), asking(cookie))

    seen = dict(await asked(visit, origin, "select session_id, last_seen_at from session"))
    assert (seen[used.id], seen[idle.id]) == (clock.at, clock.at - TOUCH_EVERY)


async def test_a_held_card_gives_no_code_and_tells_nothing(
    visit: Visit, origin: Origin, clock: FakeClock
) -> None:
    """LIFE-3, LOGIN-10; the hold is written behind the back of the rooms, which would end the session too."""
    async with visit.database.work(origin) as work:
        card = await active_card(work, await known_person(work), await registered_organisation(work))
        means = replace(a_session(now=clock.at).means, kind=MeansUsed.smartcard, reference=str(card.id))
    await visit.log_in(origin, means=means)
    token = (await visit.tokens(now=clock.at))["access_token"]
    cookie = Secret.from_text(visit.browser.cookies["zid-session"])
    await asked(visit, origin, "update card set state = 'held' where id = %s returning 1", card.id)

    assert await together(visit, partial(authorise_at_once, visit.server), asking(cookie)) == [None]
    (refused,) = await together(
        visit, partial(userinfo, visit.server), UserinfoRequest(UnverifiedToken(token), as_jwt=False)
    )
    assert isinstance(refused, InvalidToken)
    assert refused.detail == "session-ended"


async def test_userinfo_tells_each_its_own_and_refuses_each_for_its_own_reason(
    visit: Visit, origin: Origin, clock: FakeClock
) -> None:
    session = await visit.log_in(origin)
    good = (await visit.tokens(now=clock.at))["access_token"]
    gone = await visit.log_in(origin)
    stale = (await visit.tokens(now=clock.at))["access_token"]
    async with visit.database.work(origin) as work:
        await end_session(work, gone, by=actor_of(gone), reason=EndReason.logged_out)
    tokens = [good, stale, "no.token.atall", good]

    told = await together(
        visit,
        partial(userinfo, visit.server),
        *(UserinfoRequest(UnverifiedToken(text), as_jwt=n == 3) for n, text in enumerate(tokens)),
    )

    assert told[0]["acr"] == session.means.level
    assert [isinstance(one, InvalidToken) for one in told] == [False, True, True, False]
    assert (await visit.claims_of(told[3]))["sub"] == told[0]["sub"]


async def test_userinfo_leaves_the_card_to_whoever_would_hold_it(
    visit: Visit, origin: Origin, clock: FakeClock
) -> None:
    async with visit.database.work(origin) as work:
        card = await active_card(work, await known_person(work), await registered_organisation(work))
        means = replace(a_session(now=clock.at).means, kind=MeansUsed.smartcard, reference=str(card.id))
    await visit.log_in(origin, means=means)
    token = (await visit.tokens(now=clock.at))["access_token"]
    async with visit.database.work(origin) as holding:
        await holding.connection.execute("select from card where id = %s for update", (card.id,))
        response = await visit.userinfo(token)

    assert response.status_code == 200


HOSTILE_WISHES: Final[Sequence[Mapping[str, str]]] = (
    {"nonce": "\N{PILE OF POO}" * 7000},
    {"nonce": "\x01\x7f\u202e\ufeff"},
    {"state": "\r\nSet-Cookie: a=b"},
    {"client_id": "\N{LATIN SMALL LETTER SHARP S}" * 9000},
    {"redirect_uri": "https://[::1"},
    {"scope": "openid " * 3000},
    {"max_age": "9" * 400},
    {"id_token_hint": "a.b.c"},
    {"id_token_hint": "." * 9000},
    {"claims": "[" * 3000},
    {"claims": '{"id_token": {"a\\u0000b": null, "\\ud800": {}}}'},
    {"claims": '{"id_token": {"acr": {"essential": true, "values": ["\\ud800"]}}}'},
    {"claims": '{"userinfo": {"sub": {"value": "\\ud800"}}}'},
    {"claims": '{"id_token": {"acr": {"value": ' + "9" * 3000 + "}}}"},
    {"organisation": "\N{ARABIC-INDIC DIGIT ONE}" * 8},
)


async def test_no_request_whatever_stands_in_it_breaks_the_work_of_the_others(
    visit: Visit, people: list[tuple[Any, Secret]]
) -> None:
    """What broke it would be done once more for each alone: a second round for everybody, at will."""
    (_, cookie), (_, hostile) = people
    parts = [asking(hostile, **wish) for wish in HOSTILE_WISHES]
    first, *_, last = await together(
        visit, partial(authorise_at_once, visit.server), asking(cookie), *parts, asking(cookie)
    )
    assert [isinstance(one, Redirect) for one in (first, last)] == [True, True]


async def test_no_access_token_whatever_stands_in_it_breaks_the_work_of_the_others(
    visit: Visit, origin: Origin, clock: FakeClock
) -> None:
    await visit.log_in(origin)
    good = (await visit.tokens(now=clock.at))["access_token"]
    header, claims, signature = good.split(".")
    heads: Sequence[Any] = (
        {"alg": ["ES256"]},
        {"alg": "ES256", "kid": {}},
        {"alg": None},
        [],
        "x",
        {"alg": "none"},
    )
    hostile = [
        *(f"{base64url(json.dumps(one).encode())}.{claims}.{signature}" for one in heads),
        f"{base64url(b'[' * 5000)}.{claims}.{signature}",
        f"{header}.{claims}.",
        f"{header}.{claims}.{'A' * 9000}",
        f"{header}.{claims}.{signature}\N{PILE OF POO}",
        "",
        "\x00.\x00.\x00",
    ]
    tokens = [UserinfoRequest(UnverifiedToken(text), as_jwt=False) for text in (good, *hostile, good)]
    first, *refused, last = await together(visit, partial(userinfo, visit.server), *tokens)
    assert first == last
    assert first["sub"]
    assert all(isinstance(one, InvalidToken) for one in refused)
