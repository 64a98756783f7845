"""Attacks on the Desktop App: hostile links, and a platform that wants other things shown or signed.

docs/security.md, logging in; docs/desktop-protocol.md, chapters 1, 3 and 4.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.scenarios.attack_world import (
    COLLEAGUE,
    EMPLOYEE,
    AttackWorld,
    Bridge,
    Browser,
    HostileApp,
    shared_world,
)

from cardkit.virtual import VirtualReaders
from zorgid.demo.scripted import ScriptedPerson
from zorgid.kernel.sentences import Language
from zorgid.protocol.errors import LinkMalformed
from zorgid.protocol.links import parse_link
from zorgid.protocol.messages import AttachReply, decode
from zorgid.protocol.proof import bytes_to_sign, nonce_for
from zorgid_desktop.environments import EnvironmentUnknown, origin_of
from zorgid_desktop.flow.asking import AskPin, Question, Wanted
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.flow.login import Surroundings, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.server import PlatformRefused, PlatformUnreachable

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERIFY, GENERAL_AUTHENTICATE, PUT_DATA = 0x20, 0x87, 0xDB


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        await world.require_smartcard()
        yield world


class Watcher(ScriptedPerson):
    """Somebody who remembers every question, and what was shown with it."""

    questions: list[Question[Any]]

    def ask(self, question: Question[Any]) -> Any:
        self.__dict__.setdefault("questions", []).append(question)
        return super().ask(question)


Change = Callable[[dict[str, Any]], None]


class LyingBridge(Bridge):
    """A platform, or somebody in between, whose answers at one address are not what they should be."""

    path = ""
    change: Change = staticmethod(lambda _: None)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if not request.url.path.endswith(self.path):
            return answer
        told = json.loads(answer.content)
        self.change(told)
        return httpx.Response(answer.status_code, json=told)


async def run_app(
    world: AttackWorld,
    link: str,
    person: ScriptedPerson,
    *,
    browser: Browser | None = None,
    path: str = "",
    change: Change,
) -> None:
    """Run the app's own flow against a platform that lies; makes a card when a browser began with that."""
    loop, opened = asyncio.get_running_loop(), browser or world.browser()
    bridge = LyingBridge(world.application, loop)
    bridge.path, bridge.change = path, change

    def open_browser(address: str, _: object) -> None:
        asyncio.run_coroutine_threadsafe(opened.complete(address), loop).result()

    def run() -> None:
        with HostileApp(world.origin, language=Language.nl, transport=bridge) as app:
            around = Surroundings(app, VirtualReaders(world.world.reader), open_browser, world.clock)
            log_in(around, person, parse_link(link))
            if browser:
                make_card(around, person, parse_link(link))

    await asyncio.to_thread(run)


@pytest.fixture
def apdus(world: AttackWorld) -> Any:
    """Every command that a card hears during the test."""
    heard: list[bytes] = []
    world.world.reader.before_apdu = lambda _, command: heard.append(command)
    yield heard
    world.world.reader.before_apdu = None


def watcher(world: AttackWorld, label: str = EMPLOYEE) -> Watcher:
    card = world.world.card(label)
    return Watcher(
        world.world.reader, {Wanted.login_card: f"uzi-{label}", Wanted.uzi_card: f"uzi-{label}"}, pin=card.pin
    )


# Links

LINKS = [
    "", "zorg-id:", "zorg-id:auth", "zorg-id:auth?v=2&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default",
    "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=/bin/sh", "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=--flag",
    "zorg-id:auth?v=1&e=https://evil.example&h=AAAAAAAAAAAAAAAAAAAAAA&b=default",
    "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default&origin=https://evil.example",
    "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default#x", "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default\n",
    "zorg-id:auth?h=AAAAAAAAAAAAAAAAAAAAAA&v=1&e=demo&b=default", "zorg-id://auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default",
    "ZORG-ID:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default", " zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default",
    "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAA&b=default", "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAAA&b=default",
    "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAA%41&b=default", "zorg-id:auth?v=1&e=demo&h=../../../../../etc/pas&b=default",
    "zorg-id:sign?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default", "https://evil.example/zorg-id:auth?v=1",
    "zorg-id:auth?v=1&e=demo&h=AAAAAAAAAAAAAAAAAAAAAA&b=", "zorg-id:auth?v=1&e=démo&h=AAAAAAAAAAAAAAAAAAAAAA&b=default",
]  # fmt: skip


