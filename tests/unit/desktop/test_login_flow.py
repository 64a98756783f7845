"""A login from the link to the browser that began: what is shown, signed and told, and how each end is told (LOGIN-5)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.desktop.builders import DIGITS, HOLDER, PIN, STOP, ScriptedFace, a_card_in, a_context

from cardkit.virtual import Mode, VirtualReader, VirtualReaders
from zorgid.kernel.secrets import Secret
from zorgid.kernel.sentences import Language
from zorgid.protocol.app_key import AppKey
from zorgid.protocol.context import Context, MeansUsed, Message, Purpose, sha256_of_act
from zorgid.protocol.links import Browser, LaunchLink
from zorgid.protocol.messages import (
    AttachReply,
    IssuanceStep,
    IssuanceView,
    Problem,
    ProveReply,
    StateReply,
    TransactionState,
    encode,
)
from zorgid.protocol.proof import nonce_for, verify_token
from zorgid_desktop.flow.asking import AskPin, Cancelled, InsertCard, Said, Wanted
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import _made
from zorgid_desktop.server import PlatformRefused, PlatformUnreachable
from zorgid_desktop.texts import sentence

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
CHALLENGE = bytes(range(32))
HANDLE = Secret(bytes(range(16)))
LINK = LaunchLink("demo", HANDLE, Browser.firefox)
APP_KEY = AppKey.of(ec.generate_private_key(ec.SECP256R1()).public_key())
CODE = "Q" * 43
PROBLEM = Problem(
    type="about:blank",
    title="",
    status=403,
    code="smartcard-not-good",
    detail="",
    next_step="",
    facts={},
    reference="",
)


class ScriptedPlatform:
    """Answers each path from its own list, and keeps what it was asked."""

    origin = "https://id.example"
    app_key = APP_KEY

    def __init__(self, context: Context, **answers: list[Any]) -> None:
        given: dict[str, list[Any]] = {
            "attach": [AttachReply(challenge=encode(CHALLENGE), context=context)],
            "prove": [ProveReply(completion_code=CODE, full_name=HOLDER)],
            "state": [StateReply(state=TransactionState.completed)],
            "cancel": [StateReply(state=TransactionState.cancelled)],
        }
        self._answers: dict[str, Iterator[Any]] = {
            path: iter(list_of) for path, list_of in {**given, **answers}.items()
        }
        self.asked: list[tuple[str, Any]] = []

    def call(self, path: str, message: Message, answer: type[Message]) -> Any:
        self.asked.append((path, message))
        reply = next(self._answers[path.removeprefix("/")])
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


class Flow:
    """A flow with a scripted platform and face over a virtual reader."""

    def __init__(
        self, reader: VirtualReader, *answers: Any, context: Context | None = None, **replies: list[Any]
    ) -> None:
        self.context = context or our_context()
        self.platform = ScriptedPlatform(self.context, **replies)
        self.face = ScriptedFace(*answers)
        self.opened: list[tuple[str, Browser]] = []
        around: Any = Surroundings(
            self.platform,  # type: ignore[arg-type]  # it answers as the platform does
            VirtualReaders(reader),
            lambda address, browser: self.opened.append((address, browser)),
            lambda: NOW,
        )
        self._around: Surroundings = around

    def log_in(self) -> Context:
        return log_in(self._around, self.face, LINK).context

    @property
    def told(self) -> list[str]:
        return [said.code for said in self.face.told]


def our_context(**others: Any) -> Context:
    return a_context(**{"app_key": APP_KEY.thumbprint(), **others})


@pytest.fixture
def reader(tmp_path: Path) -> VirtualReader:
    return a_card_in(tmp_path)


def test_a_login_signs_what_was_shown_and_hands_the_code_to_the_browser_that_began(
    reader: VirtualReader,
) -> None:
    """docs/desktop-protocol.md, chapters 1 to 6."""
    flow = Flow(reader, None, PIN)
    assert flow.log_in() == flow.context
    assert flow.platform.paths == ["/attach", "/prove", "/state"]
    token = flow.platform.asked[1][1].token
    assert verify_token(token, origin="https://id.example", nonce=nonce_for(CHALLENGE, flow.context, HANDLE))
    assert flow.opened == [
        (f"https://id.example/oauth/complete#AAECAwQFBgcICQoLDA0ODw.{CODE}", Browser.firefox)
    ]
    assert flow.told == ["proved", "logged-in"]


def test_the_pin_is_asked_with_all_that_will_be_signed(reader: VirtualReader) -> None:
    flow = Flow(reader, None, PIN)
    flow.log_in()
    insert, pin = flow.face.asked
    assert insert == InsertCard(None, Wanted.login_card)
    assert isinstance(pin, AskPin)
    assert (pin.context, pin.holder, pin.tries_left) == (flow.context, HOLDER, 3)


def test_a_card_that_takes_digits_only_logs_in_after_letters_were_typed(tmp_path: Path) -> None:
    """PIN-3."""
    strict = a_card_in(tmp_path, mode=Mode.strict)
    flow = Flow(strict, None, PIN, DIGITS)
    flow.log_in()
    assert flow.face.troubles == [None, None, "pin-not-taken"]
    assert strict.card_state("anna").pin.tries_left == 3


@pytest.mark.parametrize(
    "context",
    [
        pytest.param(our_context(origin="https://evil.example"), id="another origin"),
        pytest.param(our_context(origin="https://id.example/"), id="nearly the origin"),
        pytest.param(our_context(app_key="B" * 43), id="the key of another app"),
        pytest.param(our_context(act="Iets"), id="an act without its hash"),
        pytest.param(
            our_context(act="Iets", act_sha256=sha256_of_act("Anders")), id="another act than hashed"
        ),
        pytest.param(our_context(act_sha256=sha256_of_act("Iets")), id="a hash without its act"),
        pytest.param(our_context(expires_at=NOW), id="over at this very moment"),
    ],
)
def test_a_context_that_is_not_to_be_trusted_is_not_even_shown(
    context: Context, reader: VirtualReader
) -> None:
    flow = Flow(reader, context=context)
    with pytest.raises(FlowStopped) as stopped:
        flow.log_in()
    assert stopped.value.said == Said("context-not-trusted")
    assert flow.face.asked == []
    assert "/prove" not in flow.platform.paths
    assert reader.apdu_count == 0


def test_a_context_is_good_until_its_end(reader: VirtualReader) -> None:
    flow = Flow(reader, None, PIN, context=our_context(expires_at=NOW + timedelta(microseconds=1)))
    assert flow.log_in()


@pytest.mark.parametrize(
    ("accepts", "wanted"),
    [
        ((MeansUsed.uzi_card,), Wanted.uzi_card),
        ((MeansUsed.smartcard,), Wanted.login_card),
        (tuple(MeansUsed), Wanted.login_card),
    ],
)
def test_the_card_that_is_accepted_is_asked_for(
    accepts: tuple[MeansUsed, ...], wanted: Wanted, reader: VirtualReader
) -> None:
    flow = Flow(reader, None, PIN, context=our_context(accepts=accepts))
    flow.log_in()
    assert flow.face.asked[0] == InsertCard(None, wanted)


@pytest.mark.parametrize("answers", [(STOP,), (None, STOP), (None, "999999", STOP)])
def test_who_stops_has_the_browser_told(answers: tuple[Any, ...], reader: VirtualReader) -> None:
    flow = Flow(reader, *answers)
    with pytest.raises(Cancelled):
        flow.log_in()
    assert flow.platform.paths == ["/attach", "/cancel"]
    assert flow.opened == []


def test_who_stops_has_stopped_even_when_the_platform_is_gone(reader: VirtualReader) -> None:
    flow = Flow(reader, STOP, cancel=[PlatformUnreachable()])
    with pytest.raises(Cancelled):
        flow.log_in()


def test_a_card_that_is_refused_has_the_browser_told(reader: VirtualReader) -> None:
    """LOGIN-4."""
    flow = Flow(reader, None, PIN, prove=[PlatformRefused(PROBLEM)])
    with pytest.raises(PlatformRefused):
        flow.log_in()
    assert flow.platform.paths == ["/attach", "/prove", "/cancel"]
    assert flow.opened == []


def test_a_blocked_card_has_the_browser_told(reader: VirtualReader) -> None:
    flow = Flow(reader, None, "999999", "999999", "999999")
    with pytest.raises(FlowStopped):
        flow.log_in()
    assert flow.platform.paths == ["/attach", "/cancel"]


def test_a_card_that_was_pulled_may_be_put_in_again(reader: VirtualReader) -> None:
    """CARD-9."""

    def pull_once(number: int, command: bytes) -> None:
        reader.before_apdu = None
        reader.remove()

    reader.before_apdu = pull_once
    flow = Flow(reader)

    def ask(question: Any) -> Any:
        flow.face.asked.append(question)
        if isinstance(question, InsertCard):
            reader.insert("anna")
            return None
        return PIN

    flow.face.ask = ask  # type: ignore[method-assign]
    flow.log_in()
    assert flow.face.troubles == [None, "card-gone", None]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (TransactionState.cancelled, "login-cancelled"),
        (TransactionState.aborted, "login-aborted"),
        (TransactionState.expired, "login-expired"),
    ],
)
def test_a_login_that_the_browser_did_not_complete_is_told_as_it_ended(
    state: TransactionState, code: str, reader: VirtualReader
) -> None:
    flow = Flow(reader, None, PIN, state=[StateReply(state=state)])
    with pytest.raises(FlowStopped) as stopped:
        flow.log_in()
    assert stopped.value.said == Said(code)
    assert flow.told == ["proved"]


def test_the_app_waits_for_the_browser_by_asking_again_with_what_it_saw(reader: VirtualReader) -> None:
    states = [TransactionState.proved, TransactionState.proved, TransactionState.completed]
    flow = Flow(reader, None, PIN, state=[StateReply(state=state) for state in states])
    flow.log_in()
    seen = [message.seen for path, message in flow.platform.asked if path == "/state"]
    assert seen == [TransactionState.proved] * 3


def test_a_proof_for_something_else_is_not_told_as_a_login(reader: VirtualReader) -> None:
    """Nor that the app goes on, when it ends here: the browser shows what comes."""
    act = "U valideert een organisatie."
    context = our_context(purpose=Purpose.validate_organisation, act=act, act_sha256=sha256_of_act(act))
    flow = Flow(reader, None, PIN, context=context)
    flow.log_in()
    assert flow.told == ["proved", "act-completed"]
    for language, browser in ((Language.nl, "in uw browser"), (Language.en, "in your browser")):
        assert browser in sentence(Said("act-completed"), language).next_step


def test_a_proof_before_a_making_says_that_the_app_goes_on(reader: VirtualReader) -> None:
    act = "U maakt een ZORG-ID Smartcard."
    context = our_context(purpose=Purpose.make_card, act=act, act_sha256=sha256_of_act(act))
    flow = Flow(reader, None, PIN, context=context)
    flow.log_in()
    assert flow.told == ["proved", "proof-completed"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "Pacific/Auckland", "Pacific/Honolulu"])
def test_the_last_day_of_a_new_card_is_the_dutch_one_wherever_the_app_runs(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARD-6, ALL-6."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        said = _made(
            IssuanceView(
                issuance_id="0123abcd-4567-89ef-0123-456789abcdef",
                step=IssuanceStep.done,
                full_name=HOLDER,
                organisation="De Linde",
                card_number="CWZJNVV9C",
                valid_until=datetime(2029, 6, 15, 21, 59, 59, tzinfo=UTC),
                expires_at=NOW,
            )
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    assert said.facts["valid_until"] == "15-06-2029"
