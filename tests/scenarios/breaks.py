"""Everything that can break a making, each at one position; a position beyond the end never comes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
from tests.scenarios.world import PlatformDied, Scenario, Weather, in_app_request

from zorgid.storage.database import Origin, Work


class AppKilled(BaseException):
    """The process of the app is gone; nothing of it runs any more."""


class Break(Weather):
    """Breaks something at its position, counted from 1. `has_come` tells whether the position came."""

    def __init__(self, scenario: Scenario, at: int) -> None:
        self.scenario = scenario
        self.at = at
        self.passed = 0
        self.has_come = False
        self.where = ""

    def _is_here(self, where: str) -> bool:
        self.passed += 1
        if self.passed == self.at and not self.has_come:
            self.has_come = True
            self.where = where
            return True
        return False


class PulledBefore(Break):
    """The card is pulled before a command."""

    def before_apdu(self, number: int, command: bytes) -> None:
        if self._is_here(command[:4].hex()):
            self.scenario.reader.remove()


class PulledAfter(Break):
    """The card is pulled after it did a command, before the app hears of it."""

    def after_apdu(self, number: int, command: bytes, answer: bytes) -> None:
        if self._is_here(command[:4].hex()):
            self.scenario.reader.remove()


class Swapped(Break):
    """Another card is put in place of the right one before a command."""

    def __init__(self, scenario: Scenario, at: int, other: str) -> None:
        super().__init__(scenario, at)
        self.other = other

    def before_apdu(self, number: int, command: bytes) -> None:
        if self._is_here(command[:4].hex()):
            self.scenario.reader.insert(self.other)


class Kill(Break):
    """The app is killed. Once dead it does nothing any more: what unwinds gets nowhere."""

    def _die(self) -> None:
        if self.has_come:
            raise AppKilled

    def before_apdu(self, number: int, command: bytes) -> None:
        self._die()

    def after_apdu(self, number: int, command: bytes, answer: bytes) -> None:
        self._die()

    def before_request(self, path: str) -> None:
        self._die()

    def after_request(self, path: str, response: httpx.Response) -> None:
        self._die()


class KilledAfterApdu(Kill):
    """The app is killed after the card did a command."""

    def after_apdu(self, number: int, command: bytes, answer: bytes) -> None:
        self._is_here(command[:4].hex())
        self._die()


class KilledBeforeRequest(Kill):
    """The app is killed before a request."""

    def before_request(self, path: str) -> None:
        self._is_here(path)
        self._die()


class KilledAfterRequest(Kill):
    """The app is killed after the platform did a request."""

    def after_request(self, path: str, response: httpx.Response) -> None:
        self._is_here(path)
        self._die()


class Undelivered(Break):
    """The platform is gone before a request and stays away."""

    def before_request(self, path: str) -> None:
        if not self.has_come:
            self._is_here(path)
        if self.has_come:
            raise httpx.ConnectError("the platform is gone")


class AnswerLost(Break):
    """The platform did a request, is gone before its answer came, and stays away."""

    def before_request(self, path: str) -> None:
        if self.has_come:
            raise httpx.ConnectError("the platform is gone")

    def after_request(self, path: str, response: httpx.Response) -> None:
        if self._is_here(path):
            raise httpx.ReadError("the platform is gone")


class UndeliveredOnce(Break):
    """One request is lost on its way."""

    def before_request(self, path: str) -> None:
        if self._is_here(path):
            raise httpx.ConnectError("the request was lost")


class AnswerLostOnce(Break):
    """One answer is lost on its way."""

    def after_request(self, path: str, response: httpx.Response) -> None:
        if self._is_here(path):
            raise httpx.ReadError("the answer was lost")


class Dies(Break):
    """The platform dies at the commit of a transaction while it does a request of the app."""

    stays_away = False
    after_commit = False

    def before_request(self, path: str) -> None:
        if self.has_come and self.stays_away:
            raise httpx.ConnectError("the platform is gone")

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Let it happen while the block runs."""
        database = self.scenario.running.services.database
        usual = database.work

        @asynccontextmanager
        async def work(origin: Origin) -> AsyncIterator[Work]:
            is_here = in_app_request.get() and self._is_here(origin.request_id)
            async with usual(origin) as opened:
                yield opened
                if is_here and not self.after_commit:
                    raise PlatformDied
            if is_here:
                raise PlatformDied

        database.work = work  # type: ignore[method-assign]
        try:
            yield
        finally:
            del database.work  # type: ignore[method-assign]


class DiesBeforeCommit(Dies):
    """It is back at once; what was not committed is gone."""


class DiesAfterCommit(Dies):
    """It is back at once; what was committed stays."""

    after_commit = True


class DiesBeforeCommitForLong(Dies):
    """It stays away; what was not committed is gone."""

    stays_away = True


class DiesAfterCommitForLong(Dies):
    """It stays away; what was committed stays."""

    stays_away = True
    after_commit = True


GENERATE_KEY = 0x47


def only_while_preparing(kind: type[Break]) -> type[Break]:
    """Return the break, counted from the reservation of the card up to its first new key."""

    class WhilePreparing(kind):  # type: ignore[misc,valid-type]
        is_reserved = False
        has_key = False

        def after_request(self, path: str, response: httpx.Response) -> None:
            self.is_reserved |= path.endswith("/blank-card")
            super().after_request(path, response)

        def _is_here(self, where: str) -> bool:
            self.has_key |= int(where[2:4], 16) == GENERATE_KEY
            return self.is_reserved and not self.has_key and super()._is_here(where)

    return WhilePreparing
