"""Logging out at the demo care application, and giving a mandate there: what was done is said, and is so.

OpenID Connect RP-Initiated Logout 1.0; LOGIN-10.
"""

import pytest
from tests.workplace_builders import DOCTOR, SANNE, Person, Stage

from zorgid.demo.visitor import Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

SANNES_NUMBER = "900000201"
EVERYWHERE = "U bent uitgelogd bij het Demo-HIS en bij ZORG-ID."
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
    await person.submit(page, "/logout")
    assert not [one for one in person.requests if token in str(one.url)]
    assert token not in repr(stage.world.care_application.visits)


async def test_the_session_here_ends_whether_the_browser_reaches_zorg_id_or_not(stage: Stage) -> None:
    person, page = await logged_in(stage)
    await person.client.post(f"{stage.care}/logout")
    page = await person.open(f"{stage.care}/")
    assert HERE_ONLY in page.text
    assert "Sanne" not in page.text
    _, page = await logged_in(stage)
    assert HERE_ONLY not in page.text


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
