"""Every attack on a login that docs/security.md names, each of which fails and is seen in the log.

LOGIN-2, LOGIN-5, LOGIN-6, ALL-4, AUD-1.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.scenarios.attack_world import (
    COLLEAGUE,
    DOCTOR,
    EMPLOYEE,
    TEST,
    App,
    AttackWorld,
    attach_request,
    link_on,
    shared_world,
)

from zorgid.kernel.randomness import base64url
from zorgid.kernel.secrets import Secret
from zorgid.login import actions as login
from zorgid.protocol.app_key import HEADER, AppKey
from zorgid.protocol.context import Context, MeansUsed, Message, Purpose
from zorgid.protocol.links import LaunchLink
from zorgid.protocol.messages import AttachReply, HandleRequest, ProveRequest, StateRequest, decode
from zorgid.protocol.proof import bytes_to_sign, nonce_for

ABORTED_ELSEWHERE = ("login-aborted", "refused", "completed-elsewhere")
OTHER_BROWSER = ("login-completed", "refused", "login-other-browser")
CODE_WRONG = ("login-completed", "refused", "login-completion-wrong")


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        yield world


def code_of(answer: Any) -> str:
    """The code of a refusal, which always comes with a sentence."""
    problem = answer.json()
    assert problem["detail"]
    assert problem["next_step"]
    return str(problem["code"])


# The completion


@pytest.mark.parametrize("victim_has", ["nothing", "a login of its own", "a session"])
async def test_a_forwarded_link_logs_nobody_in(world: AttackWorld, victim_has: str) -> None:
    """Session fixation: the attacker begins and sends the link; the victim's app opens the victim's browser."""
    attacker, victim = world.browser("198.51.100.66"), world.browser()
    if victim_has == "a login of its own":
        await victim.begin_login()
    if victim_has == "a session":
        await world.log_in(world.card(COLLEAGUE), victim)
    link = link_on(await attacker.begin_login())
    async with world.nothing_changes(ABORTED_ELSEWHERE, OTHER_BROWSER):
        code = await world.app().prove(link, world.card(EMPLOYEE))
        answer = await victim.post_completion(link.handle, code)
    assert (answer.status_code, code_of(answer)) == (403, "login-other-browser")
    assert not await attacker.is_logged_in()
    assert await victim.is_logged_in() is (victim_has == "a session")


async def test_a_code_that_was_burnt_is_of_no_use_to_the_browser_that_began(world: AttackWorld) -> None:
    """A proxy page holds the cookie; the code was opened at the real origin, without it."""
    proxy, victim = world.browser("198.51.100.66"), world.browser()
    link = link_on(await proxy.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    await victim.post_completion(link.handle, code)
    async with world.nothing_changes(CODE_WRONG):
        answer = await proxy.post_completion(link.handle, code)
    assert (answer.status_code, code_of(answer)) == (403, "login-completion-wrong")
    assert not await proxy.is_logged_in()


async def test_the_waiting_page_of_an_attacker_never_learns_the_code(world: AttackWorld) -> None:
    """The tab learns the name of a state and nothing else."""
    attacker = world.browser()
    link = link_on(await attacker.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    page = await attacker.client.get("/oauth/account/login")
    assert code.text_for_wire() not in page.text
    assert world.world.card(EMPLOYEE).person.names.full_name not in page.text
    assert "Van der Berg" not in page.text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
async def test_a_page_of_another_site_completes_nothing(world: AttackWorld, headers: dict[str, str]) -> None:
    """Login CSRF: the attacker's own proof is not posted into the victim's browser."""
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    async with world.nothing_changes():
        answer = await browser.post_completion(link.handle, code, **headers)
    assert (answer.status_code, code_of(answer)) == (403, "form-not-ours")


async def test_an_attackers_approved_login_is_not_fed_to_a_victim(world: AttackWorld) -> None:
    """Login CSRF: the victim opens the completion address of the attacker's own transaction."""
    attacker, victim = world.browser("198.51.100.66"), world.browser()
    link = link_on(await attacker.begin_login())
    code = await world.app().prove(link, world.card(COLLEAGUE))
    async with world.nothing_changes(ABORTED_ELSEWHERE, OTHER_BROWSER):
        page = await victim.complete(
            f"{world.origin}/oauth/complete#{link.handle.text_for_wire()}.{code.text_for_wire()}"
        )
    assert page.code == "login-other-browser"
    assert not await victim.is_logged_in()


