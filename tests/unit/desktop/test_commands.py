"""The commands of the app with somebody at the keyboard: PIN and PUK, cards that are busy or absent, exit codes (PIN-2)."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.desktop.builders import (
    DIGITS,
    HOLDER,
    PIN,
    PUK,
    ScriptedFace,
    Terminal,
    a_blank_in,
    a_card_in,
    a_named_card,
    an_act,
)

from cardkit import errors
from cardkit.card import CertificateUsage
from cardkit.readers import PivReader
from cardkit.secrets import Pin
from cardkit.virtual import Mode, VirtualReader, make_blank_card
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import Browser, parse_link
from zorgid.protocol.messages import Problem
from zorgid_desktop import cli, server
from zorgid_desktop.flow.asking import Cancelled, CardKind, InsertCard, Said, SeenCard, Wanted
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.flow.ending import why_it_ended
from zorgid_desktop.flow.login import LoggedIn
from zorgid_desktop.listing import ToldTray, by_name, in_words, rows_of_tray
from zorgid_desktop.refused import unanswered
from zorgid_desktop.run import run_link
from zorgid_desktop.server import PlatformRefused, PlatformUnreachable
from zorgid_desktop.texts import catalogue, language_of, sentence
from zorgid_desktop.workplace import Workplace

HANDLE = "AAECAwQFBgcICQoLDA0ODw"
LINK = f"zorg-id:auth?v=1&e=demo&h={HANDLE}&b=firefox"
NEW = "Linde25"

Run = Callable[..., tuple[int, Terminal]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with somebody at the keyboard; gives the exit code and the terminal."""

    def run(*words: str, typed: tuple[Any, ...] = (), hidden: tuple[Any, ...] = ()) -> tuple[int, Terminal]:
        terminal = Terminal(tmp_path, *typed, hidden=hidden)
        place = Workplace(terminal.readers, terminal.reader)
        monkeypatch.setattr(cli, "_start", lambda _: (place, terminal.face))
        return cli.main(["--cards-folder", str(tmp_path), *words]), terminal

    return run


def text_of(code: str, **facts: Any) -> str:
    return catalogue().sentence(code, facts, Language.nl).text


def test_a_pin_is_changed_at_the_keyboard(tmp_path: Path, run: Run) -> None:
    """PIN-2, ALL-4: old once, new twice, and none of it on the screen."""
    a_card_in(tmp_path)
    code, terminal = run("pin", "change", typed=("1",), hidden=(PIN, NEW, NEW))
    assert code == 0
    assert f"kaart van {HOLDER}" in terminal.screen
    assert text_of("pin-changed") in terminal.screen
    assert [secret for secret in (PIN, NEW) if secret in terminal.screen] == []
    with PivReader(terminal.reader).open_card() as card:
        card.verify_pin(Pin(NEW))


def test_a_blocked_pin_leads_to_unblocking_at_the_keyboard(tmp_path: Path, run: Run) -> None:
    """PIN-1, PIN-2."""
    a_card_in(tmp_path)
    code, terminal = run("pin", "change", typed=("anna",), hidden=(DIGITS, DIGITS, DIGITS))
    assert code == 1
    assert "zorgid-desktop pin unblock" in terminal.screen
    assert [prompt for prompt in terminal.hidden_prompts if "nog" in prompt] == [
        "Pincode (nog 3 keer): ",
        "Pincode (nog 2 keer): ",
        "Pincode (nog 1 keer): ",
    ]
    code, terminal = run("pin", "unblock", typed=("anna",), hidden=(PUK, NEW, NEW))
    assert code == 0
    assert PUK not in terminal.screen
    with PivReader(terminal.reader).open_card() as card:
        card.verify_pin(Pin(NEW))


def test_a_puk_that_is_wrong_three_times_leads_to_a_new_card(tmp_path: Path, run: Run) -> None:
    """PIN-4."""
    a_card_in(tmp_path)
    wrong = ("87654321", NEW, NEW)
    code, terminal = run("pin", "unblock", typed=("1",), hidden=wrong * 3)
    assert code == 1
    assert "U hebt een nieuwe kaart nodig." in terminal.screen
    assert "webwinkel" in terminal.screen
    code, terminal = run("pin", "unblock", typed=("1",))
    assert (code, terminal.hidden_prompts) == (1, [])
    assert text_of("puk-blocked") in terminal.screen


