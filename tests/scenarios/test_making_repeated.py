"""Each request of a making may be repeated: the same counter and body, the same answer (ALL-8)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import httpx
import pytest
from tests.scenarios.checks import one_good_card
from tests.scenarios.world import EMPLOYEE, ORIGIN, Maker, Scenario, Weather

from zorgid.protocol.app_key import HEADER, sign_request
from zorgid.protocol.context import Message
from zorgid.protocol.messages import (
    API,
    AbandonRequest,
    AttachReply,
    AttachRequest,
    BirthDateRequest,
    HandleRequest,
    IssuanceRequest,
    IssuanceView,
    StateReply,
)
from zorgid_desktop.flow.asking import AskBirthDate, Cancelled, ChoosePin, Question
from zorgid_desktop.flow.login import log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.server import Platform, PlatformRefused

ISSUANCE = f"{API}/issuance/"
ALL_PATHS = {
    f"{API}{path}"
    for path in (
        "/attach",
        "/prove",
        "/state",
        "/issuance/open",
        "/issuance/birth-date",
        "/issuance/blank-card",
        "/issuance/certificates",
        "/issuance/kept",
        "/issuance/proof-task",
        "/issuance/prove",
    )
}


class Twice(Weather):
    """Sends every request of the app a second time, as it was, and compares the answers."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, httpx.Headers]] = []
        self.differing: list[str] = []

    def repeat(self, transport: Any, request: httpx.Request, first: httpx.Response) -> None:
        self.sent.append((request.url.path, request.content, request.headers))
        second = transport.send(request)
        if (first.status_code, first.content) != (second.status_code, second.content):
            self.differing.append(f"{request.url.path}: {first.status_code}, then {second.status_code}")


def test_every_request_sent_twice_gets_the_same_answer_twice(world: Scenario) -> None:
    weather = Twice()
    maker = world.maker(EMPLOYEE, world.blank())
    world.make(maker, weather)
    assert {path for path, _, _ in weather.sent} == ALL_PATHS
    assert not weather.differing


class AllAtOnce(Weather):
    """Sends each request several times at the same moment, as an app that lost its patience."""

    def __init__(self, times: int) -> None:
        self._times = times

    def send(self, transport: Any, request: httpx.Request) -> httpx.Response:
        with ThreadPoolExecutor(self._times) as threads:
            answers = list(threads.map(transport.send, [request] * self._times))
        assert not [answer for answer in answers if answer.status_code >= 500]
        good = [answer for answer in answers if answer.is_success]
        return good[-1] if good else answers[-1]


def test_requests_that_come_several_times_at_once_make_one_card(world: Scenario) -> None:
    for _ in range(5):
        maker = world.maker(EMPLOYEE, world.blank())
        world.make(maker, AllAtOnce(3))
        one_good_card(world, EMPLOYEE, maker)


def answer_to(world: Scenario, path: str, body: bytes, headers: httpx.Headers) -> dict[str, Any]:
    """Return the problem in the answer to a request that is sent as it was."""
    with world.app() as platform:
        response = platform._client.post(path, content=body, headers=headers)
    return response.json()


def test_a_request_with_a_counter_of_before_is_refused(world: Scenario) -> None:
    """All but the last: that one is a repetition."""
    weather = Twice()
    world.make(world.maker(EMPLOYEE, world.blank()), weather)
    codes = {
        path: answer_to(world, path, body, headers).get("code") for path, body, headers in weather.sent[:-1]
    }
    assert codes.pop(f"{API}/attach") == "login-not-open"
    assert set(codes.values()) == {"app-request-replayed"}, codes


class Held:
    """An app that stopped at some step of a making, still alive: its next request can be tried."""

    def __init__(self, world: Scenario, maker: Maker) -> None:
        self.visitor = world.visitor()
        self.link = world.begin(self.visitor)
        self.world = world
        self.maker = maker

    def stop_at(self, platform: Platform) -> IssuanceView:
        around = self.world.around(platform, self.visitor)
        log_in(around, self.maker, self.link)
        with pytest.raises(Cancelled):
            make_card(around, self.maker, self.link)
        request = HandleRequest(handle=self.link.handle.text_for_wire())
        return platform.call("/issuance/open", request, IssuanceView)