async def test_a_completion_works_once(world: AttackWorld) -> None:
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    first = await browser.post_completion(link.handle, code)
    assert first.status_code == 200
    async with world.nothing_changes(CODE_WRONG):
        second = await browser.post_completion(link.handle, code)
    assert (second.status_code, code_of(second)) == (403, "login-completion-wrong")
    assert "set-cookie" not in second.headers


async def test_of_five_completions_at_once_one_wins(world: AttackWorld) -> None:
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    before = await world.rows("select from session")
    answers = await asyncio.gather(*(browser.post_completion(link.handle, code) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403]
    assert len(await world.rows("select from session")) == len(before) + 1


async def test_a_wrong_code_burns_the_login_and_makes_nobody_known(world: AttackWorld) -> None:
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    async with world.nothing_changes(("login-aborted", "refused", "completion-wrong"), CODE_WRONG):
        guessed = await browser.post_completion(link.handle, Secret(bytes(32)))
        late = await browser.post_completion(link.handle, code)
    assert [code_of(guessed), code_of(late)] == ["login-completion-wrong"] * 2


async def test_a_code_is_dead_after_a_minute(world: AttackWorld) -> None:
    """ALL-4: the end of the minute is exclusive."""
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    world.clock.advance(timedelta(seconds=60))
    async with world.nothing_changes(CODE_WRONG):
        answer = await browser.post_completion(link.handle, code)
    assert (answer.status_code, code_of(answer)) == (403, "login-completion-wrong")
    assert not await browser.is_logged_in()


async def test_a_code_works_in_the_last_second_of_its_minute(world: AttackWorld) -> None:
    browser = world.browser()
    link = link_on(await browser.begin_login())
    code = await world.app().prove(link, world.card(EMPLOYEE))
    world.clock.advance(timedelta(seconds=59))
    assert (await browser.post_completion(link.handle, code)).status_code == 200


async def test_a_proof_that_never_comes_home_raises_the_alarm_once(world: AttackWorld) -> None:
    """Recorded as a probable phishing attempt (docs/desktop-protocol.md, chapter 6)."""
    link = link_on(await world.browser().begin_login())
    await world.app().prove(link, world.card(EMPLOYEE))
    for _ in range(2):
        world.clock.advance(timedelta(minutes=1))
        async with world.running.services.database.work(TEST) as work:
            await login.sweep(work)
    alarms = await world.rows(
        "select e.outcome from audit_entry e join login_transaction t on e.subject_id = t.transaction_id::text "
        "where e.event = 'login-not-completed' and t.handle_hash = %s",
        link.handle.digest(),
    )
    assert alarms == [{"outcome": "refused"}]


# Attaching


async def test_a_second_app_ends_the_login_for_both(world: AttackWorld) -> None:
    link = link_on(await world.browser().begin_login())
    own, other = world.app(), world.app()
    reply = await own.attach(link)
    async with world.nothing_changes(("login-aborted", "refused", "attached-elsewhere")):
        taken = await other.try_attach(link)
        token = world.card(EMPLOYEE).token(
            challenge=decode(reply.challenge), context=reply.context, handle=link.handle
        )
        proved = await own.try_prove(link, token)
    assert (taken.status_code, code_of(taken)) == (409, "login-attached-elsewhere")
    assert (proved.status_code, code_of(proved)) == (409, "login-not-open")


async def test_of_two_apps_at_once_none_goes_on(world: AttackWorld) -> None:
    """Whoever comes first: nobody goes on with a login that two apps wanted."""
    link = link_on(await world.browser().begin_login())
    apps = [world.app(), world.app()]
    answers = await asyncio.gather(*(app.try_attach(link) for app in apps))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    for app in apps:
        state = await app.send("/state", StateRequest(handle=link.handle.text_for_wire()))
        assert state.status_code in {200, 401}
    rows = await world.rows(
        "select state from login_transaction where handle_hash = %s", link.handle.digest()
    )
    assert [row["state"] for row in rows] == ["aborted"]


async def test_the_same_app_may_attach_again_and_gets_the_same_answer(world: AttackWorld) -> None:
    link, app = link_on(await world.browser().begin_login()), world.app()
    assert await app.attach(link) == await app.attach(link)


async def test_an_app_key_is_taken_only_from_whoever_holds_it(world: AttackWorld) -> None:
    """Somebody names the victim's app key in his own attach."""
    link, victim, thief = link_on(await world.browser().begin_login()), world.app(), world.app()
    async with world.nothing_changes(("login-attached", "refused", "app-signature-wrong")):
        answer = await thief.send("/attach", attach_request(link, victim.app_key))
    assert (answer.status_code, code_of(answer)) == (401, "app-signature-wrong")
    await victim.attach(link)


async def test_a_point_off_the_curve_is_no_app_key(world: AttackWorld) -> None:
    link, app = link_on(await world.browser().begin_login()), world.app()
    bad = AppKey(x=base64url(b"\1" * 32), y=base64url(b"\2" * 32))
    answer = await app.send("/attach", attach_request(link, bad))
    assert (answer.status_code, code_of(answer)) == (401, "app-signature-wrong")


async def test_a_stolen_attach_is_of_no_use_without_the_app_key(world: AttackWorld) -> None:
    """The thief knows handle, challenge, context and even the card's proof; only the app's key is not his."""
    link, app, thief = link_on(await world.browser().begin_login()), world.app(), world.app()
    reply = await app.attach(link)
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=reply.context, handle=link.handle
    )
    async with world.nothing_changes():
        answers = [
            await thief.try_prove(link, token),
            await thief.send(
                "/prove", ProveRequest(handle=link.handle.text_for_wire(), token=token), header=""
            ),
            await app.send(
                "/prove", ProveRequest(handle=link.handle.text_for_wire(), token=token), signed_body=b"{}"
            ),
            await app.send(
                "/prove", ProveRequest(handle=link.handle.text_for_wire(), token=token), signed_path="/state"
            ),
            await app.send(
                "/prove",
                ProveRequest(handle=link.handle.text_for_wire(), token=token),
                signed_origin="https://evil.example",
            ),
            await thief.send("/cancel", HandleRequest(handle=link.handle.text_for_wire())),
            await thief.send("/state", StateRequest(handle=link.handle.text_for_wire())),
        ]
    assert {(answer.status_code, code_of(answer)) for answer in answers} == {(401, "app-signature-wrong")}
    assert (await app.try_prove(link, token)).status_code == 200


