"""A UZI card that speaks no PIV, behind another vendor's PKCS#11 module, is used for login by configuration alone.

SoftHSM2 holds keys and certificates of a test UZI card, under names that nobody here chose, as SafeSign does with real
cards; SafeSign itself could not be had. Keys come by softhsm2-util and certificates by OpenSC's tool: nothing of ours
prepared the token.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.interop.tokens.tokens import SOFTHSM, softhsm
from tests.scenarios.world import DOCTOR, EMPLOYEE, ORIGIN, Maker, Scenario

from cardkit.errors import ReaderServiceAbsent
from cardkit.pkcs11.joined import JoinedReaders
from cardkit.pkcs11.readers import Pkcs11Readers
from cardkit.readers import Readers
from zorgid.demo.uzi_register.cards import TestCard
from zorgid.protocol.context import Purpose
from zorgid.protocol.links import parse_link
from zorgid_desktop.flow.asking import (
    AskPin,
    AskPuk,
    Cancelled,
    CardKind,
    ChooseCard,
    ChoosePin,
    InsertCard,
    NewPin,
    Question,
    Said,
    SeenCard,
    Wanted,
)
from zorgid_desktop.flow.choosing import look
from zorgid_desktop.flow.login import LoggedIn, Surroundings, log_in
from zorgid_desktop.flow.making import make_card
from zorgid_desktop.modules import MODULE_VARIABLE, modules_for
from zorgid_desktop.pins import ask_puk_and_unblock, change_pin, with_own_card
from zorgid_desktop.server import PlatformRefused

IDS = {"authentication": "a77e57", "signature": "51691a", "confidentiality": "c0f1de"}


class NoService:
    """A computer without a PC/SC service: all that is there is behind the module."""

    def present(self) -> list[Any]:
        raise ReaderServiceAbsent

    def wait(self, seconds: float) -> bool:
        return False


@dataclass
class Holder:
    """Types the PIN, and takes the card with the own name when several fit."""

    pin: str
    name: str
    asked: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    holders: list[str] = field(default_factory=list)
    first_tries: list[str] = field(default_factory=list)

    def ask(self, question: Question[Any]) -> Any:
        self.asked.append(type(question).__name__)
        if question.trouble is not None:
            self.troubles.append(question.trouble.code)
        match question:
            case InsertCard():
                if len(self.troubles) > 3:
                    raise Cancelled
                return None
            case AskPin(holder=holder):
                self.holders.append(holder)
                return self.first_tries.pop(0) if self.first_tries else self.pin
            case ChooseCard(cards=cards):
                return [card.holder for card in cards].index(self.name)
        raise AssertionError(question)

    def tell(self, said: Said) -> None:
        pass


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[Path]:
    """SoftHSM2 without tokens; the folder in which to make them."""
    with softhsm(tmp_path):
        yield tmp_path


def put_on_token(folder: Path, card: TestCard) -> None:
    """Make a token with the keys and certificates of a test UZI card, with the tools of others."""
    _run(
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        card.label,
        "--so-pin",
        card.puk,
        "--pin",
        card.pin,
    )
    for usage, key in card.keys.items():
        pem, der = folder / "key.pem", folder / "certificate.der"
        pem.write_bytes(key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        der.write_bytes(key.certificate.public_bytes(Encoding.DER))
        name = (
            "--token",
            card.label,
            "--label",
            f"object {usage[:3]}",
            "--id",
            IDS[usage],
            "--pin",
            card.pin,
        )
        _run("softhsm2-util", "--import", str(pem), *name)
        token = ("--module", SOFTHSM, "--token-label", card.label, "--login", "--pin", card.pin)
        written = ("--write-object", str(der), "--type", "cert", "--id", IDS[usage], "--label", "x")
        _run("pkcs11-tool", *token, *written)


def _run(*command: str) -> None:
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def readers_by_setting() -> Readers:
    """Return the readers of a computer on which only the setting was made."""
    return JoinedReaders(NoService(), Pkcs11Readers(modules_for({MODULE_VARIABLE: SOFTHSM})))


def logged_in(world: Scenario, holder: Holder) -> tuple[LoggedIn, str]:
    """Walk a whole login at the portal; returns what was proved, and the page that came of it."""
    visitor = world.visitor()
    pages = []
    try:
        link = parse_link(world.run(visitor.open(f"{ORIGIN}/portal/login")).launch_link)
        world.secrets.add(link.handle.text_for_wire())
        with ExitStack() as stack:
            platform = stack.enter_context(world.app())

            def open_browser(address: str, _: Any) -> None:
                pages.append(world.run(visitor.complete(address)))

            around = Surroundings(platform, readers_by_setting(), open_browser, world.clock)
            done = log_in(around, holder, link)
        return done, pages[-1].text
    finally:
        world.run(visitor._client.aclose())


def holder_of(world: Scenario, label: str) -> Holder:
    card = world.uzi(label)
    world.secrets |= {card.pin, card.puk}
    return Holder(card.pin, card.person.names.full_name)


@pytest.mark.parametrize("label", [EMPLOYEE, DOCTOR])
def test_a_uzi_card_behind_a_module_logs_in(world: Scenario, modules: Path, label: str) -> None:
    """LOGIN-2: nothing but a setting was needed; the certificate is found by its key usage."""
    put_on_token(modules, world.uzi(label))
    holder = holder_of(world, label)
    done, page = logged_in(world, holder)
    assert done.context.purpose is Purpose.login
    assert (done.card.kind, done.card.number) == (CardKind.uzi_card, world.uzi(label).person.uzi_number)
    assert holder.asked == ["InsertCard", "AskPin"]
    assert holder.holders == [holder.name]
    assert "Log uit" in page


def test_a_wrong_pin_is_asked_again_and_nobody_stays_logged_in(world: Scenario, modules: Path) -> None:
    """PIN-1, ALL-2: each PIN that is typed is one try."""
    put_on_token(modules, world.uzi(EMPLOYEE))
    holder = holder_of(world, EMPLOYEE)
    holder.first_tries = ["Fout999", "kort"]
    _, page = logged_in(world, holder)
    assert holder.asked == ["InsertCard", "AskPin", "AskPin", "AskPin"]
    assert holder.troubles == ["pin-wrong-tries-unknown", "pin-unfit"]
    assert "Log uit" in page


def test_of_two_cards_behind_modules_the_holder_takes_one(world: Scenario, modules: Path) -> None:
    """Several at one desk: each named by holder and number."""
    for label in (EMPLOYEE, DOCTOR):
        put_on_token(modules, world.uzi(label))
    holder = holder_of(world, DOCTOR)
    done, _ = logged_in(world, holder)
    assert holder.asked == ["InsertCard", "ChooseCard", "AskPin"]
    assert done.card.holder == holder.name


def test_the_list_of_cards_shows_what_is_behind_a_module(world: Scenario, modules: Path) -> None:
    put_on_token(modules, world.uzi(EMPLOYEE))
    (seen,) = look(readers_by_setting()).cards
    assert isinstance(seen, SeenCard)
    assert (seen.holder, seen.kind) == (world.name_on(EMPLOYEE), CardKind.uzi_card)
    assert seen.valid_until is not None


def test_a_card_of_the_wrong_issuer_behind_a_module_is_refused_as_any_other(
    world: Scenario, modules: Path
) -> None:
    """CARD-2: the platform judges the certificate, wherever the key is."""
    bad = next(card for card in world.world.register.cards if card.expected == "uzi-issuer-unknown")
    put_on_token(modules, bad)
    with pytest.raises(PlatformRefused) as refused:
        logged_in(world, holder_of(world, bad.label))
    assert refused.value.problem.code == bad.expected


class AtTwoReaders(Maker):
    """Has the UZI card behind the module, and puts the blank one into the reader."""

    def answer(self, question: Question[Any]) -> Any:
        match question:
            case InsertCard(wanted=Wanted.uzi_card | Wanted.login_card):
                self.scenario.reader.remove()
                return None
        return super().answer(question)


def test_a_smartcard_is_made_with_a_uzi_card_behind_a_module(world: Scenario, modules: Path) -> None:
    """CARD-1: the whole main job, with two drivers at one desk."""
    put_on_token(modules, world.uzi(EMPLOYEE))
    blank = world.blank()
    maker = AtTwoReaders(**vars(world.maker(EMPLOYEE, blank)))
    visitor = world.visitor()
    try:
        link = world.begin(visitor)
        with world.app() as platform:
            around = world.around(platform, visitor)
            readers = JoinedReaders(around.readers, Pkcs11Readers(modules_for({MODULE_VARIABLE: SOFTHSM})))
            around = replace(around, readers=readers)
            log_in(around, maker, link)
            make_card(around, maker, link)
    finally:
        world.run(visitor._client.aclose())
    assert world.blank_state(blank) == "used"
    assert [card["state"] for card in world.cards(EMPLOYEE)] == ["active"]
    assert not maker.troubles


class Changing(Holder):
    """Chooses another PIN, and knows the PUK."""

    new_pin = "Nieuw123"
    puk = ""

    def ask(self, question: Question[Any]) -> Any:
        match question:
            case ChoosePin():
                return NewPin(self.new_pin, self.new_pin)
            case AskPuk():
                return self.puk
        return super().ask(question)


def test_the_pin_of_a_card_behind_a_module_is_changed_and_replaced_by_its_puk(
    world: Scenario, modules: Path
) -> None:
    """PIN-2: where the module can; the same steps as with a Smartcard."""
    card = world.uzi(EMPLOYEE)
    put_on_token(modules, card)
    holder = Changing(card.pin, card.person.names.full_name)
    holder.puk = card.puk
    with_own_card(readers_by_setting(), holder, change_pin)
    holder.pin, holder.new_pin = holder.new_pin, "Derde456"
    with_own_card(readers_by_setting(), holder, change_pin)
    holder.new_pin = "Vierde78"
    with_own_card(readers_by_setting(), holder, ask_puk_and_unblock)
    holder.pin = holder.new_pin
    _, page = logged_in(world, holder)
    assert "Log uit" in page
    assert holder.troubles == []
