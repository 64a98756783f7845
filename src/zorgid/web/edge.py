"""What every handler does alike: who asks, in which language, and how the answer looks (ALL-1, ALL-2).

Refusals become a sentence for people or a problem document for programs here, once, and nowhere else.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from zorgid.audit import actions as audit
from zorgid.audit.model import Actor, Event, Subject
from zorgid.kernel.errors import Refusal
from zorgid.kernel.ids import OrganisationId
from zorgid.kernel.sentences import Language, Sentence
from zorgid.storage.database import Origin, Work
from zorgid.web.services import services_of

LANGUAGE_COOKIE: Final = "zid-lang"
"""Holds the language that was chosen on a page; no personal data, readable by nobody but us."""

LANGUAGE_COOKIE_SECONDS: Final = 365 * 24 * 3600

LANGUAGES: Final = {language.value: language for language in Language}

PROBLEM_TYPE: Final = "application/problem+json"


def origin_of(connection: HTTPConnection) -> Origin:
    """Return where this request comes from, as audit log and operator's log name it."""
    origin: Origin = connection.scope["zorgid.origin"]
    return origin


def language_of(connection: HTTPConnection) -> Language:
    """Return the language of the answer: asked for, else chosen before, else the browser's, else Dutch."""
    chosen = connection.query_params.get("lang") or connection.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return LANGUAGES[chosen]
    return preferred_language(connection.headers.get("accept-language", ""))


def preferred_language(accept_language: str) -> Language:
    """Return the best language of the header that the product speaks, else Dutch (RFC 9110, 12.5.4)."""
    best, best_weight = Language.nl, 0.0
    for part in accept_language.split(","):
        tag, _, weight_text = part.partition(";q=")
        name = tag.strip().lower().partition("-")[0]
        weight = _weight(weight_text)
        if name in LANGUAGES and weight > best_weight:
            best, best_weight = LANGUAGES[name], weight
    return best


def _weight(text: str) -> float:
    """Return a quality value; none means 1 and nonsense means 0 (RFC 9110, section 12.4.2)."""
    if not text:
        return 1.0
    try:
        return float(text)
    except ValueError:
        return 0.0


def sentence_for(connection: HTTPConnection, refusal: Refusal) -> Sentence:
    """Return what to tell a person about `refusal`, in the language of the request."""
    return services_of(connection).sentences.sentence(refusal.code, refusal.facts, language_of(connection))


def problem(connection: HTTPConnection, refusal: Refusal) -> JSONResponse:
    """Return `refusal` as a problem document for programs. Source: RFC 9457, section 3.1."""
    sentence = sentence_for(connection, refusal)
    content = {
        "type": f"urn:zorg-id:refusal:{refusal.code}",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "code": refusal.code,
        "detail": sentence.text,
        "next_step": sentence.next_step,
        "facts": {name: fact if isinstance(fact, int) else str(fact) for name, fact in refusal.facts.items()},
        "reference": origin_of(connection).request_id,
    }
    return JSONResponse(content, refusal.status, retry_after(refusal), PROBLEM_TYPE)


def retry_after(refusal: Refusal) -> dict[str, str]:
    """Return the header that says when to try again, for refusals that know it (RFC 9110, section 10.2.3)."""
    seconds = refusal.facts.get("retry_after_seconds")
    return {} if seconds is None else {"Retry-After": str(seconds)}


def render(
    request: Request, name: str, context: Mapping[str, Any] | None = None, *, status: int = 200, **facts: Any
) -> HTMLResponse:
    """Return the page `name` in the language of the request; a language that was asked for is remembered.

    `context` and `facts` are what the template names. The page is never kept by a cache.
    """
    services = services_of(request)
    language = language_of(request)
    shared = {
        "request": request,
        "switch_to": switch_language_address(request, language),
        "form_token": lambda: services.forms.token(request),
        "page_reference": origin_of(request).request_id,
    }
    body = services.templates.render(name, language, {**shared, **(context or {}), **facts})
    response = HTMLResponse(body, status, {"Content-Language": language.value, "Cache-Control": "no-store"})
    if request.query_params.get("lang") == language.value:
        _remember_language(request, response, language)
    services.forms.remember(request, response)
    return response


def _remember_language(request: Request, response: Response, language: Language) -> None:
    """Let the browser keep the chosen language for a year."""
    response.set_cookie(
        LANGUAGE_COOKIE,
        language.value,
        max_age=LANGUAGE_COOKIE_SECONDS,
        secure=services_of(request).settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def switch_language_address(request: Request, language: Language) -> str:
    """Return the address of this same page in the other language."""
    other = Language.en if language is Language.nl else Language.nl
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"{request.url.path}?{urlencode([*kept, ('lang', other.value)])}"


def refusal_page(request: Request, refusal: Refusal) -> HTMLResponse:
    """Return `refusal` as a page for people, with what to do next and a reference."""
    response = render(
        request,
        "pages/refusal.html",
        sentence=sentence_for(request, refusal),
        reference=origin_of(request).request_id,
        status=refusal.status,
    )
    response.headers.update(retry_after(refusal))
    return response


def error_page(request: Request, status: int) -> Response:
    """Return the page of an HTTP error, with a reference (ALL-2); programs get a problem document."""
    reference = origin_of(request).request_id
    if wants_document(request):
        title = HTTPStatus(status).phrase
        content = {"type": "about:blank", "title": title, "status": status, "reference": reference}
        return JSONResponse(content, status, media_type=PROBLEM_TYPE)
    return render(request, "pages/error.html", code=status, reference=reference, status=status)


def wants_document(request: Request) -> bool:
    """Tell whether the caller is a program: it asks for JSON, or the address is made for programs."""
    if request.url.path.startswith(("/desktop/", "/api/")):
        return True
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


async def answer_refusal(request: Request, refusal: Exception) -> Response:
    """Answer a refusal that no handler answered itself; wired as the exception handler in `app.py`."""
    assert isinstance(refusal, Refusal)
    return problem(request, refusal) if wants_document(request) else refusal_page(request, refusal)


@asynccontextmanager
async def work_of(request: Request) -> AsyncIterator[Work]:
    """Open one transaction for this request, for reading and for acts whose refusals need no audit entry."""
    async with services_of(request).database.work(origin_of(request)) as work:
        yield work


def act_of(
    request: Request, *, event: Event, by: Actor, on: Subject, organisation_id: OrganisationId | None = None
) -> AbstractAsyncContextManager[Work]:
    """Open one transaction for an act of this request; a refusal that leaves it is recorded (AUD-1)."""
    return audit.act(
        services_of(request).database,
        origin_of(request),
        event=event,
        by=by,
        on=on,
        organisation_id=organisation_id,
    )
