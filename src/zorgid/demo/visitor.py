"""A browser without a screen, for the demo: keeps cookies, follows redirects, fills in forms."""

from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Final, Self
from urllib.parse import urljoin, urlsplit

import httpx

SENDS_ITSELF: Final = frozenset({"code", "error", "id_token_hint"})
"""What forms hold that a page's script sends by itself: an answer by form_post, a wish to log out."""


class WalkStopped(Exception):
    """A page was not what the walk expected; says which."""


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes and what it holds."""

    action: str
    fields: dict[str, str]


class PageReader(HTMLParser):
    """Collects links, forms and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a link, a form or a field."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), {}))
        if tag == "input" and self.forms and "name" in given:
            is_unchecked = given.get("type") == "radio" and "checked" not in given
            if not is_unchecked:
                self.forms[-1].fields[given["name"]] = given.get("value", "")
        if tag in {"script", "style"}:
            self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        """Leave a part whose text is not shown."""
        if tag in {"script", "style"}:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        """Take note of text that is shown."""
        if not self._hidden and data.strip():
            self.words.append(data.strip())


@dataclass(frozen=True)
class Page:
    """A page as the visitor sees it."""

    address: str
    status: int
    links: list[str]
    forms: list[Form]
    text: str
    code: str = ""
    """The code of a refusal: of the platform, or the OAuth error that a form_post page brought here."""

    @property
    def launch_link(self) -> str:
        """The link on it that starts the Desktop App. Raises `WalkStopped` when there is none."""
        found = [link for link in self.links if link.startswith("zorg-id:")]
        if not found:
            raise WalkStopped(f"no link to the app at {urlsplit(self.address).path}: {self.text[:300]}")
        return found[0]

    def form(self, action: str) -> Form:
        """Return the form that goes to an address ending so. Raises `WalkStopped` when there is none."""
        for form in self.forms:
            if urlsplit(form.action).path.endswith(action):
                return form
        raise WalkStopped(f"no form to {action} at {urlsplit(self.address).path}: {self.text[:300]}")


class Visitor:
    """One browser. Use it as an async context manager."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(
            follow_redirects=True, trust_env=False, timeout=60, headers={"Accept-Language": "nl"}
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._client.aclose()

    async def open(self, address: str) -> Page:
        """Go to an address, through redirects and pages that post themselves on."""
        return await self._go_on(await self._client.get(address))

    async def first_redirect(self, address: str) -> str:
        """Return where an address sends the browser, without going there."""
        response = await self._client.get(address, follow_redirects=False)
        return response.headers["location"]

    async def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in the form that goes to `action` and send it."""
        form = page.form(action)
        address = urljoin(page.address, form.action)
        return await self._go_on(await self._post(page.address, address, {**form.fields, **fields}))

    async def _post(self, page: str, address: str, fields: dict[str, str]) -> httpx.Response:
        here, there = origin_of(page), origin_of(address)
        headers = {"Origin": here, "Sec-Fetch-Site": "same-origin" if here == there else "cross-site"}
        return await self._client.post(address, data=fields, headers=headers)

    async def complete(self, address: str) -> Page:
        """Do what the completion page's script does: post handle and code, then go on."""
        origin = origin_of(address)
        handle, _, code = urlsplit(address).fragment.partition(".")
        answer = await self._client.post(
            f"{origin}/oauth/complete",
            json={"handle": handle, "code": code},
            headers={"Origin": origin, "Sec-Fetch-Site": "same-origin", "Accept": "application/json"},
        )
        if answer.is_error:
            problem = answer.json()
            return Page(
                address.partition("#")[0], answer.status_code, [], [], problem["detail"], problem["code"]
            )
        return await self.open(urljoin(origin, answer.json()["next"]))

    async def _go_on(self, response: httpx.Response) -> Page:
        page = _page(response)
        for form in page.forms:
            if SENDS_ITSELF & form.fields.keys():
                landed = await self._go_on(await self._post(page.address, form.action, form.fields))
                return replace(landed, code=form.fields.get("error", ""))
        return page


def origin_of(address: str) -> str:
    """Return scheme://host[:port] of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _page(response: httpx.Response) -> Page:
    reader = PageReader()
    reader.feed(response.text)
    return Page(str(response.url), response.status_code, reader.links, reader.forms, " ".join(reader.words))