async def test_nobody_speaks_for_a_login_that_no_app_attached_to(world: AttackWorld) -> None:
    link = link_on(await world.browser().begin_login())
    answer = await world.app().send("/cancel", HandleRequest(handle=link.handle.text_for_wire()))
    assert (answer.status_code, code_of(answer)) == (401, "app-signature-wrong")


async def test_a_request_of_the_app_cannot_be_replayed_for_something_else(world: AttackWorld) -> None:
    """A counter serves one request; an older one is dead. The very same request again is a repetition (ALL-8)."""
    link, app = link_on(await world.browser().begin_login()), world.app()
    await app.attach(link)
    asked = StateRequest(handle=link.handle.text_for_wire())
    assert (await app.send("/state", asked, counter=5)).status_code == 200
    assert (await app.send("/state", asked, counter=5)).status_code == 200
    cancel = HandleRequest(handle=link.handle.text_for_wire())
    async with world.nothing_changes():
        same = await app.send("/cancel", cancel, counter=5)
        older = await app.send("/cancel", cancel, counter=4)
    assert {(answer.status_code, code_of(answer)) for answer in (same, older)} == {
        (409, "app-request-replayed")
    }


@pytest.mark.parametrize(
    "header",
    ["", "v=2;n=1;k=a;s=b", "v=1;n=-1;k=a;s=b", "v=1;n=1e9;k=a;s=b", "v=1;n=٣;k=a;s=b", "v=1;n=1;k=a", "v=1;s=b;k=a;n=1",
     "v=1;n=1;k=a;s=!!", "v=1;n=99999999999999999999;k=a;s=b", ";;;", "v=1;n=1;k=a;s=b;s=c"],
)  # fmt: skip
async def test_a_header_of_another_form_is_no_signature(world: AttackWorld, header: str) -> None:
    link, app = link_on(await world.browser().begin_login()), world.app()
    answer = await app.client.post(
        "/desktop/v1/attach",
        content=attach_request(link, app.app_key).model_dump_json(),
        headers={HEADER: header.encode(), "Content-Type": "application/json"},
    )
    assert (answer.status_code, code_of(answer)) == (401, "app-signature-wrong")


# The proof

