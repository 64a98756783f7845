"""The identity server in a real Chromium, with relying parties on another site."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import BrowserContext, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.interop.oidc.conftest import CLIENTS, Running, register
from tests.oidc_builders import a_client, challenge
from tests.ports import free_port

from zorgid.clients.model import TokenEndpointAuth
from zorgid.storage.database import Origin
from zorgid.web.server import Door, serving

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 120_000
STATE = (
    "CfDJ8CY9cVPPVdpFv3pNBhUSyfQ7ZnZ_Oj9mFh766oRzD_mFlHF9yb9YrQsgHF3T4sj1iaGKhrMFtNZsbfHFjriXQRW5 <\"'&+%>"
)
NONCE = "638975156847216595.NmZjNDk3MjktYmEyMS00ODkwLTg4ZGYtMjE1ZTljNDI3YTY1OWExYjdmOTktNDRiYS00Y2U3"


@dataclass
class RelyingParty:
    """A site on 127.0.0.1, so another site than the identity server on localhost."""

    origin: str
    issuer: str
    received: list[dict[str, str]] = field(default_factory=list)

    def printed_request(self, **changes: str) -> dict[str, str]:
        """Return the request that is printed in the smartcard manual, for this site (LOGIN-1)."""
        return {
            "client_id": "user-management",
            "redirect_uri": f"{self.origin}/portal/signin-oidc",
            "response_type": "code",
            "scope": "openid profile api",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
            "response_mode": "form_post",
            "nonce": NONCE,
            "state": STATE,
            "x-client-SKU": "ID_NET9_0",
            "x-client-ver": "8.7.0.0",
            **changes,
        }

    async def by_get(self, _request: Request) -> Response:
        return RedirectResponse(f"{self.issuer}/connect/authorize?{urlencode(self.printed_request())}", 302)

    async def by_login_link(self, _request: Request) -> Response:
        """Go where the printed link goes: the login page with the request in `ReturnUrl`."""
        inner = f"/oauth/connect/authorize?{urlencode(self.printed_request())}"
        return RedirectResponse(f"{self.issuer}/account/login?{urlencode({'ReturnUrl': inner})}", 302)

    async def by_post(self, _request: Request) -> Response:
        from html import escape

        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in self.printed_request().items()
        )
        action = f"{self.issuer}/connect/authorize"
        return HTMLResponse(f'<form method="post" action="{action}">{fields}<button>Go</button></form>')

    async def callback(self, request: Request) -> Response:
        self.received.append({name: str(value) for name, value in (await request.form()).items()})
        return RedirectResponse("/portal", 303)

    async def landing(self, _request: Request) -> Response:
        return HTMLResponse("<h1>Landed</h1>")

    async def nothing(self, _request: Request) -> Response:
        return Response(status_code=204)

    async def spa(self, _request: Request) -> Response:
        return HTMLResponse("<!doctype html><h1>SPA</h1><script src='/library.js'></script>")

    async def library(self, _request: Request) -> Response:
        return FileResponse(CLIENTS / "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.js")

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/get", self.by_get),
                Route("/link", self.by_login_link),
                Route("/post", self.by_post),
                Route("/portal/signin-oidc", self.callback, methods=["POST"]),
                Route("/portal", self.landing),
                Route("/favicon.ico", self.nothing),
                Route("/spa", self.spa),
                Route("/library.js", self.library),
            ]
        )


@pytest.fixture
async def relying_party(running: Running, origin: Origin) -> AsyncIterator[RelyingParty]:
    port = free_port()
    party = RelyingParty(f"http://127.0.0.1:{port}", running.issuer)
    await register(
        running,
        origin,
        id="user-management",
        is_portal=True,
        scopes=frozenset({"openid", "profile", "api"}),
        redirect_uris=(f"{party.origin}/portal/signin-oidc",),
    )
    async with serving(Door(party.application(), "127.0.0.1", port), stop_within_seconds=5):
        yield party


@contextlib.asynccontextmanager
async def chromium(running: Running, **options: bool) -> AsyncIterator[BrowserContext]:
    """Open a browser in which the person is logged in at the identity server."""
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=arguments, timeout=PATIENCE_MS
        )
        context = await browser.new_context(locale="nl-NL", **options)
        context.set_default_timeout(PATIENCE_MS)
        name, _, value = running.cookie.partition("=")
        cookie = {"name": name, "value": value, "url": running.origin, "httpOnly": True, "sameSite": "Lax"}
        await context.add_cookies([cookie])
        yield context
        await browser.close()


def assert_came_back(party: RelyingParty) -> None:
    (answer,) = party.received
    assert answer["state"] == STATE
    assert answer["iss"] == party.issuer
    assert len(answer["code"]) == 43


@pytest.mark.parametrize("way", ["get", "link"])
async def test_the_printed_request_comes_back_by_form_on_another_site(
    running: Running, relying_party: RelyingParty, way: str
) -> None:
    """LOGIN-1: the page posts itself, under a policy that Chromium holds it to."""
    async with chromium(running) as context:
        page = await context.new_page()
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        await page.goto(f"{relying_party.origin}/{way}")
        await page.wait_for_url(f"{relying_party.origin}/portal")
    assert_came_back(relying_party)
    assert complaints == []


async def test_a_request_posted_from_another_site_finds_the_session(
    running: Running, relying_party: RelyingParty
) -> None:
    """RFC 6265bis, 4.1.2.7: the post comes without our cookies, the GET that follows comes with them."""
    async with chromium(running) as context:
        page = await context.new_page()
        await page.goto(f"{relying_party.origin}/post")
        await page.click("button")
        await page.wait_for_url(f"{relying_party.origin}/portal")
    assert_came_back(relying_party)


async def test_without_script_the_button_brings_the_answer(
    running: Running, relying_party: RelyingParty
) -> None:
    async with chromium(running, java_script_enabled=False) as context:
        page = await context.new_page()
        await page.goto(f"{relying_party.origin}/get")
        assert relying_party.received == []
        await page.get_by_role("button", name="Verder").click()
        await page.wait_for_url(f"{relying_party.origin}/portal")
    assert_came_back(relying_party)


LOG_IN = """(facts) => {
    const manager = new oidc.UserManager({ ...facts.settings, userStore: new oidc.WebStorageStateStore({ store: sessionStorage }) })
    setTimeout(() => manager.signinRedirect({ nonce: facts.nonce, state: { kept: 'here' } }))
}"""

COME_BACK = """async (facts) => {
    const manager = new oidc.UserManager({ ...facts.settings, userStore: new oidc.WebStorageStateStore({ store: sessionStorage }) })
    const user = await manager.signinRedirectCallback()
    return { profile: user.profile, state: user.state, scope: user.scope }
}"""


async def test_a_public_client_in_the_browser_logs_in_over_cors(
    running: Running, origin: Origin, relying_party: RelyingParty, node_clients: Callable
) -> None:
    """oidc-client-ts in Chromium: discovery, token and userinfo by fetch from another origin."""
    assert node_clients
    redirect = f"{relying_party.origin}/spa"
    client = a_client(id="spa", token_endpoint_auth=TokenEndpointAuth.none, redirect_uris=(redirect,))
    await register(
        running,
        origin,
        id="spa",
        token_endpoint_auth=client.token_endpoint_auth,
        jwks={"keys": []},
        redirect_uris=(redirect,),
    )
    settings = {
        "authority": running.issuer,
        "client_id": "spa",
        "redirect_uri": redirect,
        "scope": "openid",
        "loadUserInfo": True,
    }
    async with chromium(running) as context:
        page = await context.new_page()
        await page.goto(redirect)
        async with page.expect_navigation(url="**/spa?code=*"):
            await page.evaluate(LOG_IN, {"settings": settings, "nonce": NONCE})
        user = await page.evaluate(COME_BACK, {"settings": settings})
    assert user["profile"]["urn:zorgid:uzi_number"] == "900012345"
    assert user["profile"]["name"] == "A.B. de Vries-Öztürk"
    assert user["state"] == {"kept": "here"}
