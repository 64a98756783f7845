"""The calls of the app to the platform: repeated as they were, refused in its words, never believed when nonsense (ALL-8)."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from zorgid.kernel.sentences import Language, Sentence
from zorgid.protocol.app_key import HEADER, read_header, verify_request
from zorgid.protocol.errors import AppSignatureWrong
from zorgid.protocol.messages import HandleRequest, StateReply, TransactionState
from zorgid_desktop.flow.asking import Said
from zorgid_desktop.flow.ending import why_it_ended
from zorgid_desktop.refused import NothingAnswersHere, unanswered
from zorgid_desktop.server import TRIES, Platform, PlatformRefused, PlatformUnreachable, told

ORIGIN = "https://id.example"
ASKED = HandleRequest(handle="AAECAwQFBgcICQoLDA0ODw")
GOOD = httpx.Response(200, json={"state": "proved"})
PROBLEM = {
    "type": "https://id.example/problems/login-expired",
    "title": "Verlopen",
    "status": 410,
    "code": "login-expired",
    "detail": "Er zijn meer dan vijf minuten voorbij.",
    "next_step": "Begin opnieuw.",
    "facts": {"minutes": 5, "word": "voorbij"},
    "reference": "A1B2",
}


class ScriptedPlatform(httpx.BaseTransport):
    """Answers from a list; an error in it is a request or an answer that was lost."""

    def __init__(self, *answers: httpx.Response | type[httpx.RequestError]) -> None:
        self._answers = iter(answers)
        self.heard: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        answer = next(self._answers)
        if isinstance(answer, httpx.Response):
            return answer
        raise answer("lost", request=request)

    @property
    def counters(self) -> list[int]:
        return [read_header(request.headers[HEADER]).counter for request in self.heard]


def called(
    *answers: httpx.Response | type[httpx.RequestError], times: int = 1
) -> tuple[Any, ScriptedPlatform]:
    """The last answer to a state request that was sent `times` times, and what was heard of them."""
    transport = ScriptedPlatform(*answers)
    reply: Any = None
    with Platform(ORIGIN, transport=transport) as platform:
        for _ in range(times):
            reply = platform.call("/state", ASKED, StateReply)
    return reply, transport


def fresh(status: int = 200, **body: Any) -> httpx.Response:
    return httpx.Response(status, **body)


def test_an_answer_is_read_as_the_message_that_was_expected() -> None:
    reply, transport = called(GOOD)
    assert reply == StateReply(state=TransactionState.proved)
    (request,) = transport.heard
    assert (request.method, str(request.url)) == ("POST", "https://id.example/desktop/v1/state")
    assert json.loads(request.content) == {"handle": "AAECAwQFBgcICQoLDA0ODw"}


def test_a_request_is_signed_by_the_key_of_this_flow_and_no_other() -> None:
    transport = ScriptedPlatform(GOOD, GOOD)
    with Platform(ORIGIN, transport=transport) as platform, Platform(ORIGIN) as other:
        platform.call("/state", ASKED, StateReply)
        (request,) = transport.heard
        said = read_header(request.headers[HEADER])
        facts = {"origin": ORIGIN, "method": "POST", "path": "/desktop/v1/state", "body": request.content}
        assert verify_request(said, platform.app_key, **facts) == 1
        with pytest.raises(AppSignatureWrong):
            verify_request(said, other.app_key, **facts)


def test_every_request_has_a_counter_of_its_own() -> None:
    _, transport = called(GOOD, GOOD, GOOD, times=3)
    assert transport.counters == [1, 2, 3]


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.WriteError]
)
def test_a_request_whose_answer_was_lost_is_sent_again_as_it_was(error: type[httpx.RequestError]) -> None:
    """ALL-8."""
    reply, transport = called(error, error, GOOD)
    assert reply.state is TransactionState.proved
    first, *others = [(request.content, request.headers[HEADER]) for request in transport.heard]
    assert others == [first, first]


def test_a_repeated_request_uses_up_one_counter() -> None:
    _, transport = called(httpx.ReadError, GOOD, GOOD, times=2)
    assert transport.counters == [1, 1, 2]


def test_a_platform_that_stays_silent_is_unreachable_after_a_few_tries() -> None:
    transport = ScriptedPlatform(*[httpx.ConnectError] * (TRIES + 1))
    with Platform(ORIGIN, transport=transport) as platform, pytest.raises(PlatformUnreachable):
        platform.call("/state", ASKED, StateReply)
    assert len(transport.heard) == TRIES


@pytest.mark.parametrize("origin", ["http://localhost:8600", "http://127.0.0.1:8600", "https://[::1]:8600"])
def test_a_silent_platform_on_this_computer_is_told_from_a_network_that_fails(origin: str) -> None:
    """ALL-2."""
    transport = ScriptedPlatform(*[httpx.ConnectError] * TRIES)
    with Platform(origin, transport=transport) as platform, pytest.raises(NothingAnswersHere) as refused:
        platform.call("/state", ASKED, StateReply)
    assert why_it_ended(refused.value) == Said("nothing-answers-here", {"origin": origin})


def test_a_silent_platform_elsewhere_may_be_the_network() -> None:
    """ALL-2."""
    assert why_it_ended(unanswered(ORIGIN)) == Said("platform-unreachable")
    assert why_it_ended(unanswered("https://localhost.example")) == Said("platform-unreachable")


def test_an_answer_of_another_program_on_this_computer_is_no_silence() -> None:
    transport = ScriptedPlatform(fresh(text="hello"))
    platform = Platform("http://localhost:8600", transport=transport)
    with platform, pytest.raises(PlatformUnreachable) as refused:
        platform.call("/state", ASKED, StateReply)
    assert why_it_ended(refused.value) == Said("platform-unreachable")


def test_a_refusal_is_handed_on_in_the_words_of_the_platform_and_not_repeated() -> None:
    """ALL-2."""
    transport = ScriptedPlatform(fresh(410, json=PROBLEM))
    with Platform(ORIGIN, transport=transport) as platform, pytest.raises(PlatformRefused) as refused:
        platform.call("/state", ASKED, StateReply)
    assert refused.value.problem.facts == {"minutes": 5, "word": "voorbij"}
    said = told(refused.value.problem)
    assert said.code == "login-expired"
    assert said.sentence == Sentence("Er zijn meer dan vijf minuten voorbij.", "Begin opnieuw.")
    assert len(transport.heard) == 1


NONSENSE: dict[str, Callable[[], httpx.Response]] = {
    "a page instead of a message": lambda: fresh(text="<html>Log in to the network of the hospital</html>"),
    "nothing at all": fresh,
    "no content": lambda: fresh(204),
    "another message": lambda: fresh(json={"completion_code": "A" * 43, "full_name": "Anna"}),
    "a field too many": lambda: fresh(json={"state": "proved", "more": 1}),
    "a state that does not exist": lambda: fresh(json={"state": "finished"}),
    "text that is no text": lambda: fresh(content=b'{"state": "\xff"}'),
    "a list": lambda: fresh(json=["proved"]),
    "a refusal without words": lambda: fresh(403, json={"code": "login-expired"}),
    "an error page": lambda: fresh(502, text="Bad Gateway"),
    "a redirect elsewhere": lambda: fresh(307, headers={"Location": "https://elsewhere.example/"}),
    "a refusal's status with an answer's body": lambda: fresh(500, json={"state": "proved"}),
}


@pytest.mark.parametrize("defect", NONSENSE)
def test_an_answer_that_is_not_the_platforms_counts_as_none(defect: str) -> None:
    transport = ScriptedPlatform(NONSENSE[defect]())
    with Platform(ORIGIN, transport=transport) as platform, pytest.raises(PlatformUnreachable):
        platform.call("/state", ASKED, StateReply)
    assert [str(request.url.host) for request in transport.heard] == ["id.example"]


class Garbled(httpx.BaseTransport):
    """Says that its answer is compressed, which it is not."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not compressed")
        )


