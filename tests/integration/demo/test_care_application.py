"""Logging out at the demo care application, and giving a mandate there: what was done is said, and is so.

OpenID Connect RP-Initiated Logout 1.0; LOGIN-10.
"""

import asyncio

import httpx
import pytest
from tests.workplace_builders import DOCTOR, SANNE, Person, Stage

from zorgid.demo import care_application
from zorgid.demo.visitor import Page, PageReader

pytestmark = pytest.mark.asyncio(loop_scope="module")

SANNES_NUMBER = "900000201"
EVERYWHERE = "U bent uitgelogd bij het Demo-HIS. Ook uw sessie van het Demo-HIS bij ZORG-ID is beëindigd."
HERE_ONLY = "misschien nog niet bij ZORG-ID"


async def logged_in(stage: Stage, card: str = SANNE) -> tuple[Person, Page]:
    """Somebody who is logged in at the care application, and its page."""
    person = stage.person()
    page = await person.go_on(await person.show_card(await person.begin_login(), card))
    assert page.address == f"{stage.care}/"
    return person, page


async def is_known_at_the_portal(person: Person) -> bool:
    """Whether the portal opens in this browser without a card and a PIN."""
    page = await person.open(f"{person.stage.origin}/portal/cards")
    if page.address.endswith("/portal/cards"):
        return True
    page = await person.open(f"{person.stage.origin}/portal/login?to=/portal/cards")
    return page.address.endswith("/portal/cards")


async def test_logging_out_ends_the_session_at_zorg_id_too_and_the_page_says_so(stage: Stage) -> None:
    """LOGIN-10: the next person at this desk finds no portal that is open."""
    person, page = await logged_in(stage)
    assert await is_known_at_the_portal(person)
    page = await person.submit(page, "/logout")
    assert page.address == f"{stage.care}/"
    assert EVERYWHERE in page.text
    assert "Sanne" not in page.text
    assert not await is_known_at_the_portal(person)
    assert EVERYWHERE not in (await person.open(f"{stage.care}/")).text, "it is said once"


async def test_no_token_stands_in_an_address_of_the_log_out(stage: Stage) -> None:
    """ALL-4: the ID token goes by form."""
    person, page = await logged_in(stage)
    (token,) = [visit.id_token for visit in stage.world.care_application.visits.values()][-1:]
    assert token not in repr(stage.world.care_application)
    await person.submit(page, "/logout")
    assert not [one for one in person.requests if token in str(one.url)]
    assert token not in repr(stage.world.care_application)


async def test_the_session_here_ends_whether_the_browser_reaches_zorg_id_or_not(stage: Stage) -> None:
    person, page = await logged_in(stage)
    await person.client.post(f"{stage.care}/logout")
    page = await person.open(f"{stage.care}/")
    assert HERE_ONLY in page.text
    assert "Sanne" not in page.text


async def twice(person: Person) -> tuple[httpx.Response, httpx.Response]:
    """Both answers to a double click: two posts with the same cookies."""
    cookies = httpx.Cookies(person.client.cookies)
    first = await person.client.post(f"{person.stage.care}/logout")
    person.client.cookies = cookies
    return first, await person.client.post(f"{person.stage.care}/logout")


def form_of(answer: httpx.Response) -> dict[str, str]:
    """The fields of the form that goes to ZORG-ID."""
    reader = PageReader()
    reader.feed(answer.text)
    (form,) = reader.forms
    return form.fields


async def test_a_double_click_ends_the_session_at_zorg_id_all_the_same(stage: Stage) -> None:
    """LOGIN-10: the browser shows the answer to the second click only, and may keep the cookie of either."""
    person, _ = await logged_in(stage)
    assert await is_known_at_the_portal(person)
    first, second = await twice(person)
    assert form_of(first) == form_of(second)
    page = await person._go_on(second)
    assert EVERYWHERE in page.text
    assert not await is_known_at_the_portal(person)


