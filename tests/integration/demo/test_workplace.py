"""The virtual workplace over HTTP, without script: making a card and logging in with it, and every way out of line.

Issue of the Desktop App, item 6; ALL-1, ALL-4, CARD-1, PIN-1, LOGIN-5, LOGIN-10. The clock is the real one.
"""

import pytest
from tests.workplace_builders import DOCTOR, JORIS, SANNE, Person, Stage, completion_on

from zorgid.demo.visitor import Page, WalkStopped
from zorgid.demo.workplace.tray import TEST_PIN
from zorgid.protocol.links import parse_link

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHARMACIST = "uzi-apotheker-lelietje"
DAAN = "uzi-medewerker-lelietje"
TEST_ONLY = "alleen voor test-pincodes"


async def make_card(person: Person, uzi: str, blank: str, *, pin: str = TEST_PIN) -> Page:
    """Walk a whole making; every page says what it is for."""
    page = await person.use_workplace(await person.begin("make-card"))
    seen = [page]
    seen.append(page := await person.insert(page, uzi))
    seen.append(page := await person.answer(page))
    landed = await person.go_on(page)
    assert landed.address.endswith("/portal/make-card/progress")
    assert f"{person.stage.desk}/" in landed.links, "the way back to the desk"
    seen.append(page := await person.until("geboortedatum", "Stop een lege"))
    if "Wat is uw geboortedatum" in page.text:
        seen.append(page := await person.answer(page))
    seen.append(page := await person.insert(page, blank))
    if pin == TEST_PIN:
        page = await person.answer(page)
    else:
        page = await person.answer(page, "typed", first=pin, second=pin)
    seen.append(page := await person.until("Bewaar uw pukcode"))
    seen.append(page := await person.answer(page, "kept", kept="yes"))
    seen.append(page := await person.until("Uw Smartcard is klaar"))
    assert all(TEST_ONLY in one.text for one in seen)
    return page


async def test_a_newcomer_makes_a_card_and_logs_in_with_it_without_typing_anything(stage: Stage) -> None:
    """The whole walk, in one browser and without script."""
    person = stage.person()
    page = await make_card(person, SANNE, "leeg-1")
    assert "ZORG-ID Smartcard" in page.text
    page = await person.use_workplace(await person.begin_login())
    assert "Ga verder met de kaart in de lezer" in page.text
    page = await person.submit(page, "/reader", do="go-on")
    assert "Demo-HIS vraagt u om in te loggen" in page.text
    landed = await person.go_on(await person.answer(page))
    assert landed.address == f"{stage.care}/"
    assert "smartcard" in landed.text
    assert "Sanne Elisabeth van der Berg" in landed.text


async def test_pulling_the_card_from_the_virtual_reader_ends_the_session_at_once(stage: Stage) -> None:
    """LOGIN-10: the app at the desk watches the card as the installed one does."""
    person = stage.person()
    page = await person.open(f"{stage.origin}/portal/login?to=/portal/cards")
    landed = await person.go_on(await person.show_card(page, JORIS))
    assert landed.address == f"{stage.origin}/portal/cards"
    page = await person.until("U bent ingelogd")
    await person.take_out(page)
    page = await person.until("Uw sessie is voorbij")
    assert "Uw sessie bij ZORG-ID is beëindigd" in page.text
    assert (await person.open(f"{stage.origin}/portal/cards")).address != f"{stage.origin}/portal/cards"
    assert "session-ended" in await stage.log()


async def test_a_second_person_at_the_same_desk_is_not_hindered_by_the_first_ones_session(
    stage: Stage,
) -> None:
    """Somebody forgets the card and a colleague swaps it: the session ends, and the colleague's login goes on."""
    person = stage.person()
    page = await person.open(f"{stage.origin}/portal/login?to=/portal/cards")
    await person.go_on(await person.show_card(page, SANNE))
    await person.until("U bent ingelogd")
    page = await person.use_workplace(await person.begin_login())
    page = await person.insert(page, JORIS)
    assert "Typ de pincode van uw kaart" in page.text
    assert "Joris Hendriks" in page.text
    assert "session-ended" in await stage.log()
    landed = await person.go_on(await person.answer(page))
    assert "Joris Hendriks" in landed.text


