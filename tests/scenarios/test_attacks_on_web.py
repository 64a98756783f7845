"""Attacks on the pages themselves: forged posts, frames, foreign hosts, open redirects, bodies that nobody expects.

ALL-2, ALL-4, LOGIN-10; docs/security.md, logging in.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio
from starlette.routing import BaseRoute, Route
from tests.portal_builders import fields_of
from tests.scenarios.attack_world import (
    COLLEAGUE,
    DOCTOR,
    EMPLOYEE,
    AttackWorld,
    Browser,
    link_on,
    shared_world,
)

from zorgid.protocol.links import LaunchLink
from zorgid.protocol.messages import API, StateRequest

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOR_PROGRAMS: Final = {
    "/oauth/complete",
    "/oauth/connect/authorize",
    "/oauth/connect/endsession",
    "/oauth/connect/token",
    "/oauth/connect/userinfo",
    "/portal/signin-oidc",
}
"""Addresses that other sites or scripts post to; every other one that takes a post is a form of ours."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        await world.require_smartcard()
        yield world


def routes_of(world: AttackWorld) -> Iterator[Route]:
    """All addresses of the running application."""
    application: Any = world.running.main
    while not hasattr(application, "routes"):
        application = application._inner
    for route in application.routes:
        assert isinstance(route, BaseRoute)
        if isinstance(route, Route):
            yield route


async def address_of(world: AttackWorld, route: Route) -> str:
    """An address that the route answers on, about a card that is there."""
    (card,) = await world.rows("select number from card")
    hold = "11111111-2222-3333-4444-555555555555"
    path = (
        route.path.replace("{number}", card["number"])
        .replace("{hold_id:uuid}", hold)
        .replace("{step}", "held")
    )
    return path.replace("{path:path}", "zorgid.css")


def methods_of(route: Route) -> set[str]:
    return route.methods or set()


# Forged posts


async def form_token(browser: Browser) -> str:
    page = await browser.open(f"{browser.origin}/portal/make-card")
    return page.form("/portal/make-card").fields["form_token"]


FORGED: Final = [
    "no token",
    "an empty token",
    "another browser's token",
    "from another site",
    "from a frame",
    "from nowhere",
]


@pytest.mark.parametrize("how", FORGED)
async def test_no_form_of_ours_takes_a_forged_post(world: AttackWorld, how: str) -> None:
    """Every address that takes a post and is not for programs, so new ones are tried by themselves."""
    browser = await world.log_in(world.card(DOCTOR))
    token = await form_token(browser)
    page = await browser.begin("validate-organisation")
    link = link_on(page)
    given, headers = (
        {"reason": "lost", "form_token": token},
        {"Origin": world.origin, "Sec-Fetch-Site": "same-origin"},
    )
    match how:
        case "no token":
            del given["form_token"]
        case "an empty token":
            given["form_token"] = ""
        case "another browser's token":
            given["form_token"] = await form_token(await world.log_in(world.card(DOCTOR)))
        case "from another site":
            headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        case "from a frame":
            headers = {"Origin": "null"}
        case "from nowhere":
            headers = {"Sec-Fetch-Site": "same-site"}
    tried = 0
    async with world.nothing_changes():
        for route in routes_of(world):
            is_form = not route.path.startswith("/desktop/") and route.path not in FOR_PROGRAMS
            if "POST" in methods_of(route) and is_form:
                address = await address_of(world, route)
                answer = await browser.client.post(
                    address, data=given, headers=headers, follow_redirects=False
                )
                assert answer.status_code == 403, (address, answer.status_code)
                tried += 1
    assert tried >= 9
    assert await browser.is_logged_in()
    (row,) = await world.rows(
        "select state from login_transaction where handle_hash = %s", link.handle.digest()
    )
    assert row["state"] == "new"


async def test_a_token_dies_with_the_session_it_was_made_in(world: AttackWorld) -> None:
    """A page that the former employee left open posts nothing for the next one."""
    browser = await world.log_in(world.card(DOCTOR))
    token = await form_token(browser)
    await log_in_anew(world, browser, COLLEAGUE)
    assert await browser.is_logged_in()
    async with world.nothing_changes():
        answer = await browser.client.post("/portal/logout", data={"form_token": token})
    assert answer.status_code == 403


