"""What surrounds every request: language, headers, limits, guards, error pages (ALL-1, ALL-2, ALL-4)."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp
from tests.web_builders import browser, services_for_pages

from zorgid.kernel.sentences import Language
from zorgid.settings import Settings
from zorgid.web.application import web_application
from zorgid.web.edge import preferred_language, render
from zorgid.web.errors import BodyTooLarge
from zorgid.web.limits import TooMany
from zorgid.web.middleware import LARGEST_BODY_BYTES
from zorgid.web.policy import content_policy
from zorgid.web.services import Services, services_of
from zorgid.web.shell import static_files


async def a_form(request: Request) -> Response:
    if request.method == "POST":
        form = await services_of(request).forms.read(request)
        return PlainTextResponse(f"took {form['word']}")
    return render(request, "pages/error.html", code=400, reference=services_of(request).forms.token(request))


async def breaks(request: Request) -> Response:
    raise RuntimeError("secret detail")


async def refuses(request: Request) -> Response:
    raise BodyTooLarge(limit_bytes=7)


async def reads(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def fails(request: Request) -> Response:
    raise HTTPException(request.path_params["status"])


async def too_many(request: Request) -> Response:
    raise TooMany(limit="begin", retry_after_seconds=12)


ROUTES = [
    Route("/fails/{status:int}", fails),
    Route("/too-many", too_many),
    Route("/form", a_form, methods=["GET", "POST"]),
    Route("/breaks", breaks),
    Route("/refuses", refuses),
    Route("/desktop/v1/refuses", refuses),
    Route("/reads", reads, methods=["POST"]),
    static_files().route(),
]


@pytest.fixture
def application() -> ASGIApp:
    return web_application(services_for_pages(), ROUTES)


@pytest.fixture
def running_services() -> Services:
    return services_for_pages()


@pytest.fixture
async def visitor(application: ASGIApp) -> httpx.AsyncClient:
    return browser(application)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "nl"),
        ("en", "en"),
        ("en-GB,nl;q=0.8", "en"),
        ("de,nl;q=0.5,en;q=0.4", "nl"),
        ("fr", "nl"),
        ("en;q=x", "nl"),
    ],
)
def test_the_browsers_best_language_that_we_speak_is_chosen(header: str, language: str) -> None:
    assert preferred_language(header) is Language(language)


async def test_a_language_asked_in_the_address_is_remembered(visitor: httpx.AsyncClient) -> None:
    first = await visitor.get("/nowhere?lang=en&page=2")
    assert 'lang="en"' in first.text
    assert 'href="/nowhere?page=2&amp;lang=nl"' in first.text
    assert "This page does not exist" in (await visitor.get("/nowhere")).text


async def test_an_unknown_address_gets_a_page_with_a_reference(visitor: httpx.AsyncClient) -> None:
    """ALL-2."""
    answer = await visitor.get("/nowhere")
    assert answer.status_code == 404
    assert "Deze pagina bestaat niet" in answer.text
    assert answer.headers["x-request-id"] in answer.text


ERRORS = {
    403: ("U mag deze pagina niet zien", "You may not see this page"),
    404: ("Deze pagina bestaat niet", "This page does not exist"),
    405: ("Deze pagina kan dit niet doen", "This page cannot do that"),
    413: ("U stuurde te veel in één keer", "You sent too much at once"),
    418: ("Wij begrijpen deze vraag niet", "We do not understand this request"),
    429: ("Te veel pogingen achter elkaar", "Too many attempts in a row"),
    500: ("Er ging iets mis bij ons", "Something went wrong on our side"),
    503: ("ZORG-ID is even niet bereikbaar", "ZORG-ID cannot be reached for a moment"),
}


@pytest.mark.parametrize("language", [0, 1])
@pytest.mark.parametrize("status", ERRORS)
async def test_every_error_has_a_page_in_both_languages_with_a_reference(
    visitor: httpx.AsyncClient, status: int, language: int
) -> None:
    """ALL-2."""
    answer = await visitor.get(f"/fails/{status}?lang={['nl', 'en'][language]}")
    assert answer.status_code == status
    assert f"<h1>{ERRORS[status][language]}</h1>" in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_a_program_that_fails_gets_a_problem_document(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/fails/404", headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reference"] == answer.headers["x-request-id"]


async def test_a_limit_that_is_reached_says_when_to_come_back(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/too-many")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "12")


async def test_an_event_stream_ends_when_the_platform_stops(running_services: Services) -> None:
    waiting = asyncio.Event()

    async def stream(_: Request) -> Response:
        async def lines() -> AsyncIterator[str]:
            yield "data: one\n\n"
            waiting.set()
            await asyncio.Event().wait()

        return StreamingResponse(lines(), media_type="text/event-stream")

    visitor = browser(web_application(running_services, [Route("/stream", stream)]))
    async with asyncio.timeout(60):
        asking = asyncio.create_task(visitor.get("/stream", headers={"accept": "text/event-stream"}))
        await waiting.wait()
        running_services.stopping.set()
        with contextlib.suppress(AssertionError):  # the test client wants an end that a cut stream has not
            await asking


async def test_a_wrong_method_gets_a_page_and_the_list_of_methods(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/breaks")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("language", ["nl", "en"])
async def test_a_fault_shows_a_reference_and_no_detail(visitor: httpx.AsyncClient, language: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await visitor.get(f"/breaks?lang={language}")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert [entry["event"] for entry in logs] == ["fault", "request"]


async def test_a_refusal_is_a_sentence_with_a_next_step_for_people(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/refuses")
    assert answer.status_code == 413
    assert "Wij nemen hooguit 7 bytes aan." in answer.text
    assert "Stuur minder" in answer.text


async def test_a_refusal_is_a_problem_document_for_programs(visitor: httpx.AsyncClient) -> None:
    """RFC 9457, section 3.1."""
    answer = await visitor.get("/desktop/v1/refuses", headers={"accept-language": "en"})
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["code"] == "body-too-large"
    assert document["status"] == 413
    assert document["facts"] == {"limit_bytes": 7}
    assert document["detail"].startswith("You sent too much")


async def test_a_body_that_is_too_large_is_refused_while_it_is_read(visitor: httpx.AsyncClient) -> None:
    fits = await visitor.post("/reads", content=b"x" * LARGEST_BODY_BYTES)
    assert fits.text == str(LARGEST_BODY_BYTES)
    too_large = await visitor.post("/reads", content=b"x" * (LARGEST_BODY_BYTES + 1))
    assert too_large.status_code == 413


async def test_another_host_is_refused_but_a_load_balancer_may_ask_how_it_goes(application: ASGIApp) -> None:
    stranger = browser(application, "http://evil.example")
    assert (await stranger.get("/form")).status_code == 421
    assert (await stranger.get("/health")).status_code == 404


async def test_protecting_headers_stand_on_pages_errors_and_files(visitor: httpx.AsyncClient) -> None:
    for path in ("/form", "/nowhere", "/breaks", static_files().address("zorgid.css")):
        headers = (await visitor.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in headers


async def test_pages_are_not_kept_and_files_are(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/form")).headers["cache-control"] == "no-store"
    assert "immutable" in (await visitor.get(static_files().address("zorgid.css"))).headers["cache-control"]


async def test_outside_the_demo_tls_is_demanded_for_a_year() -> None:
    settings = Settings(
        environment="acceptance", origin="https://zorg.example", trusted_proxies={"192.0.2.7"},
        key_passphrase_file="p", seals_folder="s",
    )  # fmt: skip
    visitor = browser(web_application(services_for_pages(settings=settings), ROUTES), "https://zorg.example")
    headers = (await visitor.get("/form")).headers
    assert "max-age=31536000" in headers["strict-transport-security"]
    assert "Secure" in headers["set-cookie"]


async def test_the_stand_in_banner_stands_on_every_page_outside_production(
    visitor: httpx.AsyncClient,
) -> None:
    assert "Dit is een testomgeving" in (await visitor.get("/nowhere")).text
    settings = Settings(
        environment="production", origin="https://zorg.example", trusted_proxies={"192.0.2.7"},
        key_passphrase_file="p", seals_folder="s",
    )  # fmt: skip
    real = browser(web_application(services_for_pages(settings=settings), ROUTES), "https://zorg.example")
    assert "Dit is een testomgeving" not in (await real.get("/nowhere")).text


async def token_on_page(visitor: httpx.AsyncClient) -> str:
    found = re.search(r'Referentie:\s*<span class="mono">([\w-]{43})<', (await visitor.get("/form")).text)
    assert found
    return found[1]


async def test_a_form_of_our_own_is_taken(visitor: httpx.AsyncClient) -> None:
    token = await token_on_page(visitor)
    own = {"origin": "http://localhost:8600", "sec-fetch-site": "same-origin"}
    answer = await visitor.post("/form", data={"form_token": token, "word": "x"}, headers=own)
    assert answer.text == "took x"


async def test_a_form_of_our_own_is_taken_from_a_browser_that_names_no_origin(
    visitor: httpx.AsyncClient,
) -> None:
    token = await token_on_page(visitor)
    assert (await visitor.post("/form", data={"form_token": token, "word": "x"})).text == "took x"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_from_elsewhere_is_refused_even_with_the_token(
    visitor: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    token = await token_on_page(visitor)
    answer = await visitor.post("/form", data={"form_token": token, "word": "x"}, headers=headers)
    assert answer.status_code == 403
    assert "Er is niets veranderd" in answer.text


async def test_a_form_without_the_token_of_this_browser_and_session_is_refused(
    application: ASGIApp, visitor: httpx.AsyncClient
) -> None:
    token = await token_on_page(visitor)
    other = browser(application)
    await token_on_page(other)
    assert (await other.post("/form", data={"form_token": token, "word": "x"})).status_code == 403
    assert (await visitor.post("/form", data={"word": "x"})).status_code == 403
    visitor.cookies.set("zid-portal", "another session")
    assert (await visitor.post("/form", data={"form_token": token, "word": "x"})).status_code == 403


def test_a_policy_names_inline_scripts_by_hash_and_form_targets() -> None:
    policy = content_policy(scripts=["alert(1)"], form_targets=["https://rp.example"], may_connect=True)
    assert "script-src 'self' 'sha256-" in policy
    assert "form-action 'self' https://rp.example" in policy
    assert policy.endswith("connect-src 'self'")


async def test_the_address_behind_a_trusted_proxy_is_believed_and_no_other(application: ASGIApp) -> None:
    async def shows(request: Request) -> Response:
        return PlainTextResponse(str(request.scope["zorgid.origin"].address))

    routes = [Route("/", shows)]
    forwarded = {"x-forwarded-for": "198.51.100.1, 203.0.113.9"}
    plain = browser(web_application(services_for_pages(), routes))
    assert (await plain.get("/", headers=forwarded)).text == "192.0.2.7"
    settings = Settings(trusted_proxies={"192.0.2.7"})
    proxied = browser(web_application(services_for_pages(settings=settings), routes))
    assert (await proxied.get("/", headers=forwarded)).text == "203.0.113.9"


async def test_a_reference_is_new_for_each_request(visitor: httpx.AsyncClient) -> None:
    first, second = await visitor.get("/form"), await visitor.get("/form")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