@pytest.mark.parametrize("link", LINKS)
async def test_a_hostile_launcher_chooses_nothing(link: str) -> None:
    """A link of any other form is dropped before a card is asked for or a platform called."""
    with pytest.raises(LinkMalformed):
        parse_link(link)


@pytest.mark.parametrize("environment", ["production", "test", "evil", "demo0", "localhost"])
async def test_a_link_names_an_environment_that_this_build_knows_and_never_an_address(
    environment: str,
) -> None:
    with pytest.raises(EnvironmentUnknown):
        origin_of(environment, {})


# What is shown and signed


def other_origin(told: dict[str, Any]) -> None:
    told["context"]["origin"] = "https://evil.example"


def other_app(told: dict[str, Any]) -> None:
    told["context"]["app_key"] = "A" * 43


def other_act(told: dict[str, Any]) -> None:
    told["context"]["act"] = "U logt alleen maar in."


def act_without_hash(told: dict[str, Any]) -> None:
    told["context"]["act"], told["context"]["act_sha256"] = "U maakt iemand administrator.", None


def hash_without_act(told: dict[str, Any]) -> None:
    told["context"]["act_sha256"] = "00" * 32


def over_already(told: dict[str, Any]) -> None:
    told["context"]["expires_at"] = "2026-01-01T00:00:00Z"


CHANGES = [other_origin, other_app, other_act, act_without_hash, hash_without_act, over_already]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_what_does_not_fit_is_neither_shown_nor_signed(
    world: AttackWorld, apdus: list[bytes], change: Change
) -> None:
    """The context must be this platform's, for this app, about the act that it hashes, and open."""
    page, person = await world.browser().begin_login(), watcher(world)
    async with world.nothing_changes():
        with pytest.raises(FlowStopped) as stopped:
            await run_app(world, page.launch_link, person, path="/attach", change=change)
    assert stopped.value.said.code == "context-not-trusted"
    assert "questions" not in person.__dict__
    assert apdus == []


def with_text(told: dict[str, Any]) -> None:
    told["context"]["text"] = "Typ uw pincode"


def not_base64(told: dict[str, Any]) -> None:
    told["challenge"] = "<script>"


def unknown_purpose(told: dict[str, Any]) -> None:
    told["context"]["purpose"] = "sign-prescription"


@pytest.mark.parametrize(
    "change", [with_text, not_base64, unknown_purpose], ids=lambda change: change.__name__
)
async def test_an_answer_that_the_protocol_does_not_know_is_dropped(
    world: AttackWorld, apdus: list[bytes], change: Change
) -> None:
    page = await world.browser().begin_login()
    with pytest.raises(PlatformUnreachable):
        await run_app(world, page.launch_link, watcher(world), path="/attach", change=change)
    assert apdus == []


@pytest.mark.parametrize("name", ["care_application", "organisation", "acr", "accepts"])
async def test_a_display_that_somebody_changed_on_the_way_gives_a_proof_of_nothing(
    world: AttackWorld, name: str
) -> None:
    """Display deception: the person saw something else than the platform meant, so the platform refuses the proof."""

    def change(told: dict[str, Any]) -> None:
        told["context"][name] = ["uzi-card"] if name == "accepts" else "Iets anders"

    page = await world.browser().begin_login()
    async with world.nothing_changes(("login-proved", "refused", "proof-wrong")):
        with pytest.raises(PlatformRefused) as refused:
            await run_app(world, page.launch_link, watcher(world), path="/attach", change=change)
    assert refused.value.problem.code == "proof-wrong"