async def test_another_sites_answer_is_not_taken_as_the_portals_login(world: AttackWorld) -> None:
    """Login CSRF: the attacker posts the code of his own login into the victim's browser."""
    attacker, victim = world.browser("198.51.100.66"), world.browser()
    await world.log_in(world.card(COLLEAGUE), attacker)
    asked = await attacker.client.get("/portal/login", follow_redirects=False)
    answered = await attacker.client.get(asked.headers["location"])
    stolen = fields_of(answered.text)
    assert "code" in stolen
    for prepare in ("nothing", "a login under way"):
        if prepare == "a login under way":
            await victim.begin_login()
        answer = await victim.client.post(
            "/portal/signin-oidc", data=stolen, headers={"Origin": world.origin}
        )
        assert answer.status_code >= 400
        assert not await victim.is_logged_in()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_site_logs_nobody_out(world: AttackWorld, method: str) -> None:
    """Without a verified ID token a page asks first (OpenID Connect RP-Initiated Logout 1.0, section 2)."""
    browser = await world.log_in(world.card(EMPLOYEE))
    async with world.nothing_changes():
        answer = await browser.client.request(
            method,
            "/oauth/connect/endsession",
            headers={"Origin": "https://evil.example"},
            follow_redirects=False,
        )
    assert answer.status_code == 200
    assert await browser.is_logged_in()


# Cookies and sessions


async def test_every_cookie_is_for_this_host_and_closed_to_scripts_and_other_sites(
    world: AttackWorld,
) -> None:
    browser, set_cookies = world.browser(), []

    async def note(response: httpx.Response) -> None:
        set_cookies.extend(response.headers.get_list("set-cookie"))

    browser.client.event_hooks["response"] = [note]
    await world.log_in(world.card(EMPLOYEE), browser)
    await browser.client.get("/?lang=en")
    names = {line.partition("=")[0] for line in set_cookies}
    assert names == {"zid-portal-login", "zid-tx", "zid-form", "zid-session", "zid-portal", "zid-lang"}
    for line in set_cookies:
        parts = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= parts, line
        assert not any(part.startswith("domain") for part in parts), line


async def test_a_session_that_was_planted_before_the_login_is_of_no_use_after_it(world: AttackWorld) -> None:
    """Session fixation: the attacker knows the cookies that the victim's browser has when the victim logs in."""
    attacker, victim = await world.log_in(world.card(COLLEAGUE)), world.browser()
    planted = {name: attacker.cookie(name) for name in ("zid-session", "zid-portal", "zid-tx")}
    for name, value in planted.items():
        victim.client.cookies.set(name, value or "", domain="localhost.local", path="/")
    await log_in_anew(world, victim, EMPLOYEE)
    assert not {victim.cookie(name) for name in planted} & set(planted.values())
    assert not await attacker.is_logged_in()
    assert await victim.is_logged_in()


async def test_the_next_employee_never_inherits_the_session_of_the_former(world: AttackWorld) -> None:
    """LOGIN-10: same browser, the first walked away; the second logs in, and the first's session is over."""
    browser = await world.log_in(world.card(EMPLOYEE))
    former = {name: browser.cookie(name) for name in ("zid-session", "zid-portal")}
    length = len(await world.log())
    link = await ask_fresh_proof(world, browser)
    code = await world.app().prove(link, world.card(COLLEAGUE))
    assert (await browser.post_completion(link.handle, code)).status_code == 200
    assert browser.cookie("zid-session") != former["zid-session"]
    thief = world.browser()
    for name, value in former.items():
        thief.client.cookies.set(name, value or "")
    assert not await thief.is_logged_in()
    assert not await browser.is_logged_in()  # the portal's own session was the former employee's
    events = [event for event, _, _ in (await world.log())[length:]]
    assert {"session-ended", "session-begun"} <= set(events)


async def ask_fresh_proof(world: AttackWorld, browser: Browser) -> LaunchLink:
    """Begin a login that must be proved anew, as a care application on a shared workstation does."""
    asked = await browser.client.get("/portal/login", follow_redirects=False)
    return link_on(await browser.open(f"{asked.headers['location']}&prompt=login"))


async def log_in_anew(world: AttackWorld, browser: Browser, label: str) -> None:
    """Log in with a fresh proof, whoever was logged in in this browser."""
    link = await ask_fresh_proof(world, browser)
    code = await world.app().prove(link, world.card(label))
    answer = await browser.post_completion(link.handle, code)
    await browser.open(f"{world.origin}{answer.json()['next']}")


# Frames, hosts, redirects


async def test_no_page_can_be_framed_and_every_answer_carries_the_protecting_headers(
    world: AttackWorld,
) -> None:
    browser = await world.log_in(world.card(DOCTOR))
    seen = set()
    for route in routes_of(world):
        address = await address_of(world, route)
        for method in ("GET", "POST", "PUT"):
            if route.path.endswith("/events"):
                continue
            answer = await browser.client.request(method, address, follow_redirects=False)
            headers = answer.headers
            policy = headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy, address
            assert "default-src 'none'" in policy, address
            assert "'unsafe" not in policy, address
            assert headers["x-frame-options"] == "DENY", address
            assert headers["x-content-type-options"] == "nosniff", address
            assert headers["referrer-policy"] in {"no-referrer", "same-origin"}, address
            seen.add(answer.status_code)
    assert {200, 303, 403, 404, 405} <= seen