async def test_a_forwarded_link_gives_nothing_to_who_sent_it_nor_to_who_opened_it(stage: Stage) -> None:
    """LOGIN-5: the completion needs the cookie of the browser that began; the victim's desk has none."""
    attacker, victim = stage.person(), stage.person()
    forwarded = await attacker.begin_login()
    await victim.sit_down()
    page = await victim.show_card(forwarded, SANNE)
    refused = await victim.go_on(page)
    assert refused.status == 403
    assert "gestopt" in (await victim.until("De app is gestopt")).text
    assert "Sanne" not in (await attacker.open(f"{stage.care}/")).text
    assert "Sanne" not in (await victim.open(f"{stage.care}/")).text
    code = completion_on(page)
    answer = await attacker.complete(code)
    assert answer.status in {403, 409}, "the code is burnt, also for who has the cookie"


async def test_the_login_of_an_attacker_is_not_fed_to_a_visitor_through_the_desk(stage: Stage) -> None:
    """A page of another site posts a link: the visitor sees what is asked, and nothing happened yet."""
    attacker, victim = stage.person(), stage.person()
    await victim.sit_down()
    link = (await attacker.begin_login()).launch_link
    answer = await victim.client.post(
        f"{stage.desk}/open", data={"link": link}, headers={"Origin": "https://evil.example"}
    )
    assert "Stop uw kaart in de paslezer" in answer.text
    assert (
        await stage.rows("select 1 from login_transaction where state = 'proved' and handle_hash = %s", b"")
        == []
    )


async def test_a_link_that_cannot_be_opened_here_is_refused(stage: Stage) -> None:
    person = stage.person()
    link = (await person.begin_login()).launch_link
    for text, status in (
        (link.replace("e=demo", "e=production"), 400),
        ("zorg-id:auth?v=1", 400),
        ("", 400),
        (f"{link}\n", 400),
        ("javascript:alert(1)", 400),
    ):
        answer = await person.client.post(f"{stage.desk}/open", data={"link": text})
        assert answer.status_code == status, text
        assert link not in answer.text


async def test_no_other_site_moves_a_card_or_answers_for_the_visitor(stage: Stage) -> None:
    person = stage.person()
    page = await person.use_workplace(await person.begin_login())
    page = await person.insert(page, SANNE)
    fields = page.form("/answer").fields
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for path, sent, headers in (
        ("/answer", {**fields, "do": "test"}, foreign),
        ("/answer", {**fields, "do": "test", "form_token": "x"}, {}),
        ("/answer", {"question": fields["question"], "do": "test"}, {}),
        ("/reader", {**fields, "do": "out"}, foreign),
        ("/reader", {"do": "out"}, {}),
        ("/switch", {**fields, "do": "new"}, foreign),
        ("/close", fields, foreign),
        ("/desk", fields, foreign),
    ):
        answer = await person.client.post(f"{stage.desk}{path}", data=sent, headers=headers)
        assert answer.status_code == 403, path
    assert "Typ de pincode van uw kaart" in (await person.at_desk()).text


async def test_nobody_sees_or_moves_the_desk_of_another(stage: Stage) -> None:
    """Each browser has its own, by a cookie that cannot be guessed and that scripts do not see."""
    one, other = stage.person(), stage.person()
    page = await one.insert(await one.use_workplace(await one.begin_login()), SANNE)
    assert "Open een werkplek" in (await other.at_desk()).text
    await other.sit_down()
    mine = await other.at_desk()
    assert "Typ de pincode" not in mine.text
    fields = page.form("/answer").fields
    answer = await other.client.post(f"{stage.desk}/answer", data={**fields, "do": "test"})
    assert answer.status_code == 403, "a token belongs to its browser and its desk"
    assert (await other.client.get(f"{stage.desk}/events?shown=0")).status_code == 200
    stranger = stage.person()
    assert (await stranger.client.get(f"{stage.desk}/events?shown=0")).status_code == 404
    (cookie,) = [value for name, value in one.cookies("127.0.0.1").items() if name == "zid-desk"]
    assert len(cookie) == 43
    assert "Typ de pincode" in (await one.at_desk()).text


