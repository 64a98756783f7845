"""Logging out (OpenID Connect RP-Initiated Logout 1.0; docs/supplier.md)."""

import re
from datetime import timedelta

import pytest
from tests.clock import FakeClock
from tests.oidc_builders import LOGGED_OUT, Visit

from zorgid.storage.database import Origin

ADDRESS = "/oauth/connect/endsession"


async def is_logged_in(visit: Visit) -> bool:
    response = await visit.authorize(prompt="none")
    return "code=" in response.headers["location"]


async def test_a_verified_id_token_ends_the_session_and_returns_with_the_state(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """Module oidcc-rp-initiated-logout; an ID token may have expired."""
    await visit.log_in(origin)
    tokens = await visit.tokens(now=clock.at)
    clock.advance(timedelta(minutes=8))
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": LOGGED_OUT, "state": "x y"}
    response = await visit.browser.get(ADDRESS, params=asked)
    assert response.status_code == 303
    assert response.headers["location"] == f"{LOGGED_OUT}?state=x%20y"
    assert not await is_logged_in(visit)
    assert (await visit.userinfo(tokens["access_token"])).status_code == 401


async def test_a_post_from_another_site_ends_the_session_that_the_token_names(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.log_in(origin)
    tokens = await visit.tokens(now=clock.at)
    visit.browser.cookies.clear()
    response = await visit.browser.post(ADDRESS, data={"id_token_hint": tokens["id_token"]})
    assert response.status_code == 200
    assert "uitgelogd" in response.text
    assert (await visit.userinfo(tokens["access_token"])).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": LOGGED_OUT + "/"},
        {"id_token_hint": None},
        {"id_token_hint": "nonsense"},
        {"client_id": "another"},
    ],
)
async def test_what_cannot_be_verified_makes_a_page_that_asks(
    visit: Visit, clock: FakeClock, origin: Origin, change: dict[str, str | None]
) -> None:
    """Modules oidcc-rp-initiated-logout-bad-…, -modified-id-token-hint, -no-id-token-hint, -no-params."""
    await visit.log_in(origin)
    hint = (await visit.tokens(now=clock.at))["id_token"]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": LOGGED_OUT, **change}
    response = await visit.browser.get(ADDRESS, params={name: text for name, text in asked.items() if text})
    assert response.status_code == 200
    assert "Uitloggen bij ZORG-ID?" in response.text
    assert "A.B. de Vries-Öztürk" in response.text
    assert await is_logged_in(visit)


async def test_a_token_of_an_earlier_session_does_not_end_this_one(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """LOGIN-10: the next employee at the workstation is asked."""
    await visit.log_in(origin)
    hint = (await visit.tokens(now=clock.at))["id_token"]
    await visit.log_in(origin)
    response = await visit.browser.get(ADDRESS, params={"id_token_hint": hint})
    assert "Uitloggen bij ZORG-ID?" in response.text
    assert await is_logged_in(visit)


async def test_who_says_yes_on_our_own_page_is_logged_out(visit: Visit, origin: Origin) -> None:
    await visit.log_in(origin)
    page = await visit.browser.get(ADDRESS)
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    response = await visit.browser.post(f"{ADDRESS}/confirm", data={"form_token": token.group(1)})
    assert "U bent uitgelogd" in response.text
    assert not await is_logged_in(visit)


async def test_a_foreign_page_cannot_say_yes(visit: Visit, origin: Origin) -> None:
    await visit.log_in(origin)
    response = await visit.browser.post(
        f"{ADDRESS}/confirm", data={}, headers={"Origin": "https://evil.example"}
    )
    assert response.status_code == 403
    assert await is_logged_in(visit)


async def test_without_a_session_nothing_is_asked(visit: Visit) -> None:
    response = await visit.browser.get(f"{ADDRESS}?%ff", headers={"accept-language": "en"})
    assert response.status_code == 200
    assert "You are logged out" in response.text
