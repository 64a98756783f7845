"""A person who breaks the login off goes back to the care application, which is told so (RFC 6749, 4.1.2.1)."""

from urllib.parse import parse_qs, urlsplit

from tests.oidc_builders import REDIRECT, Visit
from tests.web_builders import form_token_of


async def declined_address(visit: Visit) -> str:
    """Begin a login, break it off on its page, and return where the page sends the person."""
    began = await visit.authorize(state="kept")
    assert began.headers["location"] == "/oauth/account/login"
    page = await visit.browser.get("/oauth/account/login")
    token = form_token_of(page.text)
    page = await visit.browser.post("/oauth/account/login/cancel", data={"form_token": token})
    assert page.status_code == 200
    start = page.text.index('href="/oauth/connect/authorize?continue=') + len('href="')
    return page.text[start : page.text.index('"', start)].replace("&amp;", "&")


async def test_who_breaks_off_goes_back_with_access_denied(visit: Visit) -> None:
    address = await declined_address(visit)
    back = await visit.browser.get(address)
    assert back.status_code == 303
    assert back.headers["location"].startswith(REDIRECT)
    answer = {name: value[0] for name, value in parse_qs(urlsplit(back.headers["location"]).query).items()}
    assert answer["error"] == "access_denied"
    assert answer["state"] == "kept"
    assert answer["iss"] == visit.server.issuer
    assert (await visit.browser.get(address)).status_code == 400  # used up


async def test_a_stranger_with_the_address_declines_nothing(visit: Visit) -> None:
    address = await declined_address(visit)
    visit.browser.cookies.clear()
    again = await visit.browser.get(address)
    assert again.headers["location"] == "/oauth/account/login"


async def test_a_login_that_was_not_broken_off_is_not_declined(visit: Visit) -> None:
    await visit.authorize()
    page = await visit.browser.get("/oauth/account/login")
    assert "declined=1" in page.text  # in the part that is hidden until then
    start = page.text.index('href="/oauth/connect/authorize?continue=') + len('href="')
    address = page.text[start : page.text.index('"', start)].replace("&amp;", "&")
    again = await visit.browser.get(address)
    assert again.headers["location"] == "/oauth/account/login"