OTHERS: dict[str, Any] = {
    "origin": "https://evil.example",
    "care_application": "Een ander",
    "organisation": "Een andere organisatie",
    "purpose": Purpose.make_card,
    "act": "U maakt een ander administrator.",
    "act_sha256": "00" * 32,
    "acr": "http://eidas.europa.eu/LoA/low",
    "accepts": (MeansUsed.smartcard,),
    "app_key": "another",
}


@pytest.mark.parametrize("name", Context.model_fields)
async def test_a_proof_for_a_changed_context_is_refused(world: AttackWorld, name: str) -> None:
    """Display deception: whatever differs in what was shown, the signature is over other bytes."""
    link, app = link_on(await world.browser().begin_login()), world.app()
    reply = await app.attach(link)
    other = OTHERS.get(name, reply.context.expires_at + timedelta(seconds=1))
    context = reply.context.model_copy(update={name: other})
    assert context != reply.context
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=context, handle=link.handle, origin=reply.context.origin
    )
    async with world.nothing_changes(("login-proved", "refused", "proof-wrong")):
        answer = await app.try_prove(link, token)
    assert (answer.status_code, code_of(answer)) == (403, "proof-wrong")


async def test_a_proof_for_another_challenge_handle_or_origin_is_refused(world: AttackWorld) -> None:
    link, app, card = link_on(await world.browser().begin_login()), world.app(), world.card(EMPLOYEE)
    reply = await app.attach(link)
    challenge, context = decode(reply.challenge), reply.context
    tokens = [
        card.token(challenge=bytes(32), context=context, handle=link.handle),
        card.token(challenge=challenge, context=context, handle=Secret(bytes(16))),
        card.token(challenge=challenge, context=context, handle=link.handle, origin="https://evil.example"),
        card.token_over(challenge),
        card.token_over(b""),
    ]
    async with world.nothing_changes(("login-proved", "refused", "proof-wrong")):
        answers = [await app.try_prove(link, token) for token in tokens]
    assert {(answer.status_code, code_of(answer)) for answer in answers} == {(403, "proof-wrong")}


async def test_a_proof_counts_for_its_own_login_only(world: AttackWorld) -> None:
    """A proof that was captured in one login is of no use in the next, of the same browser and the same app."""
    browser, app = world.browser(), world.app()
    first = link_on(await browser.begin_login())
    reply = await app.attach(first)
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=reply.context, handle=first.handle
    )
    second = link_on(await browser.begin_login())
    await app.attach(second)
    async with world.nothing_changes(("login-proved", "refused", "proof-wrong")):
        answer = await app.try_prove(second, token)
    assert (answer.status_code, code_of(answer)) == (403, "proof-wrong")


async def test_a_certificate_with_another_key_behind_it_proves_nobody(world: AttackWorld) -> None:
    """Wrong key: the attacker shows the victim's certificate and signs with his own card."""
    link, app = link_on(await world.browser().begin_login()), world.app()
    reply = await app.attach(link)
    mixed = replace(world.card(COLLEAGUE), certificate=world.card(EMPLOYEE).certificate)
    token = mixed.token(challenge=decode(reply.challenge), context=reply.context, handle=link.handle)
    async with world.nothing_changes(("login-proved", "refused", "proof-wrong")):
        answer = await app.try_prove(link, token)
    assert (answer.status_code, code_of(answer)) == (403, "proof-wrong")


@pytest.mark.parametrize("usage", ["signature", "confidentiality"])
async def test_only_the_authentication_key_of_a_uzi_card_logs_in(world: AttackWorld, usage: str) -> None:
    link, app = link_on(await world.browser().begin_login()), world.app()
    reply = await app.attach(link)
    token = world.card(EMPLOYEE, usage).token(
        challenge=decode(reply.challenge), context=reply.context, handle=link.handle
    )
    async with world.nothing_changes():
        answer = await app.try_prove(link, token)
    assert answer.status_code == 403
    assert code_of(answer).startswith("uzi-")
    assert ("login-proved", "refused", code_of(answer)) in await world.log()


@pytest.mark.parametrize("usage", ["signature", "confidentiality"])
async def test_only_the_authentication_key_of_a_smartcard_logs_in(world: AttackWorld, usage: str) -> None:
    """A signature that another program asked of the signature key is no login."""
    await world.require_smartcard()
    link, app = link_on(await world.browser().begin_login()), world.app()
    reply = await app.attach(link)
    token = world.key_on("leeg-1", usage).token(
        challenge=decode(reply.challenge), context=reply.context, handle=link.handle
    )
    refused = "not-an-authentication-certificate"
    async with world.nothing_changes(("login-proved", "refused", refused)):
        answer = await app.try_prove(link, token)
    assert (answer.status_code, code_of(answer)) == (403, refused)


