"""The portal: logging in as a relying party, seeing cards, and acting on them (LIFE-1, LIFE-2, LIFE-3, LOGIN-1)."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.app_builders import demo_settings, platform
from tests.portal_builders import (
    ORIGIN,
    World,
    browser_at,
    fields_of,
    finish_login,
    identity_cookie,
    logged_in,
    small_world,
)
from tests.register_builders import audited, certificate_statuses

from zorgid.app import Running
from zorgid.cards import actions as cards
from zorgid.people.model import Person
from zorgid.web.portal.acts import seen_at_of
from zorgid.web.portal.routes import return_path


@pytest.fixture
async def running(tmp_path: Path, database_url: str) -> AsyncIterator[Running]:
    async with platform(demo_settings(tmp_path, database_url), with_worker=False) as running:
        yield running


@pytest.fixture
async def world(running: Running) -> World:
    return await small_world(running)


async def state_of(running: Running, world: World) -> str:
    async with running.services.database.work(ORIGIN) as work:
        return (await cards.card(work, world.card.id)).state


async def refused_to(running: Running, person: Person) -> list[str]:
    """What was refused to a person, oldest first, as the log tells it."""
    async with running.services.database.work(ORIGIN) as work:
        rows = await work.connection.execute(
            "select event from audit_entry where actor_person_id = %s and outcome = 'refused' order by at",
            (person.id,),
        )
        return [row[0] for row in await rows.fetchall()]


async def log_of(running: Running, world: World) -> list[tuple[str, str | None, str | None]]:
    async with running.services.database.work(ORIGIN) as work:
        return list(await audited(work, world.card.id))


async def submit(client: httpx.AsyncClient, address: str, **chosen: str) -> httpx.Response:
    """Open a page and send its form, as a browser does."""
    page = await client.get(address)
    assert page.status_code == 200, page.text
    own = {"origin": str(client.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    return await client.post(address, data={**fields_of(page.text), **chosen}, headers=own)


def page_of(world: World, act: str = "") -> str:
    return f"/portal/cards/{world.card.number}{act}"


# --- Logging in ---------------------------------------------------------------------------------------------


async def test_the_portal_asks_for_a_login_as_the_printed_request_does(running: Running) -> None:
    """LOGIN-1."""
    answer = await browser_at(running).get("/portal/login?to=/portal/cards/ABC")
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.headers["location"].startswith(f"{running.settings.issuer}/connect/authorize?")
    assert asked["client_id"] == ["user-management"]
    assert asked["response_mode"] == ["form_post"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid profile api"]
    assert asked["redirect_uri"] == [f"{running.settings.origin}/portal/signin-oidc"]


async def test_a_person_with_a_session_at_the_identity_server_gets_into_the_portal(
    running: Running, world: World
) -> None:
    client = await logged_in(running, world.administrator)
    page = await client.get("/portal/cards")
    assert page.status_code == 200
    assert "Smartcards van Huisartsenpraktijk De Linde" in page.text


async def test_whoever_stops_before_the_end_begins_again_where_it_began(running: Running) -> None:
    """ALL-2: by an address that is the same for everybody, so that a page can name it before it knows why."""
    client, again = browser_at(running), "/oauth/account/login/again"
    assert (await client.get(again)).headers["location"] == "/"
    for door in ("/portal/make-card", "/portal/validate-organisation"):
        await submit(client, door)
        assert (await client.get(again)).headers["location"] == door
    await client.get((await client.get("/portal/login")).headers["location"])
    goes_on = (await client.get(again)).headers["location"]
    assert (await client.get(goes_on)).headers["location"] == "/oauth/account/login"


@pytest.mark.parametrize(
    "over",
    [
        "update oidc_request set used_at = created_at",
        "update oidc_request set expires_at = created_at",
        "update login_transaction set state = 'completed'",
    ],
)
async def test_a_login_whose_request_is_used_up_or_too_old_is_begun_again_at_the_front_page(
    running: Running, over: str
) -> None:
    """ALL-2: the request of a login that was completed says no more than that it was used."""
    client, again = browser_at(running), "/oauth/account/login/again"
    await client.get((await client.get("/portal/login")).headers["location"])
    assert "/connect/authorize?continue=" in (await client.get(again)).headers["location"]
    async with running.services.database.work(ORIGIN) as work:
        assert (await work.connection.execute(over)).rowcount == 1
    assert (await client.get(again)).headers["location"] == "/"


async def test_a_login_leads_back_to_the_page_that_was_asked(running: Running, world: World) -> None:
    client = browser_at(running)
    client.cookies.set("zid-session", await identity_cookie(running, world.administrator))
    away = await client.get(page_of(world))
    assert away.headers["location"].startswith("/portal?to=")
    front = await client.get(away.headers["location"])
    link = re.search(r'href="(/portal/login\?to=[^"]*)"', front.text)
    assert link
    answer = await finish_login(client, await client.get(link[1]))
    assert answer.headers["location"] == page_of(world)


@pytest.mark.parametrize(
    "asked",
    ["https://evil.example", "//evil.example", "/portal//../x?y", "/oauth/complete", None, "/portal\\x", ""],
)
def test_a_login_never_leads_out_of_the_portal(asked: str | None) -> None:
    assert return_path(asked) == "/portal/cards"


async def answer_of_login(client: httpx.AsyncClient) -> dict[str, str]:
    """What the identity server lets the browser post to the portal."""
    away = await client.get("/portal/login")
    return fields_of((await client.get(away.headers["location"])).text)


async def test_an_answer_in_another_browser_logs_nobody_in(running: Running, world: World) -> None:
    """LOGIN-5."""
    attacker = browser_at(running)
    attacker.cookies.set("zid-session", await identity_cookie(running, world.stranger))
    answer = await answer_of_login(attacker)
    victim = browser_at(running)
    await victim.get("/portal/login")
    refused = await victim.post("/portal/signin-oidc", data=answer)
    assert refused.status_code == 403
    assert "Het inloggen is niet afgemaakt in deze browser" in refused.text
    assert "zid-portal" not in victim.cookies


@pytest.mark.parametrize("change", [{"state": "x"}, {"iss": "https://evil.example"}, {"code": "x"}])
async def test_a_changed_answer_logs_nobody_in(
    running: Running, world: World, change: dict[str, str]
) -> None:
    client = browser_at(running)
    client.cookies.set("zid-session", await identity_cookie(running, world.administrator))
    answer = await answer_of_login(client)
    assert (await client.post("/portal/signin-oidc", data={**answer, **change})).status_code == 403
    assert "zid-portal" not in client.cookies


async def test_an_answer_counts_once(running: Running, world: World) -> None:
    client = browser_at(running)
    client.cookies.set("zid-session", await identity_cookie(running, world.administrator))
    away = await client.get("/portal/login")
    kept = client.cookies["zid-portal-login"]
    answer = fields_of((await client.get(away.headers["location"])).text)
    assert (await client.post("/portal/signin-oidc", data=answer)).status_code == 303
    again = browser_at(running)
    again.cookies.set("zid-portal-login", kept)
    assert (await again.post("/portal/signin-oidc", data=answer)).status_code == 403


async def test_a_session_cookie_that_was_made_up_is_nobody(running: Running, world: World) -> None:
    client = browser_at(running)
    client.cookies.set("zid-portal", "a-session-of-somebody.AAAA")
    assert (await client.get("/portal/cards")).headers["location"] == "/portal?to=%2Fportal%2Fcards"


async def test_logging_out_ends_the_session_at_the_identity_server_too(
    running: Running, world: World
) -> None:
    """LOGIN-10."""
    client = await logged_in(running, world.administrator)
    page = await client.get("/portal/cards")
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token
    answer = await client.post("/portal/logout", data={"form_token": token[1]})
    assert answer.status_code == 303
    forgotten = [
        line.partition("=")[0] for line in answer.headers.get_list("set-cookie") if "Max-Age=0" in line
    ]
    assert sorted(forgotten) == ["zid-portal", "zid-session"]
    assert (await client.get("/portal/cards")).status_code == 303
    page = await client.get((await client.get("/portal/login")).headers["location"])
    assert "signin-oidc" not in page.text


async def test_a_logout_from_another_site_is_refused(running: Running, world: World) -> None:
    client = await logged_in(running, world.administrator)
    assert (
        await client.post("/portal/logout", headers={"origin": "https://evil.example"})
    ).status_code == 403
    assert (await client.get("/portal/cards")).status_code == 200


# --- Seeing -------------------------------------------------------------------------------------------------


async def test_the_list_shows_holder_state_and_end_of_each_card(running: Running, world: World) -> None:
    """LIFE-1."""
    client = await logged_in(running, world.administrator)
    page = (await client.get("/portal/cards")).text
    assert world.card.number in page
    assert "Joëlle Öztürk-de Bruin" in page
    assert "Werkt" in page


async def test_a_holder_sees_the_own_card(running: Running, world: World) -> None:
    client = await logged_in(running, world.holder)
    assert world.card.number in (await client.get("/portal/cards")).text
    page = (await client.get(page_of(world))).text
    assert "Huisartsenpraktijk De Linde" in page
    assert "Blokkeer de kaart" in page


@pytest.mark.parametrize("act", ["", "/hold", "/revoke", "/done/held"])
async def test_a_card_of_others_is_as_unknown_as_one_that_is_not_there(
    running: Running, world: World, act: str
) -> None:
    """LIFE-4, ROLE-6."""
    client = await logged_in(running, world.stranger)
    theirs = await client.get(page_of(world, act))
    nothing = await client.get(f"/portal/cards/2222222{act}")
    assert (theirs.status_code, nothing.status_code) == (404, 404)
    reference = re.compile(r'class="mono">\w+<')
    assert reference.sub("", theirs.text.replace(world.card.number, "")) == reference.sub(
        "", nothing.text.replace("2222222", "")
    )


async def test_another_organisations_list_is_not_shown_by_its_id(running: Running, world: World) -> None:
    client = await logged_in(running, world.stranger)
    page = (await client.get(f"/portal/cards?organisation={world.organisation.id}")).text
    assert "Apotheek Het Anker" in page
    assert world.card.number not in page


@pytest.mark.parametrize("after", ["nonsense", "2026-01-01~x", "2026-01-01T00:00:00~" + "0" * 32, "~"])
async def test_a_nonsense_page_is_the_first_page(running: Running, world: World, after: str) -> None:
    client = await logged_in(running, world.administrator)
    assert world.card.number in (await client.get(f"/portal/cards?after={after}")).text


async def test_the_pages_are_complete_in_english(running: Running, world: World) -> None:
    """ALL-1."""
    client = await logged_in(running, world.administrator)
    page = (await client.get(page_of(world) + "?lang=en")).text
    assert "Put the card on hold" in page
    assert "Blokkeer" not in page


# --- Acting -------------------------------------------------------------------------------------------------


async def test_a_hold_says_when_everybody_knows_and_ends_in_a_page_that_can_be_loaded_again(
    running: Running, world: World
) -> None:
    """LIFE-2, LIFE-3."""
    client = await logged_in(running, world.administrator)
    answer = await submit(client, page_of(world, "/hold"), reason="lost")
    assert answer.status_code == 303
    for _ in range(2):
        done = await client.get(answer.headers["location"])
        assert f"Smartcard {world.card.number} is geblokkeerd" in done.text
        assert "weten dit uiterlijk op" in done.text
    assert await state_of(running, world) == "held"
    assert ("card-held", "active", "held") in await log_of(running, world)
    async with running.services.database.work(ORIGIN) as work:
        assert {status for status, _ in await certificate_statuses(work, world.card)} == {"on_hold"}


async def test_a_hold_is_released_by_who_set_it_and_not_by_the_holder(running: Running, world: World) -> None:
    """LIFE-2."""
    manager = await logged_in(running, world.administrator)
    await submit(manager, page_of(world, "/hold"), reason="absence")
    holder = await logged_in(running, world.holder)
    seen = (await holder.get(page_of(world))).text
    assert "Geblokkeerd door Huisartsenpraktijk De Linde" in seen
    assert "Alleen wie de kaart heeft geblokkeerd" in seen
    assert "Blokkeer de kaart" in seen, "the holder has no hold on it yet"
    assert "Blokkeer de kaart" not in (await manager.get(page_of(world))).text
    release = re.search(
        r'href="(/portal/cards/[^"]*/release/[^"]*)"', (await manager.get(page_of(world))).text
    )
    assert release
    refused = await submit(holder, release[1])
    assert refused.status_code == 403
    assert await state_of(running, world) == "held"
    assert any(event == "card-released" for event, *_ in await log_of(running, world)), (
        "the refusal is in the log"
    )
    answer = await submit(manager, release[1])
    assert "Inloggen met de kaart kan weer." in (await manager.get(answer.headers["location"])).text
    assert await state_of(running, world) == "active"


async def test_a_card_held_by_two_works_when_both_have_let_go(running: Running, world: World) -> None:
    manager, holder = await logged_in(running, world.administrator), await logged_in(running, world.holder)
    await submit(manager, page_of(world, "/hold"), reason="absence")
    await submit(holder, page_of(world, "/hold"), reason="left-behind")
    own = re.search(r'href="(/portal/cards/[^"]*/release/[^"]*)"', (await holder.get(page_of(world))).text)
    assert own
    answer = await submit(holder, own[1])
    assert "De kaart werkt nog niet" in (await holder.get(answer.headers["location"])).text
    assert await state_of(running, world) == "held"


async def test_a_holder_revokes_the_own_card_for_good(running: Running, world: World) -> None:
    """LIFE-11."""
    client = await logged_in(running, world.holder)
    answer = await submit(client, page_of(world, "/revoke"), reason="damaged")
    assert "is ingetrokken" in (await client.get(answer.headers["location"])).text
    assert await state_of(running, world) == "revoked"
    page = (await client.get(page_of(world))).text
    assert "Trek de kaart in" not in page
    assert "Blokkeer de kaart" not in page
    refused = await submit(client, page_of(world, "/hold"), reason="lost")
    assert refused.status_code == 409
    assert await state_of(running, world) == "revoked"


@pytest.mark.parametrize("reason", [{}, {"reason": "because"}, {"reason": "replaced"}])
async def test_without_a_reason_nothing_happens_and_the_page_says_so(
    running: Running, world: World, reason: dict[str, str]
) -> None:
    """ALL-2."""
    client = await logged_in(running, world.administrator)
    answer = await submit(client, page_of(world, "/revoke"), **reason)
    assert answer.status_code == 422
    assert "<title>Fout:" in answer.text
    assert "U hebt nog geen reden gekozen." in answer.text
    assert await state_of(running, world) == "active"


@pytest.mark.parametrize("act", ["/hold", "/revoke"])
async def test_an_act_that_another_site_posts_changes_nothing(
    running: Running, world: World, act: str
) -> None:
    client = await logged_in(running, world.administrator)
    fields = fields_of((await client.get(page_of(world, act))).text)
    for data, origin in ((fields, "https://evil.example"), ({}, running.settings.origin)):
        answer = await client.post(
            page_of(world, act), data={**data, "reason": "lost"}, headers={"origin": origin}
        )
        assert answer.status_code == 403
    assert await state_of(running, world) == "active"


async def test_an_act_of_a_stranger_changes_nothing_and_is_refused_like_an_unknown_card(
    running: Running, world: World
) -> None:
    stranger = await logged_in(running, world.stranger)
    fields = fields_of((await stranger.get("/portal/cards")).text)
    answer = await stranger.post(page_of(world, "/hold"), data={**fields, "reason": "lost"})
    assert answer.status_code == 404
    assert await state_of(running, world) == "active"
    assert await refused_to(running, world.stranger) == ["card-held"]


async def test_that_a_stranger_looks_at_a_card_is_in_the_log(running: Running, world: World) -> None:
    """AUD-1."""
    stranger = await logged_in(running, world.stranger)
    await stranger.get(page_of(world, ""))
    assert await refused_to(running, world.stranger) == ["card-viewed"]


async def test_the_last_page_of_an_act_that_was_not_done_leads_to_the_card(
    running: Running, world: World
) -> None:
    client = await logged_in(running, world.administrator)
    for step in ("held", "revoked", "nonsense"):
        answer = await client.get(page_of(world, f"/done/{step}"))
        assert answer.headers["location"] == page_of(world)


async def test_a_hold_of_the_card_that_is_logged_in_ends_its_portal_session(
    running: Running, world: World
) -> None:
    """LIFE-3: the session rests on the identity server's, so it ends in the same transaction."""
    client = await logged_in(running, world.administrator)
    sid = client.cookies["zid-portal"].partition(".")[0]
    async with running.services.database.work(ORIGIN) as work:
        await work.connection.execute(
            "update session set means_kind = 'smartcard', means_reference = %s where sid = %s",
            (str(world.card.id), sid),
        )
    holder = await logged_in(running, world.holder)
    await submit(holder, page_of(world, "/hold"), reason="lost")
    answer = await client.get("/portal/cards")
    assert answer.headers["location"] == "/portal?to=%2Fportal%2Fcards&ended=1"
    assert "U bent uitgelogd" in (await client.get(answer.headers["location"])).text


def test_the_moment_in_the_address_of_the_last_page_is_believed_within_bounds() -> None:
    now = datetime(2026, 6, 15, 10, tzinfo=UTC)
    soon = now + timedelta(hours=1)
    assert seen_at_of(str(int(soon.timestamp())), now=now) == soon
    for text in (None, "", "x", "1e9", "9" * 30, "0", str(int((now + timedelta(days=2)).timestamp())), "²"):
        assert seen_at_of(text, now=now) is None