def test_an_answer_that_cannot_be_unpacked_counts_as_none() -> None:
    with Platform(ORIGIN, transport=Garbled()) as platform, pytest.raises(PlatformUnreachable):
        platform.call("/state", ASKED, StateReply)


@pytest.mark.parametrize("language", list(Language))
def test_the_platform_is_asked_to_speak_the_language_of_the_person(language: Language) -> None:
    """ALL-1."""
    transport = ScriptedPlatform(GOOD)
    with Platform(ORIGIN, language=language, transport=transport) as platform:
        platform.call("/state", ASKED, StateReply)
    assert transport.heard[0].headers["Accept-Language"] == language.value


def test_what_is_secret_in_a_request_stands_in_no_address_and_no_header() -> None:
    """ALL-4."""
    _, transport = called(GOOD)
    (request,) = transport.heard
    assert ASKED.handle not in str(request.url)
    assert not [value for value in request.headers.values() if ASKED.handle in value]


def test_an_error_names_neither_request_nor_answer() -> None:
    """ALL-4."""
    secret = "K" * 43
    transport = ScriptedPlatform(fresh(json={"completion_code": secret, "state": "proved"}))
    with Platform(ORIGIN, transport=transport) as platform, pytest.raises(PlatformUnreachable) as refused:
        platform.call("/state", ASKED, StateReply)
    assert secret not in f"{refused.value!r} {refused.value}"
    assert refused.value.__suppress_context__