HOSTS: Final = [
    "evil.example",
    "localhost",
    "localhost:1",
    "",
    "localhost:80@evil.example",
    "127.0.0.1",
    "[::1]",
]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_request_for_another_host_is_turned_away_before_anything(
    world: AttackWorld, host: str
) -> None:
    browser = world.browser()
    async with world.nothing_changes():
        for route in routes_of(world):
            if route.path in {"/health", "/ready"}:
                continue
            answer = await browser.client.get(await address_of(world, route), headers={"Host": host})
            assert answer.status_code == 421, route.path
            assert "set-cookie" not in answer.headers


async def test_a_forwarding_header_of_a_stranger_is_not_believed(world: AttackWorld) -> None:
    browser = world.browser()
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https",
                 "Forwarded": "for=203.0.113.9;host=evil.example"}  # fmt: skip
    browser.client.headers.update(forwarded)
    link = link_on(await browser.begin_login())
    page = await browser.client.get("/oauth/account/login")
    assert "evil.example" not in page.text + str(page.headers)
    (row,) = await world.rows(
        "select address from login_transaction where handle_hash = %s", link.handle.digest()
    )
    assert row["address"] == "192.0.2.7"
    addresses = await world.rows("select distinct personal ->> 'address' as address from audit_entry")
    assert "203.0.113.9" not in {one["address"] for one in addresses}


ELSEWHERE: Final = [
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example", "/\t/evil.example",
    "/%09/evil.example", "javascript:alert(1)", "http:evil.example", "/oauth/connect/authorize@evil.example",
    "//evil.example/oauth/connect/authorize?x", "/oauth/connect/authorize\r\nSet-Cookie: a=b", "/oauth/connect/authorize/../..//evil",
    "https://localhost@evil.example/oauth/connect/authorize", "/portal/cards", "oauth/connect/authorize", "", " /oauth/connect/authorize",
    "/oauth/connect/authorizeevil", "/oauth//connect/authorize",
]  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
async def test_a_return_url_leads_to_an_authorization_request_of_ours_or_nowhere(
    world: AttackWorld, address: str
) -> None:
    """Open redirect on the login page (LOGIN-1)."""
    answer = await world.browser().client.get(
        "/oauth/account/login", params={"ReturnUrl": address}, follow_redirects=False
    )
    assert answer.status_code == 404
    assert "location" not in answer.headers


async def test_a_return_url_to_the_authorize_address_keeps_to_this_host(world: AttackWorld) -> None:
    inner = "/oauth/connect/authorize?redirect_uri=https://evil.example&x=//evil.example"
    answer = await world.browser().client.get(
        "/oauth/account/login", params={"ReturnUrl": inner}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert not urlsplit(answer.headers["location"]).netloc
    landed = await world.browser().client.get(answer.headers["location"], follow_redirects=False)
    assert landed.status_code == 400
    assert "location" not in landed.headers


@pytest.mark.parametrize(
    "address", [*ELSEWHERE, "/portal/../evil", "/portal//evil.example", "/portal/login?to=x", "/portalevil"]
)
async def test_a_login_ends_in_the_portal_whatever_it_was_told(world: AttackWorld, address: str) -> None:
    browser = world.browser()
    page = await browser.open(f"{world.origin}/portal/login?{urlencode({'to': address})}")
    link = link_on(page)
    code = await world.app().prove(link, world.card(DOCTOR))
    answer = await browser.post_completion(link.handle, code)
    landed = await browser.open(f"{world.origin}{answer.json()['next']}")
    assert landed.address.startswith(f"{world.origin}/portal/")
    assert "evil" not in landed.address or landed.address == f"{world.origin}/portal//evil.example"


async def test_nobody_is_sent_to_an_address_that_is_not_registered_for_logging_out(
    world: AttackWorld,
) -> None:
    asked = {
        "post_logout_redirect_uri": "https://evil.example/",
        "client_id": "user-management",
        "state": "x",
    }
    answer = await world.browser().client.get(
        "/oauth/connect/endsession", params=asked, follow_redirects=False
    )
    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert 'href="https://evil' not in answer.text


# Bodies that nobody expects

TYPES: Final = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data",
                "text/plain", "application/x-www-form-urlencoded; charset=utf-7", "\x7f"]  # fmt: skip