@pytest.mark.parametrize(
    ("act", "code"), [("change", "cancelled-pin-change"), ("unblock", "cancelled-unblocking")]
)
@pytest.mark.parametrize("typed", [("stop",), ("anna",), (KeyboardInterrupt(),)])
def test_who_stops_at_a_pin_is_told_how_to_do_it_again(
    act: str, code: str, typed: tuple[Any, ...], tmp_path: Path, run: Run
) -> None:
    """ALL-2: there is no page that such a person came from."""
    a_card_in(tmp_path)
    exit_code, terminal = run("pin", act, typed=typed, hidden=("stop",))
    assert exit_code == 1
    assert f"! {text_of(code)}" in terminal.shown
    assert f"zorgid-desktop pin {act}" in terminal.screen
    assert "pagina" not in terminal.screen


@pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
@pytest.mark.parametrize(
    ("stopped_in", "code"), [("log_in", "cancelled-login"), ("make_card", "cancelled-making")]
)
def test_who_stops_on_the_way_of_a_link_is_told_where_to_begin_again(
    stopped_in: str, code: str, stop: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ALL-2."""

    def stopped(*_: Any) -> None:
        raise stop

    logged_in = LoggedIn(an_act(), SeenCard("Links", CardKind.uzi_card))
    monkeypatch.setattr("zorgid_desktop.run.log_in", lambda *_: logged_in)
    monkeypatch.setattr(f"zorgid_desktop.run.{stopped_in}", stopped)
    around: Any = None
    with pytest.raises(Cancelled) as ended:
        run_link(around, ScriptedFace(), parse_link(LINK))
    assert why_it_ended(ended.value) == Said(code)


@pytest.mark.parametrize("words", [("open", LINK), ("pin", "change"), ("pin", "unblock"), ("cards",)])
def test_a_folder_without_cards_asks_nothing_and_says_how_to_get_some(
    words: tuple[str, ...], tmp_path: Path, run: Run
) -> None:
    """ALL-2."""
    code, terminal = run(*words)
    assert code == 1
    assert text_of("no-cards", folder=tmp_path) in terminal.screen
    assert "make demo" in terminal.screen
    assert terminal.prompts == []


def test_no_cards_as_json_are_an_empty_list(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cards", "--json")[0] == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_list_of_cards_tells_the_holder_and_takes_no_try(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = a_card_in(tmp_path)
    a_blank_in(tmp_path)
    with PivReader(reader).open_card() as card:
        until = card.certificate_for(CertificateUsage.authentication).certificate.not_valid_after_utc
    assert run("cards", "--json")[0] == 0
    anna, blank = json.loads(capsys.readouterr().out)
    assert (anna["name"], anna["holder"], anna["valid_until"]) == ("anna", HOLDER, f"{until:%Y-%m-%d}")
    assert (anna["serial"], anna["pin_tries_left"]) == ("4242", 3)
    assert (blank["name"], blank["holder"], blank["valid_until"]) == ("leeg", None, None)


KEYS = ["name", "kind", "serial", "holder", "number", "issuer", "valid_until", "pin_tries_left", "trouble"]


def test_every_card_has_the_same_keys_as_json_whatever_its_trouble(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """ALL-2: a program looks for no key in vain."""
    tray = a_card_in(tmp_path)
    a_blank_in(tmp_path)
    a_named_card(tray, "sanne", "Sanne", "900000123", is_smartcard=True)
    a_blank_in(tmp_path, "stuk")
    tray.file("stuk").path.write_text("{}")
    assert run("cards", "--json")[0] == 0
    told = json.loads(capsys.readouterr().out)
    assert [list(one) for one in told] == [KEYS] * 4
    anna, blank, sanne, broken = told
    assert [one["kind"] for one in told] == ["other", "blank", "smartcard", None]
    assert (sanne["holder"], sanne["number"], sanne["issuer"]) == ("Sanne", "900000123", "Sanne")
    assert [one["trouble"] for one in (anna, blank, sanne)] == [None] * 3
    said = sentence(Said("card-file-unreadable"), language_of())
    assert broken["trouble"] == {
        "code": "card-file-unreadable",
        "sentence": f"{said.text} {said.next_step}",
    }
    assert [broken[key] for key in KEYS[1:-1]] == [None] * 7


def test_the_shape_of_a_listed_card_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs/operator.md").read_text(encoding="utf-8")
    table = text[text.index("### `cards --json`") :].split("\n\n")[2]
    assert [line.split("`")[1] for line in table.splitlines()[2:]] == KEYS


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            Language.nl,
            {
                "anna": "UZI-pas van Anna, UZI-nummer 900000123, uitgegeven door Anna",
                "leeg-1": "ZORG-ID Smartcard van Sanne, UZI-nummer 900000124, chipnummer 4242, uitgegeven door Sanne",
                "leeg-2": "Lege kaart, nog van niemand, zonder chipnummer",
                "vreemd": f"Andere kaart van {HOLDER}, uitgegeven door {HOLDER}",
            },
        ),
        (
            Language.en,
            {
                "anna": "UZI card of Anna, UZI number 900000123, issued by Anna",
                "leeg-1": "ZORG-ID Smartcard of Sanne, UZI number 900000124, chip number 4242, issued by Sanne",
                "leeg-2": "Blank card, nobody's yet, without a chip number",
                "vreemd": f"Another card of {HOLDER}, issued by {HOLDER}",
            },
        ),
    ],
)
def test_each_card_is_said_in_plain_words_whatever_its_file_is_called(
    tmp_path: Path, language: Language, words: dict[str, str]
) -> None:
    """ALL-1, ALL-2: of `leeg-1` a Smartcard was made, and its name does not tell; nothing moves by looking."""
    tray = a_card_in(tmp_path, "vreemd")
    a_named_card(tray, "anna", "Anna", "900000123")
    a_named_card(tray, "leeg-1", "Sanne", "900000124", is_smartcard=True)
    tray.add("leeg-2", make_blank_card(1, mode=Mode.strict))
    told = ToldTray(tray)
    assert {name: in_words(told.told(name), language) for name in told.cards} == words
    assert (tray.inserted, tray.apdu_count) == ("vreemd", 0)
    terminal = Terminal(tmp_path, "anna", language=language)
    terminal.face.ask(InsertCard(None, Wanted.uzi_card))
    shown = " ".join(terminal.screen.split())
    short = {name: by_name(told.told(name), language) for name in told.cards}
    assert all(words[name].startswith(text) for name, text in short.items())
    assert [name for name, text in short.items() if f"{name} {text}" not in shown] == []
    lines = [row.for_people(language) for row in rows_of_tray(tray)]
    assert [line for line, text in zip(lines, words.values(), strict=True) if not line.endswith(text)] == []


def test_two_smartcards_of_one_holder_are_told_apart_by_their_chips(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """ALL-2: one of them may be a card whose making was broken off, which only the platform knows."""
    tray = VirtualReader(tmp_path)
    a_named_card(tray, "leeg-1", "Sanne", "900000124", is_smartcard=True, serial=20_000_001)
    code, terminal = run("cards")
    assert (code, terminal.screen) == (0, "")
    a_named_card(tray, "leeg-2", "Sanne", "900000124", is_smartcard=True, serial=20_000_002)
    capsys.readouterr()
    code, terminal = run("cards")
    listed = capsys.readouterr().out
    assert [number in listed for number in ("20000001", "20000002")] == [True, True]
    assert text_of("smartcards-alike") in " ".join(terminal.screen.replace("!", " ").split())
    assert run("cards", "--json")[1].screen == ""
    _, terminal = run("pin", "change", typed=("stop",))
    assert [number in terminal.screen for number in ("20000001", "20000002")] == [True, True]


@pytest.mark.parametrize("words", [("cards",), ("cards", "--json")])
def test_a_card_that_another_program_holds_is_listed_as_in_use(
    words: tuple[str, ...], tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = a_card_in(tmp_path)
    with PivReader(reader).open_card():
        assert run(*words)[0] == 0
    listed = capsys.readouterr().out
    assert text_of("card-busy") in listed or json.loads(listed)[0]["trouble"]["code"] == "card-busy"


def test_a_card_that_another_program_holds_is_not_touched(tmp_path: Path, run: Run) -> None:
    reader = a_card_in(tmp_path)
    with PivReader(reader).open_card():
        code, terminal = run("pin", "change", typed=("1",))
    assert code == 1
    assert text_of("card-busy") in terminal.screen


PROBLEM = Problem(
    type="about:blank",
    title="Verlopen",
    status=410,
    code="login-expired",
    detail="Er zijn meer dan vijf minuten voorbij.",
    next_step="Begin opnieuw.",
    facts={},
    reference="A1B2",
)
ENDS: dict[str, tuple[BaseException, str]] = {
    "cancelled": (Cancelled(), text_of("cancelled")),
    "interrupted": (KeyboardInterrupt(), text_of("cancelled")),
    "stopped": (FlowStopped(Said("login-aborted")), text_of("login-aborted")),
    "refused": (PlatformRefused(PROBLEM), "Er zijn meer dan vijf minuten voorbij."),
    "unreachable": (PlatformUnreachable(), text_of("platform-unreachable")),
    "demo not running": (
        unanswered("http://localhost:8600"),
        text_of("nothing-answers-here", origin="http://localhost:8600"),
    ),
    "empty reader": (errors.ReaderEmpty(), text_of("reader-empty")),
    "card gone": (errors.CardGone(), text_of("card-gone")),
    "card busy": (errors.CardBusy(), text_of("card-busy")),
    "other card": (errors.CardNotRecognised(), text_of("card-not-recognised")),
    "blank card": (errors.CertificateMissing(usage="authentication"), text_of("certificate-missing")),
    "odd answer": (errors.CardAnswerMalformed(), text_of("card-trouble")),
    "odd status": (errors.CardRefused(status=0x6F00, command="VERIFY"), text_of("card-trouble")),
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_a_flow_is_said_in_a_sentence_with_exit_code_one(end: str, tmp_path: Path) -> None:
    """ALL-2."""
    error, text = ENDS[end]

    def flow() -> None:
        raise error

    terminal = Terminal(tmp_path)
    assert cli._explained(terminal.face, partial(flow)) == 1
    assert text in " ".join(terminal.screen.replace("!", " ").split())
    assert "6F00" not in terminal.screen


def test_a_fault_of_the_app_itself_is_a_sentence_with_a_reference_and_none_of_its_words(
    tmp_path: Path,
) -> None:
    """ALL-2, ALL-4: the words of an error may hold what a person typed."""

    def broken() -> None:
        raise ZeroDivisionError(PIN)

    terminal = Terminal(tmp_path)
    assert cli._explained(terminal.face, broken) == 1
    assert text_of("unforeseen", reference="") in terminal.screen
    assert "ZeroDivisionError/test_commands:" in terminal.screen
    assert PIN not in terminal.screen
    assert "Traceback" not in terminal.screen


ADDRESS = "https://id.example/oauth/complete#AAAA.BBBB"


@pytest.mark.parametrize(("is_printed", "opens"), [(True, True), (False, True), (False, False)])
def test_the_address_is_shown_when_asked_for_or_when_no_browser_opens(
    is_printed: bool, opens: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ALL-4: it holds a one-time code, so it is not shown where a browser got it."""
    tried: list[tuple[str, Browser]] = []

    def open_in_browser(address: str, browser: Browser) -> bool:
        tried.append((address, browser))
        return opens

    monkeypatch.setattr("zorgid_desktop.browsers.open_in_browser", open_in_browser)
    terminal = Terminal(tmp_path)
    cli._open_browser(terminal.face, ADDRESS, Browser.firefox, is_printed=is_printed)
    assert tried == ([] if is_printed else [(ADDRESS, Browser.firefox)])
    assert (ADDRESS in terminal.screen) is (is_printed or not opens)
    hint = "Zet --print-address achter zorgid-desktop open"
    assert (hint in " ".join(terminal.screen.split())) is (opens and not is_printed)


@pytest.mark.parametrize(
    ("link", "code"),
    [
        (LINK.replace("e=demo", "e=production"), "environment-unknown"),
        (LINK.replace("e=demo", "e=acceptance"), "environment-unknown"),
        (LINK + "&x=1", "link-malformed"),
        (LINK.replace("zorg-id", "https"), "link-malformed"),
        (LINK.replace(HANDLE, "%41" * 22), "link-malformed"),
        ("", "link-malformed"),
    ],
)
def test_a_link_that_cannot_be_followed_touches_neither_card_nor_network(
    link: str, code: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LOGIN-5."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a platform was called")

    monkeypatch.setattr(server.Platform, "__init__", refuse)
    a_card_in(tmp_path)
    exit_code, terminal = run("open", link)
    assert exit_code == 1
    assert text_of(code) in terminal.screen
    assert HANDLE not in terminal.screen
    assert terminal.reader.apdu_count == 0


def test_a_refusal_of_the_platform_is_read_by_who_opened_the_link(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(origin: str, *, language: Language) -> server.Platform:
        answer = httpx.MockTransport(lambda _: httpx.Response(410, json=PROBLEM.model_dump()))
        return own(origin, language=language, transport=answer)

    own = server.Platform
    monkeypatch.setattr(server, "Platform", refusing)
    a_card_in(tmp_path)
    code, terminal = run("open", LINK)
    assert code == 1
    assert "! Er zijn meer dan vijf minuten voorbij." in terminal.shown
    assert "! Begin opnieuw." in terminal.shown


def test_the_folder_of_cards_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    a_blank_in(other, "daar")
    a_blank_in(tmp_path / "here", "hier")
    assert cli.main(["--cards-folder", str(other), "cards"]) == 0
    assert capsys.readouterr().out.split()[0] == "daar"
    assert VirtualReader(other).inserted is None