async def test_neither_handle_nor_code_stands_in_an_address_or_a_referrer(stage: Stage) -> None:
    """ALL-4: the link is posted, the way there is a ticket for once, the completion is a fragment."""
    person = stage.person()
    login_page = await person.begin_login()
    page = await person.show_card(login_page, SANNE)
    handle = parse_link(login_page.launch_link).handle.text_for_wire()
    _, _, code = completion_on(page).partition(f"{handle}.")
    await person.go_on(page)
    for request in person.requests:
        where = str(request.url).partition("#")[0]
        assert handle not in where
        assert code not in where
    answer = await person.client.get(f"{stage.desk}/")
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_ticket_works_once(stage: Stage) -> None:
    person, thief = stage.person(), stage.person()
    link = (await person.begin_login()).launch_link
    answer = await person.client.post(f"{stage.desk}/open", data={"link": link}, follow_redirects=False)
    address = f"{stage.desk}{answer.headers['location']}"
    assert "Stop uw kaart in de paslezer" in (await person.open(address)).text
    assert "Open een werkplek" in (await thief.open(address)).text


async def test_a_second_link_asks_before_it_breaks_off_what_the_app_was_at(stage: Stage) -> None:
    person = stage.person()
    page = await person.insert(await person.use_workplace(await person.begin_login()), SANNE)
    first = await person.use_workplace(await person.begin("make-card"))
    assert "De app is nog met iets anders bezig" in first.text
    page = await person.submit(first, "/switch", do="old")
    assert "Typ de pincode van uw kaart" in page.text
    assert "Demo-HIS" in page.text
    await person.use_workplace(await person.begin("make-card"))
    page = await person.submit(await person.at_desk(), "/switch", do="new")
    assert "Stop uw UZI-pas in de paslezer" in page.text


async def test_a_pin_typed_on_a_page_of_before_goes_to_no_other_login(stage: Stage) -> None:
    """The person gave it for what stood on that page (LOGIN-6)."""
    proved = "select count(*) from login_transaction where state = 'proved'"
    before = await stage.rows(proved)
    person = stage.person()
    page_of_before = await person.insert(await person.use_workplace(await person.begin_login()), SANNE)
    assert "Demo-HIS" in page_of_before.text
    await person.use_workplace(await person.begin("make-card"))
    page = await person.submit(await person.at_desk(), "/switch", do="new")
    page = await person.submit(page, "/reader", do="go-on")
    assert "Typ de pincode van uw kaart" in page.text
    after = await person.answer(page_of_before)
    assert "Typ de pincode van uw kaart" in after.text
    assert await stage.rows(proved) == before


async def test_opening_the_same_link_twice_changes_nothing(stage: Stage) -> None:
    person = stage.person()
    login_page = await person.begin_login()
    await person.insert(await person.use_workplace(login_page), SANNE)
    waiting = await person.open(f"{stage.origin}/oauth/account/login")
    assert f"{stage.desk}/" in waiting.links, "the page that waits leads back to the desk"
    page = await person.use_workplace(login_page)
    assert "Typ de pincode van uw kaart" in page.text


async def test_a_card_that_is_pulled_while_its_pin_is_asked_is_asked_for_again(stage: Stage) -> None:
    person = stage.person()
    page = await person.insert(await person.use_workplace(await person.begin_login()), SANNE)
    await person.take_out(page)
    page = await person.until("Stop uw kaart in de paslezer")
    assert "De kaart is uit de paslezer gehaald" in page.text
    page = await person.insert(page, SANNE)
    assert (await person.go_on(await person.answer(page))).address == f"{stage.care}/"


async def test_a_wrong_pin_is_told_with_the_tries_that_are_left(stage: Stage) -> None:
    """PIN-1, PIN-3."""
    person = stage.person()
    page = await person.insert(await person.use_workplace(await person.begin_login()), DOCTOR)
    assert "Pogingen over: 3" in page.text
    page = await person.answer(page, "typed", pin="12")
    assert "Dit kostte geen poging" in page.text
    page = await person.answer(page, "typed", pin="")
    assert "Typ eerst een pincode" in page.text
    page = await person.answer(page, "typed", pin="999999")
    assert "Pogingen over: 2" in page.text
    page = await person.answer(page, "typed", pin="999999")
    assert "Dit is uw laatste poging" in page.text
    assert (await person.go_on(await person.answer(page))).address == f"{stage.care}/"