BODIES: Final = [
    b"", b"{}", b"[]", b"null", b'"text"', b"1", b"\x00", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 50_000, b"NaN", b"1" * 5000,
    b'{"handle": "\\ud800", "code": "\\u0000"}', b'{"handle": {"a": []}, "code": 1}', b"a=%00&b=%ff&client_id=%00&code=%00", b"&&==&",
    b"form_token=%ff&reason=%00", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nc\r\n--x--\r\n',
    b"&".join(b"a=%d" % number for number in range(2000)),
]  # fmt: skip


async def test_no_body_makes_any_address_break(world: AttackWorld) -> None:
    """Every address, with bodies of every kind: refused in a sentence, never an error of ours."""
    browser = await world.log_in(world.card(DOCTOR))
    form = await form_token(browser)
    bodies = [
        *BODIES,
        f"form_token={form}&reason=%00".encode(),
        f"form_token={form}&reason={'x' * 100}".encode(),
    ]
    broken = []
    for route in routes_of(world):
        address = await address_of(world, route)
        if "POST" not in methods_of(route) or route.path == "/portal/logout":
            continue
        for number, body in enumerate(bodies):
            content_type = TYPES[number % len(TYPES)] if body not in bodies[-2:] else TYPES[1]
            for kind in {content_type, TYPES[0], TYPES[1]}:
                headers = {"Content-Type": kind.encode("latin-1")}
                answer = await browser.client.post(
                    address, content=body, headers=headers, follow_redirects=False
                )
                if answer.status_code >= 500:
                    broken.append((address, kind, body[:40]))
    assert broken == []


@pytest.mark.parametrize("extra_bytes", [1, 1_000_000])
async def test_a_body_that_is_too_large_is_refused_everywhere(world: AttackWorld, extra_bytes: int) -> None:
    browser = world.browser()
    body = b"a=" + b"x" * (256 * 1024 + extra_bytes)
    for route in routes_of(world):
        if "POST" in methods_of(route) and route.path != "/portal/logout":
            address = await address_of(world, route)
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await browser.client.post(address, content=body, headers=headers, follow_redirects=False)
            assert answer.status_code in {413, 303, 403}, (address, answer.status_code)
            assert answer.status_code == 413 or not address.startswith(("/desktop/", "/oauth/connect/token"))


TEXTS: Final = ["", "\x00", "a\x00b", "%", "%00", "%ff", "\ud7ff", "💥", "x" * 5000, "' or 1=1 --", "<script>", "../..", "-1", "1e999", "null",
                "{}", "[]", "a b", "\r\nX: y", "\u202e", "A" * 43]  # fmt: skip


def odd_versions(parameters: dict[str, str]) -> Iterator[bytes]:
    """The parameters with one of them odd, repeated or missing, as they stand in an address or a form."""
    yield from (b"%ff=%fe", b"=", b"&", b"a" * 5000)
    for name, usual in parameters.items():
        others = {other: value for other, value in parameters.items() if other != name}
        yield urlencode(others).encode()
        yield (urlencode(parameters) + f"&{name}={quote(usual)}").encode()
        yield (urlencode(others) + f"&{name}=%ff%00").encode()
        for text in TEXTS:
            yield urlencode({**others, name: text}).encode()


AUTHORIZE: Final = {
    "client_id": "user-management", "redirect_uri": "", "response_type": "code", "scope": "openid profile api",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256", "response_mode": "form_post",
    "nonce": "n", "state": "s", "prompt": "login", "max_age": "0", "acr_values": "x", "claims": "{}", "ui_locales": "nl",
    "id_token_hint": "x", "login_hint": "x", "request": "x",
}  # fmt: skip


async def test_no_authorization_request_makes_the_identity_server_break(world: AttackWorld) -> None:
    # Hundreds, in a minute that stands still: from a source of their own they leave the other tests theirs.
    browser = world.browser("203.0.113.1")
    given = {**AUTHORIZE, "redirect_uri": f"{world.origin}/portal/signin-oidc"}
    given.pop("request")
    for query in odd_versions(given):
        address = f"/oauth/connect/authorize?{query.decode('latin-1')}"
        answer = await browser.client.get(address, follow_redirects=False)
        assert answer.status_code < 500, query
        if "location" in answer.headers:
            assert urlsplit(answer.headers["location"]).netloc in {"", urlsplit(world.origin).netloc}, query


TOKEN: Final = {
    "grant_type": "authorization_code", "code": "x", "redirect_uri": "x", "code_verifier": "y" * 43, "client_id": "user-management",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ1c2VyLW1hbmFnZW1lbnQiLCJzdWIiOiJ1c2VyLW1hbmFnZW1lbnQifQ.AAAA",
}  # fmt: skip