@pytest.mark.parametrize(
    "changes",
    [{"algorithm": "ES384"}, {"algorithm": "RS256"}, {"signature": "AAAA"}, {"signature": "!"}, {"unverifiedCertificate": "AAAA"},
     {"unverifiedCertificate": "x"}],
)  # fmt: skip
async def test_a_token_that_does_not_fit_itself_is_refused(
    world: AttackWorld, changes: dict[str, str]
) -> None:
    link, app = link_on(await world.browser().begin_login()), world.app()
    reply = await app.attach(link)
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=reply.context, handle=link.handle
    )
    async with world.nothing_changes(("login-proved", "refused", "proof-malformed")):
        answer = await app.try_prove(link, token.model_copy(update=changes))
    assert (answer.status_code, code_of(answer)) == (400, "proof-malformed")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "PS256", "", "ES256K"])
async def test_an_algorithm_that_is_not_in_the_list_is_not_looked_at(
    world: AttackWorld, algorithm: str
) -> None:
    link, app = link_on(await world.browser().begin_login()), world.app()
    reply = await app.attach(link)
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=reply.context, handle=link.handle
    )
    sent = ProveRequest(handle=link.handle.text_for_wire(), token=token).model_dump_json()
    answer = await app.send("/prove", sent.replace('"ES256"', f'"{algorithm}"').encode())
    assert (answer.status_code, code_of(answer)) == (400, "message-malformed")


# Purposes


DOORS = {
    Purpose.login: lambda browser: browser.begin_login(),
    Purpose.make_card: lambda browser: browser.begin("make-card"),
    Purpose.validate_organisation: lambda browser: browser.begin("validate-organisation"),
}


@pytest.mark.parametrize("of", DOORS)
@pytest.mark.parametrize("used_for", DOORS)
async def test_a_proof_of_one_purpose_is_no_proof_of_another(
    world: AttackWorld, of: Purpose, used_for: Purpose
) -> None:
    """The bytes of every pair; the same purpose in another transaction is another proof as well."""
    browser, app = world.browser(), world.app()
    begun = link_on(await DOORS[of](browser))
    reply = await app.attach(begun)
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=reply.context, handle=begun.handle
    )
    other = link_on(await DOORS[used_for](browser))
    await app.attach(other)
    async with world.nothing_changes(("login-proved", "refused", "proof-wrong")):
        answer = await app.try_prove(other, token)
    assert (answer.status_code, code_of(answer)) == (403, "proof-wrong")


async def completed(world: AttackWorld, purpose: Purpose, card: str) -> tuple[Any, App, LaunchLink, Any]:
    browser, app = world.browser(), world.app()
    link = link_on(await DOORS[purpose](browser))
    code = await app.prove(link, world.card(card))
    answer = await browser.post_completion(link.handle, code)
    assert answer.status_code == 200, answer.text
    return browser, app, link, answer


@pytest.mark.parametrize("purpose", [Purpose.make_card, Purpose.validate_organisation])
async def test_only_the_purpose_login_makes_a_session(world: AttackWorld, purpose: Purpose) -> None:
    card = EMPLOYEE if purpose is Purpose.make_card else DOCTOR
    before = await world.rows("select from session")
    browser, _, _, answer = await completed(world, purpose, card)
    assert "zid-session" not in answer.headers.get("set-cookie", "")
    assert len(await world.rows("select from session")) == len(before)
    assert not await browser.is_logged_in()


@pytest.mark.parametrize("purpose", [Purpose.login, Purpose.validate_organisation])
async def test_only_the_purpose_make_card_opens_a_making(world: AttackWorld, purpose: Purpose) -> None:
    await world.register_organisation()
    card = EMPLOYEE if purpose is Purpose.login else DOCTOR
    _, app, link, _ = await completed(world, purpose, card)
    async with world.nothing_changes(("issuance-opened", "refused", "login-not-open")):
        answer = await app.send("/issuance/open", HandleRequest(handle=link.handle.text_for_wire()))
    assert (answer.status_code, code_of(answer)) == (409, "login-not-open")


