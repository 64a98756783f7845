"""A process full of browsers that began a login and wait on its page, each with an open event stream."""

import asyncio
import json
import sys
import time
from dataclasses import asdict
from typing import Self

from bench.companion import Companion
from bench.relying_party import Application, Login, Place
from bench.wire import HEAD_ENDS, Line, request

EVENTS = "/oauth/account/login/events"
COOKIE = "__Host-zid-tx"
AT_ONCE = 16


class WaitingRoom(Companion):
    """The process, seen from the one that measures. `cookies` are those of its browsers."""

    def __init__(self, place: Place, application: Application, browsers: int) -> None:
        self._told = {"place": asdict(place), "application": application.told(), "browsers": browsers}

    def __enter__(self) -> Self:
        """Start it, and wait until every browser heard its first event."""
        self.start("bench.waiting_room", self._told)
        self.cookies: list[str] = self.hear()
        return self

    def heard(self, count: int) -> dict[str, float]:
        """Return when which browser heard of its cancelling, once `count` did or after ten seconds."""
        self.say(str(count))
        heard: dict[str, float] = self.hear()
        return heard


class Browser(asyncio.Protocol):
    """One browser on the login page; notes when it hears what."""

    def __init__(self, ask: bytes, first: asyncio.Future[None]) -> None:
        self._ask = ask
        self._first = first
        self.cancelled_at: float | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._ask)

    def data_received(self, data: bytes) -> None:
        """Take events."""
        if self._first.done():
            if b"data: cancelled" in data:
                self.cancelled_at = time.monotonic()
            return
        self._received += data
        head, ends, body = self._received.partition(HEAD_ENDS)
        if not ends:
            return
        if b" 200 " not in head.split(b"\r\n")[0]:
            self._first.set_exception(AssertionError(self._received[:500]))
        elif b"data: new" in body:
            self._first.set_result(None)


async def begin(line: Line, place: Place, login: Login) -> str:
    """Begin a login without a session; return the cookie of its transaction."""
    answer = await line.ask(login.authorize(place))
    for cookie in answer.headers(b"set-cookie"):
        name, _, value = cookie.decode().partition(";")[0].partition("=")
        if name == COOKIE:
            return value
    raise AssertionError((answer.head, answer.body[:300]))


async def serve() -> None:
    """Do what standard input says."""
    told = json.loads(sys.stdin.readline())
    place, application = Place(**told["place"]), Application.from_told(told["application"])
    waiting = iter(range(told["browsers"]))
    browsers: dict[str, Browser] = {}
    loop = asyncio.get_running_loop()

    async def come_in() -> None:
        line = await Line.to(place.port)
        for number in waiting:
            cookie = await begin(line, place, Login(number, application, ""))
            headers = {"Cookie": f"{COOKIE}={cookie}", "Accept": "text/event-stream"}
            first: asyncio.Future[None] = loop.create_future()
            browser = Browser(request("GET", EVENTS, {**place.headers_for(number), **headers}), first)
            await loop.create_connection(lambda browser=browser: browser, "127.0.0.1", place.port)
            await first
            browsers[cookie] = browser
        line.close()

    await asyncio.gather(*(come_in() for _ in range(AT_ONCE)))
    print(json.dumps(list(browsers)), flush=True)
    # standard input is read in a thread, so that events are taken at their moment
    count = int(await asyncio.to_thread(sys.stdin.readline))
    until = time.monotonic() + 10
    # each browser notes its own moment, so that looking now and then is enough
    while time.monotonic() < until and sum(one.cancelled_at is not None for one in browsers.values()) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    heard = {cookie: one.cancelled_at for cookie, one in browsers.items() if one.cancelled_at is not None}
    print(json.dumps(heard), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
