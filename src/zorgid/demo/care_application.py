"""A demo care application: a foreign client (Authlib) with a list of mandates keyed by UZI number.

It lives on another site than the platform (127.0.0.1 beside localhost) and knows ZORG-ID by OpenID Connect
only. Answers come by `form_post`; that post crosses sites, so it arrives without cookies and is followed by a
navigation that has them. Logging out ends the session here, and then the one at ZORG-ID.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from secrets import compare_digest
from typing import Any, Final
from urllib.parse import urlsplit

from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from zorgid.clients.model import Client, ClientId, Profile, SigningAlgorithm, TokenEndpointAuth
from zorgid.kernel.randomness import RandomSource, base64url
from zorgid.kernel.sentences import Language
from zorgid.web.edge import language_of
from zorgid.web.errors import BodyTooLarge
from zorgid.web.middleware import Bounded
from zorgid.web.templates import Templates, TextFolder

CLIENT_ID: Final = "demo-his"
NAME: Final = "Demo-HIS"
KEY_ID: Final = "demo-his-1"
COOKIE: Final = "demo-his"

LARGEST_BODY_BYTES: Final = 64 * 1024
MOST_ANSWERS: Final = 1000
"""Answers that wait for their navigation. Anybody may post one, and this is a process of the platform too."""

LEAVING_SECONDS: Final = 60.0
"""How long a second log-out of one login, as by a double click, gets the way to ZORG-ID once more."""

UZI_NUMBER: Final = "urn:zorgid:uzi_number"
"""The claim that mandates are kept by: it is the same on the UZI card and on the Smartcard (CARD-5)."""
UZI_NUMBER_DIGITS: Final = 9

LOGGED_OUT: Final = "/logged-out"
"""Where ZORG-ID sends the browser back to after logging out."""

NO_STORE: Final = {"Cache-Control": "no-store"}


class Ended(StrEnum):
    """What is known to have ended when somebody logged out."""

    here = "here"
    """The session of this application; ZORG-ID has not said anything of its own."""
    both = "both"
    """The session at ZORG-ID too that this login stood on; not that of anybody who logged in there since."""


@dataclass(frozen=True)
class Visit:
    """Somebody who is logged in here, with what ends the session at ZORG-ID that this login stands on."""

    claims: Mapping[str, Any]
    id_token: str = field(repr=False)
    ends_at: str
    """The end_session_endpoint; kept, so that nothing has to be fetched to log out."""


@dataclass(frozen=True)
class Leaving:
    """Somebody who just logged out here, and the mark of that log-out."""

    visit: Visit
    state: str


@dataclass
class CareApplication:
    """The application with its memory: who is logged in, answers under way, mandates. Gone at a restart."""

    issuer: str
    origin: str
    key: ECKey
    random: RandomSource
    workplace: str = ""
    """Where the virtual workplace is, for who must take the card out there."""
    mandates: dict[str, str] = field(default_factory=dict)
    """UZI number of the employee, and the name of the professional who gave the mandate."""
    visits: dict[str, Visit] = field(default_factory=dict)
    leaving: dict[str, Leaving] = field(default_factory=dict)
    answers: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def create(
        cls, *, issuer: str, origin: str, random: RandomSource, workplace: str = ""
    ) -> "CareApplication":
        """Return the application with a fresh key, which the platform is told at registration."""
        key = ECKey.generate_key("P-256", {"use": "sig", "kid": KEY_ID, "alg": "ES256"}, private=True)
        return cls(issuer, origin, key, random, workplace)

    def registration(self) -> Client:
        """Return what the platform registers of this client."""
        return Client(
            id=ClientId(CLIENT_ID),
            name=NAME,
            profile=Profile.nlgov,
            redirect_uris=(f"{self.origin}/callback",),
            post_logout_redirect_uris=(f"{self.origin}{LOGGED_OUT}",),
            jwks={"keys": [self.key.as_dict(private=False)]},
            token_endpoint_auth=TokenEndpointAuth.private_key_jwt,
            scopes=frozenset({"openid", "profile"}),
            sector=urlsplit(self.origin).hostname or "",
            default_acr=None,
            signing_algorithm=SigningAlgorithm.ES256,
            is_portal=False,
        )

    def app(self) -> Starlette:
        """Return the application as it is served."""
        routes = [
            Route("/", self.front),
            Route("/login", self.begin),
            Route("/callback", self.take_answer, methods=["POST"]),
            Route("/callback/continue", self.finish),
            Route("/mandates", self.give_mandate, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route(LOGGED_OUT, self.logged_out),
        ]
        secret = base64url(self.random(32))
        sessions = Middleware(
            SessionMiddleware,
            secret_key=secret,
            session_cookie=COOKIE,
            same_site="lax",
            https_only=self.origin.startswith("https://"),
        )
        bounds = Middleware(Bounded, largest_bytes=LARGEST_BODY_BYTES)
        return Starlette(
            routes=routes, middleware=[bounds, sessions], exception_handlers={BodyTooLarge: _too_large}
        )

    def _client(self) -> StarletteOAuth2App:
        registry = OAuth()
        signer = PrivateKeyJWT(f"{self.issuer}/connect/token", headers={"kid": KEY_ID}, alg="ES256")
        client: StarletteOAuth2App = registry.register(
            "zorgid",
            client_id=CLIENT_ID,
            client_secret=self.key,
            server_metadata_url=f"{self.issuer}/.well-known/openid-configuration",
            client_auth_methods=[signer],
            client_kwargs={
                "scope": "openid profile",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": PrivateKeyJWT.name,
                "trust_env": False,
            },
        )
        return client

    async def front(self, request: Request) -> Response:
        """Show who is logged in and what this person may see; else what the last log-out ended."""
        visit = self._visit(request)
        if visit is None:
            pending = Ended.here if "ending" in request.session else None
            return self._page(request, ended=request.session.pop("ended", pending))
        gave = request.session.pop("gave", None)
        return self._page(request, claims=visit.claims, gave=gave)

    def _visit(self, request: Request) -> Visit | None:
        return self.visits.get(request.session.get("visit", ""))

    async def begin(self, request: Request) -> Response:
        """Send the browser to ZORG-ID; always with a fresh proof, since workstations are shared."""
        response: Response = await self._client().authorize_redirect(
            request, f"{self.origin}/callback", response_mode="form_post", prompt="login"
        )
        return response

    async def take_answer(self, request: Request) -> Response:
        """Keep the posted answer for a moment; the navigation that follows brings this site's cookies."""
        form = await request.form()
        reference = base64url(self.random(16))
        while len(self.answers) >= MOST_ANSWERS:
            del self.answers[next(iter(self.answers))]
        self.answers[reference] = {name: str(value) for name, value in form.items()}
        return RedirectResponse(f"/callback/continue?answer={reference}", 303)

    async def finish(self, request: Request) -> Response:
        """Redeem the code, check the ID token, ask userinfo; then this person is logged in here."""
        answer = dict(self.answers.pop(request.query_params.get("answer", ""), {}))
        if "error" in answer or "code" not in answer:
            return self._page(request, error=answer.get("error", "state"))
        client = self._client()
        state = await client.framework.get_state_data(request.session, answer.get("state"))
        if state is None or answer.get("iss") != self.issuer:
            return self._page(request, error="state")
        token = await client.fetch_access_token(
            code=answer["code"], redirect_uri=state["redirect_uri"], code_verifier=state["code_verifier"]
        )
        id_token = await client.parse_id_token(token, nonce=state["nonce"])
        userinfo = await client.userinfo(token=token)
        visit = base64url(self.random(16))
        server = await client.load_server_metadata()
        self.visits[visit] = Visit(
            {**id_token, **userinfo}, token["id_token"], server["end_session_endpoint"]
        )
        request.session.clear()
        request.session["visit"] = visit
        return RedirectResponse("/", 303)

    async def give_mandate(self, request: Request) -> Response:
        """Let the person who is logged in give a mandate to the holder of a UZI number."""
        visit, form = self._visit(request), await request.form()
        if visit is None:
            return RedirectResponse("/", 303)
        number = str(form.get("uzi_number", "")).strip()
        if not (number.isascii() and number.isdigit() and len(number) == UZI_NUMBER_DIGITS):
            return self._page(request, claims=visit.claims, wrong_number=number)
        self.mandates[number] = str(visit.claims["name"])
        request.session["gave"] = number
        return RedirectResponse("/", 303)

    async def log_out(self, request: Request) -> Response:
        """End the session here, first and in any case; then let the browser end the one at ZORG-ID.

        The next person at this desk must not open the portal with it. The ID token goes by form: in an
        address it would end up in logs. Source: OpenID Connect RP-Initiated Logout 1.0, section 2.
        """
        named = request.session.get("visit")
        leaving = self._leave(named) if named else None
        request.session.clear()
        if leaving is None:
            if named:
                request.session["ended"] = Ended.here
            return RedirectResponse("/", 303)
        request.session["ending"] = leaving.state
        fields = {
            "id_token_hint": leaving.visit.id_token,
            "post_logout_redirect_uri": f"{self.origin}{LOGGED_OUT}",
            "state": leaving.state,
        }
        facts = {"title": NAME, "address": leaving.visit.ends_at, "fields": fields}
        page = _templates().render("demo/care_logout.html", language_of(request), facts)
        return HTMLResponse(page, 200, NO_STORE)

    def _leave(self, named: str) -> Leaving | None:
        """End a visit here. A second click finds the log-out of the first one, whose page went unseen."""
        visit = self.visits.pop(named, None)
        if visit is not None:
            while len(self.leaving) >= MOST_ANSWERS:
                del self.leaving[next(iter(self.leaving))]
            self.leaving[named] = Leaving(visit, base64url(self.random(16)))
            asyncio.get_running_loop().call_later(LEAVING_SECONDS, self.leaving.pop, named, None)
        return self.leaving.get(named)

    async def logged_out(self, request: Request) -> Response:
        """Take the browser back; only the state of this very log-out says what ended at ZORG-ID."""
        expected, given = request.session.get("ending", ""), request.query_params.get("state", "")
        if expected and compare_digest(expected.encode(), given.encode()):
            del request.session["ending"]
            request.session["ended"] = Ended.both
        return RedirectResponse("/", 303)

    def _page(self, request: Request, *, error: str | None = None, **shown: Any) -> Response:
        """Show the one page there is; `error` is a code of the identity server (RFC 6749, 4.1.2.1)."""
        facts = {
            "title": NAME,
            "mandates": self.mandates,
            "number": UZI_NUMBER,
            "workplace": self.workplace,
            "error": error,
            **dict.fromkeys(("claims", "ended", "gave", "wrong_number")),
            **shown,
        }
        page = _templates().render("demo/care.html", language_of(request), facts)
        return HTMLResponse(page, 403 if error else 200, NO_STORE)


async def _too_large(_: Request, error: Exception) -> Response:
    """Answer a body that no identity server of ours sends."""
    assert isinstance(error, BodyTooLarge)
    return HTMLResponse("", error.status)


def refused_sentence(error: str, language: Language) -> str:
    """Return what the application says for an error of the identity server."""
    return _templates().render("demo/care_refused.html", language, {"error": error}).strip()


@cache
def _templates() -> Templates:
    return Templates.load((TextFolder("zorgid.demo"),))