class StopsAt(Maker):
    """Goes no further than one question."""

    at: type[Question[Any]] = ChoosePin

    def answer(self, question: Question[Any]) -> Any:
        if isinstance(question, self.at):
            raise Cancelled
        return super().answer(question)


def stopped(world: Scenario, at: type[Question[Any]]) -> Held:
    label = "lange-naam" if at is AskBirthDate else "praktijkmanager-linde"
    maker = StopsAt(**vars(world.maker(label, world.blank())))
    maker.at = at
    return Held(world, maker)


def again(platform: Platform, path: str, message: Message, answer: type[Any]) -> tuple[Any, Any]:
    """Send a message, and once more under the same counter."""
    first = platform.call(path, message, answer)
    platform._counter -= 1
    return first, platform.call(path, message, answer)


@pytest.mark.parametrize("was_reset", [True, False])
def test_giving_a_card_up_may_be_repeated(world: Scenario, was_reset: bool) -> None:
    held = stopped(world, ChoosePin)
    with world.app() as platform:
        view = held.stop_at(platform)
        message = AbandonRequest(issuance_id=view.issuance_id, was_reset=was_reset)
        first, second = again(platform, "/issuance/abandon", message, IssuanceView)
    assert first == second
    assert first.step == "blank-card"
    assert world.blank_state(f"blank-{view.chip_serial}") == ("in_stock" if was_reset else "barred")


def test_looking_may_be_repeated(world: Scenario) -> None:
    held = stopped(world, AskBirthDate)
    with world.app() as platform:
        view = held.stop_at(platform)
        message = IssuanceRequest(issuance_id=view.issuance_id)
        first, second = again(platform, "/issuance/view", message, IssuanceView)
    assert first == second == view


def test_cancelling_may_be_repeated(world: Scenario) -> None:
    link = world.begin(world.visitor())
    handle = link.handle.text_for_wire()
    with world.app() as platform:
        request = AttachRequest(handle=handle, app_key=platform.app_key, app_version="1")
        platform.call("/attach", request, AttachReply)
        first, second = again(platform, "/cancel", HandleRequest(handle=handle), StateReply)
    assert first == second == StateReply(state="cancelled")


def test_the_same_counter_with_another_body_is_refused(world: Scenario) -> None:
    held = stopped(world, ChoosePin)
    with world.app() as platform:
        view = held.stop_at(platform)
        platform.call("/issuance/view", IssuanceRequest(issuance_id=view.issuance_id), IssuanceView)
        platform._counter -= 1
        message = AbandonRequest(issuance_id=view.issuance_id, was_reset=True)
        with pytest.raises(PlatformRefused) as refused:
            platform.call("/issuance/abandon", message, IssuanceView)
    assert refused.value.problem.code == "app-request-replayed"
    assert world.blank_state(f"blank-{view.chip_serial}") == "in_making"


def test_the_same_counter_and_body_at_another_address_are_refused(world: Scenario) -> None:
    held = stopped(world, ChoosePin)
    with world.app() as platform:
        view = held.stop_at(platform)
        message = IssuanceRequest(issuance_id=view.issuance_id)
        platform.call("/issuance/view", message, IssuanceView)
        body, path = message.model_dump_json().encode(), f"{ISSUANCE}kept"
        signature = sign_request(
            platform._key, origin=ORIGIN, method="POST", path=path, body=body, counter=platform._counter
        )
        response = platform._client.post(path, content=body, headers={HEADER: signature.header()})
    assert response.json()["code"] == "app-request-replayed"


def test_a_wrong_birth_date_that_is_repeated_counts_once(world: Scenario) -> None:
    world.make(world.maker("lange-naam", world.blank()))
    held = stopped(world, AskBirthDate)
    with world.app() as platform:
        view = held.stop_at(platform)
        message = BirthDateRequest(issuance_id=view.issuance_id, birth_on=date(1970, 1, 1))
        tries = []
        for _ in range(3):
            with pytest.raises(PlatformRefused) as refused:
                platform.call("/issuance/birth-date", message, IssuanceView)
            tries.append(refused.value.problem.facts["tries_left"])
            platform._counter -= 1
    assert tries == [2, 2, 2]