CHALLENGES = [
    b"",
    b"\x00" * 32,
    b"0" * 4000,
    bytes.fromhex("3031300d060960864801650304020105000420") + b"\1" * 32,
]


@pytest.mark.parametrize("challenge", CHALLENGES)
async def test_the_card_signs_what_the_app_built_and_never_what_was_sent(
    world: AttackWorld, apdus: list[bytes], challenge: bytes
) -> None:
    """Signature oracle: one signature, by the authentication key, over the hash of what was shown."""
    page = await world.browser().begin_login()
    sent = base64.b64encode(challenge).decode()

    def change(told: dict[str, Any]) -> None:
        told["challenge"] = sent

    link = parse_link(page.launch_link)
    with pytest.raises(PlatformRefused):
        await run_app(world, page.launch_link, watcher(world), path="/attach", change=change)
    signatures = [command for command in apdus if command[1] == GENERAL_AUTHENTICATE]
    assert [command[3] for command in signatures] == [0x9A]
    (row,) = await world.rows(
        "select context from login_transaction where handle_hash = %s", link.handle.digest()
    )
    reply = AttachReply.model_validate({"challenge": sent, "context": row["context"]})
    nonce = nonce_for(decode(reply.challenge), reply.context, link.handle)
    assert hashlib.sha256(bytes_to_sign(world.origin, nonce, "ES256")).digest() in signatures[0]


async def test_a_login_shows_the_card_one_pin_and_takes_one_signature(
    world: AttackWorld, apdus: list[bytes]
) -> None:
    """PIN-1: one VERIFY with the PIN, one signature by 9A, and the PIN state is cleared at the end."""
    browser = world.browser()
    page, person = await browser.begin_login(), watcher(world)
    with pytest.raises(FlowStopped):  # this test's app opens another browser, so nothing is completed
        await run_app(world, page.launch_link, person, change=lambda _: None)
    signatures = [command[3] for command in apdus if command[1] == GENERAL_AUTHENTICATE]
    verifies = [command for command in apdus if command[1] == VERIFY]
    assert signatures == [0x9A]
    assert [command for command in verifies if len(command) > 5 and command[4]] == [
        command for command in verifies if person.pin.encode() in command
    ]
    assert len([command for command in verifies if person.pin.encode() in command]) == 1
    assert verifies[-1][2] == 0xFF
    shown = [question.context for question in person.questions if isinstance(question, AskPin)]
    assert [(one.care_application, one.purpose) for one in shown if one] == [("ZORG-ID Portaal", "login")]


def purpose_login(told: dict[str, Any]) -> None:
    told["context"]["purpose"] = "login"


@pytest.mark.parametrize(
    "change", [purpose_login, other_origin, other_app], ids=lambda change: change.__name__
)
async def test_a_new_card_is_not_made_to_sign_a_login(
    world: AttackWorld, apdus: list[bytes], change: Change
) -> None:
    """The task of the last step is for that step only; otherwise a platform could borrow the new card's key."""
    browser, person = world.browser(), world.maker(COLLEAGUE, "leeg-2")
    page = await browser.begin("make-card")
    with pytest.raises(FlowStopped) as stopped:
        await run_app(
            world, page.launch_link, person, browser=browser, path="/issuance/proof-task", change=change
        )
    assert stopped.value.said.code == "context-not-trusted"
    login = next(number for number, command in enumerate(apdus) if command[1] == GENERAL_AUTHENTICATE)
    written = max((number for number, command in enumerate(apdus) if command[1] == PUT_DATA), default=login)
    assert GENERAL_AUTHENTICATE not in {command[1] for command in apdus[written + 1 :]}
    assert await world.rows("select from card where chip_serial = '20000002' and state = 'active'") == []