async def test_no_token_request_makes_the_identity_server_break(world: AttackWorld) -> None:
    client = world.app().client
    for body in odd_versions(TOKEN):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.post("/oauth/connect/token", content=body, headers=headers)
        assert 400 <= answer.status_code < 500, body
        assert set(answer.json()) == {"error", "error_description"}, body


async def test_no_header_or_token_makes_userinfo_or_logout_break(world: AttackWorld) -> None:
    client = world.app().client
    for text in [*TEXTS, "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "." * 100]:
        if "\r" in text:
            continue
        header = b"Bearer " + text.encode("utf-8", "surrogatepass")
        assert (
            await client.get("/oauth/connect/userinfo", headers={"Authorization": header})
        ).status_code in {400, 401}
        for name in ("id_token_hint", "post_logout_redirect_uri", "client_id", "state", "ui_locales"):
            answer = await client.get(
                "/oauth/connect/endsession", params={name: text}, follow_redirects=False
            )
            assert answer.status_code < 500


async def test_no_address_cookie_or_language_makes_a_page_break(world: AttackWorld) -> None:
    browser = await world.log_in(world.card(DOCTOR))
    for text in TEXTS:
        there = quote(text, safe="")
        for address in (f"/portal/cards/{there}", f"/portal/cards/{there}/hold", f"/portal/cards/x/done/{there}", f"/{there}",
                        f"/static/{there}", f"/portal/cards?after={there}&before={there}&lang={there}",
                        f"/portal?to={there}&ended={there}", f"/portal/login?to={there}"):  # fmt: skip
            answer = await browser.client.get(address, follow_redirects=False)
            assert answer.status_code < 500, address
    raw = world.app().client
    for text in (b"\xff", b"a=b; c", b"zid-tx=\xff; zid-session=%00; zid-portal=.; zid-form==", b"zid-portal=" + b"x" * 4000,
                 b"zid-tx=AA; zid-portal-login=..AA; zid-lang=xx"):  # fmt: skip
        for address in (
            "/portal/cards",
            "/oauth/account/login",
            "/portal/make-card",
            "/oauth/connect/endsession",
        ):
            headers = {
                "Cookie": text,
                "Accept-Language": text,
                "User-Agent": text,
                "Origin": text,
                "Referer": text,
            }
            answer = await raw.get(address, headers=headers, follow_redirects=False)
            assert answer.status_code < 500, (text, address)
            answer = await raw.post("/portal/signin-oidc", headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
                                    content=b"state=x&code=%00&iss=x", follow_redirects=False)  # fmt: skip
            assert answer.status_code < 500, text


async def test_no_message_of_an_app_makes_the_platform_break(world: AttackWorld) -> None:
    """Each field of a message odd in turn, correctly signed."""
    link, app = link_on(await world.browser().begin_login()), world.app()
    await app.attach(link)
    good = json.loads(StateRequest(handle=link.handle.text_for_wire()).model_dump_json())
    paths = [route.path.removeprefix(API) for route in routes_of(world) if route.path.startswith(API)]
    odd: list[Any] = [None, 0, -1, 1.5, True, [], {}, *TEXTS, ["x"] * 1000]
    some_id = "11111111-2222-3333-4444-555555555555"
    usual = {
        "handle": good["handle"],
        "issuance_id": some_id,
        "birth_on": "1980-01-01",
        "chip_serial": "1",
        "was_reset": True,
    }
    for path in paths:
        for name in (*usual, "token", "keys", "app_key", "guid", "seen", "extra"):
            for value in odd:
                body = json.dumps({**usual, name: value}).encode("utf-8", "surrogatepass")
                answer = await app.send(path, body)
                assert 400 <= answer.status_code < 500, (path, body[:200])
        for body in BODIES:
            answer = await app.send(path, body)
            assert 400 <= answer.status_code < 500, (path, body[:60])


async def test_no_question_makes_the_status_services_break(world: AttackWorld) -> None:
    transport = httpx.ASGITransport(world.running.pki)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for body in (*BODIES, b"0\x80" * 1000, b"0\x84\xff\xff\xff\xff", bytes(300_000)):
            answer = await client.post(
                "/ocsp", content=body, headers={"Content-Type": "application/ocsp-request"}
            )
            assert answer.status_code < 500, body[:40]
        for text in TEXTS:
            for folder in ("ocsp", "crl", "ca", ""):
                answer = await client.get(f"/{folder}/{quote(text, safe='')}")
                assert answer.status_code < 500, (folder, text)
