"""The pages of the virtual workplace: every address, and what it shows."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from zorgid.demo.card_numbers import CardNumbers
from zorgid.demo.folder import line_for_empty_demo
from zorgid.demo.uzi_register.register import Register
from zorgid.demo.workplace.answers import AtHand, DateToCheck, FormLacks, answer_of, as_asked
from zorgid.demo.workplace.desk import Desk
from zorgid.demo.workplace.desks import Desks
from zorgid.demo.workplace.errors import DeskUnknown, LinkForElsewhere
from zorgid.demo.workplace.showing import facts_of, words_for
from zorgid.demo.workplace.tray import TrayCard, cards_in
from zorgid.kernel.secrets import Secret
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import LaunchLink, parse_link
from zorgid.web.edge import LANGUAGES, language_of, render
from zorgid.web.limits import BEGIN_PER_ADDRESS
from zorgid.web.policy import content_policy
from zorgid.web.services import services_of
from zorgid_desktop.flow.asking import AskBirthDate

COOKIE: Final = "zid-desk"
SETTLED_WITHIN_SECONDS: Final = 4.0
"""How long a post waits for the app's next question, so that the next page mostly is the next step."""
HEARTBEAT_SECONDS: Final = 15.0
MOST_FIELDS_OF_LINK: Final = 5


def cookie_name(*, is_secure: bool) -> str:
    """Return the name of the desk's cookie as this environment writes it."""
    return f"__Host-{COOKIE}" if is_secure else COOKIE