async def test_the_person_can_cancel_at_every_question_and_the_waiting_page_hears_it(stage: Stage) -> None:
    person = stage.person()
    page = await person.use_workplace(await person.begin_login())
    page = await person.answer(page, "cancel")
    assert "U hebt dit afgebroken" in (await person.until("De app is gestopt")).text
    assert "Dit is afgebroken" in (await person.open(f"{stage.origin}/oauth/account/login")).text
    page = await person.submit(await person.at_desk(), "/close")
    assert "De app wacht op u" in page.text


async def test_a_refusal_of_the_platform_is_told_in_its_own_words(stage: Stage) -> None:
    person = stage.person()
    page = await person.show_card(await person.begin_login(), "uzi-verlopen")
    assert "verlopen" in page.text
    assert "De app is gestopt" in page.text


async def test_a_card_that_is_used_at_another_desk_is_told_as_busy(stage: Stage) -> None:
    """In the demo all desks share one tray: one card is in one reader."""
    one, other = stage.person(), stage.person()
    await one.insert(await one.use_workplace(await one.begin_login()), JORIS)
    page = await other.insert(await other.use_workplace(await other.begin_login()), JORIS)
    assert "Een ander programma gebruikt" in page.text


async def test_a_card_that_is_not_in_the_tray_cannot_be_put_in(stage: Stage) -> None:
    person = stage.person()
    page = await person.sit_down()
    for name in ("../attestation-root", "uzi-niemand", "", "/etc/passwd"):
        page = await person.insert(page, name)
        assert "De paslezer is leeg" in page.text


async def test_only_the_test_pin_is_ever_shown(stage: Stage) -> None:
    """A PIN that the visitor chose is the visitor's: the desk offers a card's PIN while everybody may know it."""
    person = stage.person()
    stage.secrets.add("Linde24x")
    await make_card(person, JORIS, "leeg-2", pin="Linde24x")
    page = await person.at_desk()
    assert "Linde24x" not in page.text
    page = await person.use_workplace(await person.begin_login())
    page = await person.submit(page, "/reader", do="go-on")
    assert "Vul deze test-pincode in" not in page.text
    with pytest.raises(WalkStopped):
        page.form("/nothing")
    page = await person.answer(page, "test")
    assert "Typ eerst een pincode" in page.text
    assert (
        await person.go_on(await person.answer(page, "typed", pin="Linde24x"))
    ).address == f"{stage.care}/"


async def test_a_typed_birth_date_is_looked_at_once_more(stage: Stage) -> None:
    """The first date is kept and compared ever after, so a slip is shown before it is sent."""
    person = stage.person()
    page = await person.show_card(await person.begin("make-card"), "uzi-lange-naam")
    await person.go_on(page)
    page = await person.until("Wat is uw geboortedatum")
    page = await person.answer(page, "typed", day="31", month="13", year="1980")
    assert "geen datum die wij kunnen lezen" in page.text
    page = await person.answer(page, "typed", day="31", month="1", year="2130")
    page = await person.until("Deze datum is nog niet geweest")
    assert "2130" not in page.text
    page = await person.answer(page, "typed", day="31", month="1", year="1969")
    assert "31 januari 1969" in page.text
    page = await person.submit(page, "/answer", do="checked")
    assert "Stop een lege Smartcard" in page.text