async def test_a_making_is_not_opened_before_the_browser_completed(world: AttackWorld) -> None:
    """LOGIN-5: a proof alone has no effect (docs/desktop-protocol.md, 5); a forwarded link makes no card."""
    await world.register_organisation()
    link, app = link_on(await world.browser().begin("make-card")), world.app()
    await app.prove(link, world.card(EMPLOYEE))
    async with world.nothing_changes(("issuance-opened", "refused", "login-not-open")):
        answer = await app.send("/issuance/open", HandleRequest(handle=link.handle.text_for_wire()))
    assert (answer.status_code, code_of(answer)) == (409, "login-not-open")


@pytest.mark.parametrize("purpose", [Purpose.login, Purpose.make_card])
async def test_only_the_purpose_validate_organisation_validates(world: AttackWorld, purpose: Purpose) -> None:
    """Somebody who is logged in posts the form of the confirmation, with a token of this browser."""
    card = DOCTOR if purpose is Purpose.login else EMPLOYEE
    browser, _, _, _ = await completed(world, purpose, card)
    page = await browser.open(f"{world.origin}/portal/make-card")
    token = page.form("/portal/make-card").fields["form_token"]
    async with world.nothing_changes():
        answer = await browser.client.post(
            "/portal/validate-organisation/confirm", data={"form_token": token}
        )
    assert answer.status_code == 409


async def test_a_validation_comes_within_ten_minutes_and_is_done_once(world: AttackWorld) -> None:
    """One test, since an organisation is validated once in this world."""
    for minutes, status in ((10, 409), (0, 200)):
        browser, _, _, answer = await completed(world, Purpose.validate_organisation, "apotheker-lelietje")
        page = await browser.open(f"{world.origin}{answer.json()['next']}")
        world.clock.advance(timedelta(minutes=minutes))
        assert (await browser.submit(page, "/portal/validate-organisation/confirm")).status == status
    async with world.nothing_changes():
        again = await browser.submit(page, "/portal/validate-organisation/confirm")
    assert again.status == 409


# Time


async def test_a_login_is_over_after_five_minutes(world: AttackWorld) -> None:
    browser, app = world.browser(), world.app()
    new, attached = link_on(await browser.begin_login()), link_on(await browser.begin_login())
    reply = await app.attach(attached)
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=reply.context, handle=attached.handle
    )
    world.clock.advance(timedelta(minutes=5))
    async with world.nothing_changes(("login-attached", "refused", "login-expired")):
        answers = [await app.try_attach(new), await app.try_prove(attached, token)]
    assert {(answer.status_code, code_of(answer)) for answer in answers} == {(410, "login-expired")}
    page = await browser.client.get("/oauth/account/login")
    assert "langer dan vijf minuten" in page.text


async def test_a_cancelled_login_is_over(world: AttackWorld) -> None:
    browser, app = world.browser(), world.app()
    page = await browser.begin_login()
    link = link_on(page)
    reply = await app.attach(link)
    await browser.submit(page, "/oauth/account/login/cancel")
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=reply.context, handle=link.handle
    )
    async with world.nothing_changes():
        answer = await app.try_prove(link, token)
    assert (answer.status_code, code_of(answer)) == (409, "login-not-open")


# Links


async def test_an_invented_handle_belongs_to_nothing(world: AttackWorld) -> None:
    link = replace(link_on(await world.browser().begin_login()), handle=Secret(bytes(16)))
    answer = await world.app().try_attach(link)
    assert (answer.status_code, code_of(answer)) == (404, "login-unknown")


async def test_what_is_signed_is_a_hash_of_what_was_shown_and_nothing_that_was_sent(
    world: AttackWorld,
) -> None:
    """Signature oracle: whatever a platform answers as challenge, the card signs two hashes one after the other."""
    link, app = link_on(await world.browser().begin_login()), world.app()
    reply: AttachReply = await app.attach(link)
    for challenge in (decode(reply.challenge), b"", b"-----BEGIN CERTIFICATE REQUEST-----" * 10):
        data = bytes_to_sign(world.origin, nonce_for(challenge, reply.context, link.handle), "ES256")
        assert len(data) == 64
        assert challenge == b"" or challenge not in data


async def test_every_field_of_the_context_is_tried() -> None:
    assert set(Context.model_fields) - set(OTHERS) == {"expires_at"}
    assert issubclass(Context, Message)