@dataclass(frozen=True)
class Pages:
    """The handlers, with the desks and what the demo's people are known by."""

    desks: Desks
    register: Register
    numbers: CardNumbers
    links: Mapping[str, str]
    """Where to begin: addresses of the platform and of the care application, by name."""

    def routes(self) -> list[BaseRoute]:
        """Return the addresses of the workplace."""
        return [
            Route("/", self.desk_page, methods=["GET"]),
            Route("/desk", self.open_desk, methods=["POST"]),
            Route("/open", self.take_link, methods=["POST"]),
            Route("/arrived/{ticket}", self.arrive, methods=["GET"]),
            Route("/switch", self.switch, methods=["POST"]),
            Route("/reader", self.move_card, methods=["POST"]),
            Route("/answer", self.answer, methods=["POST"]),
            Route("/close", self.close_app, methods=["POST"]),
            Route("/events", self.events, methods=["GET"]),
        ]

    async def desk_page(self, request: Request) -> Response:
        """Show the desk, or how to get one."""
        try:
            desk = self._desk(request)
        except DeskUnknown:
            return render(request, "workplace/welcome.html", links=self.links)
        return await self._show(request, desk)

    async def open_desk(self, request: Request) -> Response:
        """Give this browser a desk, unless it has one."""
        await services_of(request).forms.read(request)
        await services_of(request).limits.take(request, BEGIN_PER_ADDRESS)
        response = _to_desk()
        await self._require_desk(request, response)
        return response

    async def take_link(self, request: Request) -> Response:
        """Take a launch link that a login page posts, as a computer takes one from a browser.

        Any page may post one, so nothing happens yet, and no cookie is needed: the desk's comes with the
        navigation that follows. The link stands in no address.

        Raises:
            LinkMalformed, LinkForElsewhere: it cannot be opened here.
        """
        await services_of(request).limits.take(request, BEGIN_PER_ADDRESS)
        form = await request.form(max_files=0, max_fields=MOST_FIELDS_OF_LINK)
        link = self._own_link(request, _fields(form).get("link", ""))
        ticket = self.desks.keep_arrival(link)
        return RedirectResponse(f"/arrived/{ticket}{_asked_for(_fields(form).get('lang'))}", 303)

    async def arrive(self, request: Request) -> Response:
        """Open the app with the link of a ticket, at this browser's desk or at a new one.

        An app that is at something is not broken off without asking.
        """
        link = self.desks.take_arrival(request.path_params["ticket"])
        response = _to_desk(request)
        if link is None:
            return response
        desk = await self._require_desk(request, response)
        if desk.is_busy and desk.run and desk.run.link.handle != link.handle:
            desk.waiting = link
        elif not desk.is_busy:
            desk.begin(link, language_of(request))
            await self._settle(desk)
        return response

    async def switch(self, request: Request) -> Response:
        """Go on with the link that arrived last, or stay with what the app is at."""
        desk, fields = await self._posted(request)
        link, desk.waiting = desk.waiting, None
        if link and fields.get("do") == "new":
            desk.begin(link, language_of(request))
        return await self._settled(desk)

    async def move_card(self, request: Request) -> Response:
        """Put a card in the reader, or take it out."""
        desk, fields = await self._posted(request)
        name = fields.get("card", "")
        if name in desk.reader.cards:
            await self._free_reader(desk)
            desk.insert(name)
        elif fields.get("do") == "go-on" and desk.reader.has_card():
            desk.go_on()
        elif fields.get("do") == "out":
            desk.take_out()
        return await self._settled(desk)

    async def _free_reader(self, desk: Desk) -> None:
        """Take the card out, and let the watcher of an older session see that before another one comes in."""
        desk.take_out()
        await self._until(desk, lambda: not desk.is_watched)

    async def answer(self, request: Request) -> Response:
        """Give the app the answer to its question; one that it asks no more is let go."""
        desk, fields = await self._posted(request)
        asked, run = desk.asked, desk.run
        if asked is None or run is None or fields.get("question") != desk.question_mark:
            return _to_desk()
        if fields.get("do") == "cancel":
            run.face.cancel(asked.number)
            return await self._settled(desk)
        try:
            answer = answer_of(asked.question, fields, self._at_hand(desk, await self._cards(desk)))
        except FormLacks as lacks:
            return await self._show(request, desk, wrong=lacks.what)
        except DateToCheck as to_check:
            return await self._show(request, desk, day_to_check=to_check.day)
        if isinstance(asked.question, AskBirthDate):
            run.birth_dates.add(answer)
        run.face.answer(asked.number, answer)
        return await self._settled(desk)

    async def close_app(self, request: Request) -> Response:
        """Close the app that has ended."""
        desk, _ = await self._posted(request)
        desk.put_away()
        return _to_desk()

    async def events(self, request: Request) -> Response:
        """Tell once that the desk looks different from what the page shows."""
        desk = self._desk(request)
        shown = request.query_params.get("shown", "")
        return StreamingResponse(
            self._changes(desk, shown),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _changes(self, desk: Desk, shown: str) -> AsyncIterator[str]:
        with self.desks.watch.expect(desk.id) as expected:
            while desk.appearance == shown:
                if not await expected.wait(seconds=HEARTBEAT_SECONDS):
                    yield ": alive\n\n"
        yield "event: changed\ndata: now\n\n"

    def _desk(self, request: HTTPConnection) -> Desk:
        text = request.cookies.get(cookie_name(is_secure=services_of(request).settings.is_secure))
        try:
            return self.desks.of(Secret.from_text(text) if text else None)
        except ValueError:
            raise DeskUnknown from None

    async def _require_desk(self, request: Request, response: Response) -> Desk:
        """Return the desk of this browser; a new one is remembered by the response."""
        try:
            return self._desk(request)
        except DeskUnknown:
            pass
        desk, cookie = await self.desks.open()
        is_secure = services_of(request).settings.is_secure
        response.set_cookie(
            cookie_name(is_secure=is_secure),
            cookie.text_for_wire(),
            path="/",
            secure=is_secure,
            httponly=True,
            samesite="lax",
        )
        return desk

    async def _posted(self, request: Request) -> tuple[Desk, Mapping[str, str]]:
        """Return the desk and the fields of one of its own forms. Raises `DeskUnknown`, `FormNotOurs`."""
        desk = self._desk(request)
        return desk, _fields(await services_of(request).forms.read(request))

    def _own_link(self, request: Request, text: str) -> LaunchLink:
        link = parse_link(text)
        if link.environment != services_of(request).settings.environment:
            raise LinkForElsewhere
        return link

    async def _settled(self, desk: Desk) -> Response:
        await self._settle(desk)
        return _to_desk()

    async def _settle(self, desk: Desk) -> None:
        """Wait a moment until it is the person's turn again."""
        await self._until(desk, lambda: desk.is_settled)

    async def _until(self, desk: Desk, is_so: Callable[[], bool]) -> None:
        """Wait until something is so of a desk, but no longer than a person waits for a page."""
        until = time.monotonic() + SETTLED_WITHIN_SECONDS
        with self.desks.watch.expect(desk.id) as expected:
            while not is_so() and (left := until - time.monotonic()) > 0:
                await expected.wait(seconds=left)

    async def _cards(self, desk: Desk) -> list[TrayCard]:
        cards = await asyncio.to_thread(cards_in, desk.reader, self.register)
        numbers = await self.numbers.of(card.chip_serial for card in cards if card.chip_serial)
        return [replace(card, number=numbers.get(card.chip_serial or "")) for card in cards]

    def _at_hand(self, desk: Desk, cards: Iterable[TrayCard]) -> AtHand:
        """Return the test data that belong to the card in the reader, and to the person who is asked."""
        in_reader = next((card for card in cards if card.name == desk.reader.inserted), None)
        question = desk.asked.question if desk.asked else None
        name = question.full_name if isinstance(question, AskBirthDate) else None
        people = (card.person for card in self.register.cards)
        born_on = next((one.born_on for one in people if one.names.full_name == name), None)
        is_refused = born_on is not None and desk.run and as_asked(born_on) in desk.run.birth_dates
        return AtHand(in_reader, None if is_refused else born_on)

    async def _show(self, request: Request, desk: Desk, **more: Any) -> Response:
        """Return the desk as it looks now."""
        language = language_of(request)
        cards = await self._cards(desk)
        facts = {
            **facts_of(desk, cards),
            "links": self.links,
            "at_hand": self._at_hand(desk, cards),
            "anew": line_for_empty_demo(services_of(request).settings),
            "said": words_for(language),
            "wrong": None,
            "day_to_check": None,
            "leads_on_by_itself": desk.leads_on(),
            "switch_to": f"/?lang={'en' if language is Language.nl else 'nl'}",
            **more,
        }
        response = render(request, "workplace/desk.html", facts)
        response.headers["content-security-policy"] = content_policy(may_connect=True)
        return response


def _to_desk(request: Request | None = None) -> Response:
    return RedirectResponse(f"/{_asked_for(request.query_params.get('lang') if request else None)}", 303)


def _asked_for(language: str | None) -> str:
    """Return the query that keeps the language that was asked for, over what the browser prefers."""
    return f"?lang={language}" if language in LANGUAGES else ""


def _fields(form: FormData) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}