async def test_a_second_log_out_that_comes_late_says_that_zorg_id_may_not_know(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ALL-4: the ID token is not kept for longer than a double click takes."""
    monkeypatch.setattr(care_application, "LEAVING_SECONDS", 0.0)
    person, _ = await logged_in(stage)
    cookies = httpx.Cookies(person.client.cookies)
    before = set(stage.world.care_application.leaving)
    await person.client.post(f"{stage.care}/logout")
    async with asyncio.timeout(60):
        while set(stage.world.care_application.leaving) - before:  # noqa: ASYNC110 - a timer cannot tell
            await asyncio.sleep(0.01)
    person.client.cookies = cookies
    late = await person.client.post(f"{stage.care}/logout")
    assert HERE_ONLY in late.text


async def test_nothing_is_said_of_who_logged_in_at_zorg_id_after_the_session_had_ended(stage: Stage) -> None:
    """LOGIN-10: a post from another site comes without cookies, so ZORG-ID sees no other session than the named."""
    person, _ = await logged_in(stage)
    await person.take_out(await person.at_desk())
    await person.until("Uw sessie is voorbij")
    login_page = await person.open(f"{stage.origin}/portal/login?to=/portal/cards")
    page = await person.go_on(await person.show_card(login_page, DOCTOR))
    assert page.address.endswith("/portal/cards")
    form = form_of(await person.client.post(f"{stage.care}/logout"))
    async with httpx.AsyncClient(trust_env=False, timeout=60) as without_cookies:
        back = await without_cookies.post(f"{stage.origin}/oauth/connect/endsession", data=form)
    assert f"state={form['state']}" in back.headers["location"]
    page = await person.open(back.headers["location"])
    assert await is_known_at_the_portal(person)
    said = page.text.partition("U bent uitgelogd")[2].partition("Log in om het dossier")[0].strip()
    assert f"U bent uitgelogd {said}" == EVERYWHERE


async def test_nothing_that_was_noted_for_one_person_is_said_to_the_next_in_the_same_browser(
    stage: Stage,
) -> None:
    """LOGIN-10: the doctor's browser went away before it was said that the mandate was given."""
    person, _ = await logged_in(stage, DOCTOR)
    form = {"uzi_number": SANNES_NUMBER}
    await person.client.post(f"{stage.care}/mandates", data=form, follow_redirects=False)
    await person.take_out(await person.at_desk())
    await person.until("Uw sessie is voorbij")
    page = await person.go_on(await person.show_card(await person.begin_login(), SANNE))
    assert "Welkom, Sanne" in page.text
    assert "Gelukt" not in page.text


@pytest.mark.parametrize("state", ["", "?state=", "?state=x", "?state=%C3%A9", "?state=x&state=y"])
async def test_a_return_without_the_state_of_this_log_out_is_not_believed(stage: Stage, state: str) -> None:
    person, page = await logged_in(stage)
    answer = await person.client.post(f"{stage.care}/logout")
    assert "id_token_hint" in answer.text
    page = await person.open(f"{stage.care}/logged-out{state}")
    assert HERE_ONLY in page.text
    assert EVERYWHERE not in page.text


async def test_nobody_is_logged_out_by_a_link_to_the_page_of_the_return(stage: Stage) -> None:
    person, _ = await logged_in(stage)
    page = await person.open(f"{stage.care}/logged-out?state=x")
    assert "Welkom, Sanne" in page.text
    assert EVERYWHERE not in page.text


async def test_a_mandate_that_was_given_is_said_with_the_way_on(stage: Stage) -> None:
    doctor, page = await logged_in(stage, DOCTOR)
    page = await doctor.submit(page, "/mandates", uzi_number=f" {SANNES_NUMBER} ")
    assert f"Gelukt: u gaf een mandaat aan de medewerker met UZI-nummer {SANNES_NUMBER}" in page.text
    assert "Log uit, en log in als die medewerker" in page.text
    page = await doctor.open(f"{stage.care}/")
    assert "Gelukt" not in page.text
    assert f"Mandaten die u gaf, aan UZI-nummer {SANNES_NUMBER}" in page.text
    _, page = await logged_in(stage, SANNE)
    assert "U hebt een mandaat van Willemijn Johanna de Graaf" in page.text


@pytest.mark.parametrize("typed", ["", "12345678", "1234567890", "90000020x", "é00000201"])
async def test_what_is_no_uzi_number_gives_no_mandate_and_is_said(stage: Stage, typed: str) -> None:
    """ALL-2: what was typed stands there still."""
    doctor, page = await logged_in(stage, DOCTOR)
    before = dict(stage.world.care_application.mandates)
    page = await doctor.submit(page, "/mandates", uzi_number=typed)
    assert "Een UZI-nummer heeft negen cijfers" in page.text
    assert page.form("/mandates").fields["uzi_number"] == typed
    assert stage.world.care_application.mandates == before
