"""A process that plays many care applications at once: prepares, waits for the word, runs, tells what it saw.

It spends a fraction of what the servers spend for the same request; how much is told with the findings.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Self

from bench.companion import Companion
from bench.relying_party import Application, Login, Place, log_in
from bench.wire import Line

REPLAYS = 50
RACES = 50
"""Pairs of requests that arrive together and of which one must lose, in each of two ways."""

Errand = Callable[[Line, Login], Awaitable[Any]]


class Generator(Companion):
    """The process, seen from the one that measures."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job

    def __enter__(self) -> Self:
        """Start it, and wait until everything is prepared."""
        self.start("bench.generator", self._job)
        self._answer("ready")
        return self

    def run(self) -> dict[str, Any]:
        """Let it run and return what it saw while it did."""
        self.say("go")
        return self._answer("found")

    def attack(self) -> dict[str, Any]:
        """Let it try what must be refused and return what came of it."""
        self.say("attack")
        return self._answer("found")

    def _answer(self, word: str) -> dict[str, Any]:
        told: dict[str, Any] = self.hear()[word]
        return told


def job(
    place: Place,
    applications: list[Application],
    cookies: list[str],
    *,
    what: str,
    count: int,
    connections: int,
) -> dict[str, Any]:
    """Return what a generator is told."""
    return {
        "place": asdict(place),
        "applications": [one.told() for one in applications],
        "cookies": cookies,
        "what": what,
        "count": count,
        "connections": connections,
    }


class Load:
    """The process, seen from within."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.place = Place(**told["place"])
        self.applications = [Application.from_told(one) for one in told["applications"]]
        self.cookies = told["cookies"]
        self.what = told["what"]
        self.count = told["count"]
        self.connections = told["connections"]
        self.lines: list[Line] = []
        self.done: list[Login] = []
        self.spare: list[Login] = []

    def logins(self, count: int, first: int = 0) -> list[Login]:
        """Return logins to come, spread over clients and people."""
        return [
            Login(
                number,
                self.applications[number % len(self.applications)],
                self.cookies[number % len(self.cookies)],
            )
            for number in range(first, first + count)
        ]

    async def prepare(self) -> None:
        """Open the connections, and make everything that is not to be measured."""
        self.lines = [await Line.to(self.place.port) for _ in range(self.connections)]
        self.done = self.logins(self.count)
        self.spare = self.logins(REPLAYS + 3 * RACES, self.count)
        if self.what == "token":
            await self.each(self.done, self.fetch_code)
        for login in (*self.done, *self.spare):
            login.sign(self.place)

    async def fetch_code(self, line: Line, login: Login) -> None:
        """Let somebody who has a session get a code."""
        login.take_code(await line.ask(login.authorize(self.place)))

    async def redeem(self, line: Line, login: Login) -> dict[str, Any]:
        """Exchange a code."""
        return login.tokens(await line.ask(login.token(self.place)))

    async def walk(self, line: Line, login: Login) -> dict[str, Any]:
        """Walk a whole login."""
        return await log_in(line, self.place, login)

    async def each(self, logins: list[Login], errand: Errand) -> tuple[list[Any], list[float]]:
        """Run an errand for each login over all connections; return the results and the seconds of each."""
        waiting = iter(logins)
        results: list[Any] = []
        times: list[float] = []

        async def serve(line: Line) -> None:
            for login in waiting:
                begun = time.perf_counter()
                results.append(await errand(line, login))
                times.append(time.perf_counter() - begun)

        await asyncio.gather(*(serve(line) for line in self.lines))
        return results, sorted(times)

    async def run(self) -> dict[str, Any]:
        """Run what is measured."""
        errand: Errand = self.redeem if self.what == "token" else self.walk
        cpu, begun = _cpu(), time.perf_counter()
        tokens, times = await self.each(self.done, errand)
        seconds = time.perf_counter() - begun
        return {
            "answers": len(tokens),
            "seconds": seconds,
            "half_ms": times[len(times) // 2] * 1000,
            "most_ms": times[len(times) * 99 // 100] * 1000,
            "distinct_tokens": len({one["access_token"] for one in tokens}),
            "access_tokens": [one["access_token"] for one in tokens],
            "id_tokens": [one["id_token"] for one in tokens[:20]],
            "generator_cpu_s": _cpu() - cpu,
        }

    async def attack(self) -> dict[str, Any]:
        """Try what must be refused: what was used already, and two at once of which one must lose."""
        await self.each(self.spare, self.fetch_code)
        fresh, once, other, more = (self.spare[i * RACES : (i + 1) * RACES] for i in range(4))
        again = [await self.status(self.lines[0], login) for login in self.done[:REPLAYS]]
        for login, used in zip(fresh, self.done[REPLAYS:], strict=False):
            # a fresh code, but the assertion of a login that is over
            login.assertion, login.application = used.assertion, used.application
        replayed = [await self.status(self.lines[1], login) for login in fresh]
        codes = await self.races([(login, _with(login, self.place)) for login in once])
        assertions = await self.races(
            [(one, _with(two, self.place, one)) for one, two in zip(other, more, strict=True)]
        )
        return {
            "codes_again": Counter(again),
            "assertions_again": Counter(replayed),
            "two_with_one_code": Counter(pair.count(HTTPStatus.OK) for pair in codes),
            "two_with_one_assertion": Counter(pair.count(HTTPStatus.OK) for pair in assertions),
        }

    async def races(self, pairs: list[tuple[Login, Login]]) -> list[list[int]]:
        """Send the two requests of each pair at once, over all connections; return both statuses of each.

        So many pairs run beside each other that those who share a commit share it with other pairs as well.
        """
        beside = len(self.lines) // 2
        found: list[list[int]] = []
        for first in range(0, len(pairs), beside):
            some = enumerate(pairs[first : first + beside])
            found += await asyncio.gather(*(self.race(place, pair) for place, pair in some))
        return found

    async def race(self, place: int, pair: tuple[Login, Login]) -> list[int]:
        """Send two token requests at once, over the connections at a place; return both statuses."""
        lines = self.lines[2 * place : 2 * place + 2]
        return await asyncio.gather(
            *(self.status(line, login) for line, login in zip(lines, pair, strict=True))
        )

    async def status(self, line: Line, login: Login) -> int:
        """Send a token request and return the status of its answer."""
        return (await line.ask(login.token(self.place))).status


def _with(login: Login, place: Place, assertion_of: Login | None = None) -> Login:
    """Return the same login with a fresh assertion, or that of another login of the same client."""
    twin = Login(
        login.number, login.application, login.cookie, login.verifier, nonce=login.nonce, code=login.code
    )
    if assertion_of is None:
        twin.sign(place)
    else:
        twin.assertion = assertion_of.assertion
    return twin


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def serve() -> None:
    """Do what standard input says."""
    load = Load(json.loads(sys.stdin.readline()))
    await load.prepare()
    print(json.dumps({"ready": {}}), flush=True)
    for word in sys.stdin:
        act = load.run if word.strip() == "go" else load.attack
        print(json.dumps({"found": await act()}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