async def test_a_test_date_that_is_not_the_first_stated_one_is_explained_and_offered_no_more(
    stage: Stage,
) -> None:
    """CARD-1: the first date counts, which the desk cannot know; what helps is said where it shows (ALL-2)."""
    pharmacist, person = stage.person(), stage.person()
    page = await pharmacist.show_card(await pharmacist.begin("validate-organisation"), PHARMACIST)
    await pharmacist.submit(await pharmacist.go_on(page), "/portal/validate-organisation/confirm")
    await person.go_on(await person.show_card(await person.begin("make-card"), DAAN))
    page = await person.until("Wat is uw geboortedatum")
    assert "De datum die de eerste keer is opgegeven, telt" in page.text
    await stage.rows("update person set birth_on = '1990-01-01' where full_name = 'Daan Jansen' returning id")
    await person.answer(page)
    page = await person.until("klopt niet met wat wij van u weten")
    assert "Vul deze testdatum in" not in page.text
    assert "Maak de kaart dan als een andere testpersoon" in page.text
    page = await person.answer(page)
    assert "geen datum die wij kunnen lezen" in page.text, "the button of an old page costs no try"
    for day, seen in (("2", "nog 1 keer"), ("3", "De app is gestopt")):
        await person.answer(page, "checked", day=day, month="1", year="1990")
        page = await person.until(seen)
    assert "Maak de kaart dan als een andere testpersoon" in page.text


async def test_cards_of_the_tray_have_the_number_that_the_app_asks_for_them_by(stage: Stage) -> None:
    (row,) = await stage.rows("select number from blank_card where chip_serial = '20000003'")
    person = stage.person()
    page = await person.sit_down()
    assert f"leeg-3 Lege Smartcard Kaartnummer {row['number']}" in page.text
    page = await person.insert(page, "leeg-3")
    assert f"In de paslezer: Lege Smartcard leeg-3 ({row['number']})" in page.text
    start = (await person.open(f"{stage.origin}/")).text
    assert f"leeg-3 (kaart {row['number']} )" in start
    assert "vreemde-kaart Vreemde kaart Stop in de lezer" in page.text, "that one was never sold"


async def test_the_language_that_an_address_asks_for_holds_on_the_way_to_the_desk(stage: Stage) -> None:
    """ALL-1: over the browser's own, whether the app is at something or not."""
    person = stage.person(**{"Accept-Language": "en"})
    for seen in ("Stop uw kaart in de paslezer", "De app is nog met iets anders bezig"):
        await person.open(f"{stage.origin}/?lang=en")
        login_page = await person.begin_login()
        login_page = await person.open(f"{login_page.address}?lang=nl")
        assert seen in (await person.use_workplace(login_page)).text


async def test_the_puk_is_not_passed_by_without_keeping_it(stage: Stage) -> None:
    """CARD-8."""
    person = stage.person()
    page = await person.show_card(await person.begin("make-card"), "uzi-bezorger-lelietje")
    assert "De app is gestopt" in page.text or completion_on(page)


async def test_the_pages_speak_english_to_who_asks(stage: Stage) -> None:
    person = stage.person(**{"Accept-Language": "en"})
    page = await person.use_workplace(await person.begin_login())
    assert "Put your card in the reader" in page.text
    assert "for test PINs only" in page.text
    page = await person.answer(page, "cancel")
    assert "cancelled" in page.text


async def test_without_a_desk_every_act_says_so(stage: Stage) -> None:
    person = stage.person()
    for path in ("/answer", "/reader", "/switch", "/close"):
        answer = await person.client.post(f"{stage.desk}{path}", data={"do": "x"})
        assert answer.status_code == 404, path
        assert "geen virtuele werkplek" in answer.text


async def test_the_desk_answers_to_its_own_name_only_and_in_no_frame(stage: Stage) -> None:
    """So that no name that a stranger points at this computer reaches a desk, and no page lies over it."""
    person = stage.person()
    page = await person.insert(await person.use_workplace(await person.begin_login()), SANNE)
    fields = page.form("/answer").fields
    for name in ("evil.example:8603", "evil.example", stage.desk.rpartition("/")[2] + ".evil.example"):
        seen = await person.client.get(f"{stage.desk}/", headers={"Host": name})
        sent = await person.client.post(
            f"{stage.desk}/answer", data={**fields, "do": "test"}, headers={"Host": name}
        )
        ticket = await person.client.post(f"{stage.desk}/open", data={"link": ""}, headers={"Host": name})
        assert {answer.status_code for answer in (seen, sent, ticket)} == {421}
    for path in ("/", "/events?shown=0", "/nowhere"):
        answer = await person.client.get(f"{stage.desk}{path}")
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "Typ de pincode" in (await person.at_desk()).text
