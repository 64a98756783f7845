"""Which readers `zorgid-desktop` uses: real ones first, the demo's cards where there is no real card (decision 0510)."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.desktop.builders import HOLDER, PIN, Desk, a_card_in, a_context, an_act

from cardkit.errors import ReaderServiceAbsent
from cardkit.readers import PivReader
from zorgid.protocol.context import Context
from zorgid_desktop import cli, workplace
from zorgid_desktop.flow.asking import CardKind, SeenCard
from zorgid_desktop.flow.login import LoggedIn
from zorgid_desktop.workplace import workplace_with


class NoService:
    def present(self) -> Sequence[PivReader]:
        raise ReaderServiceAbsent

    def wait(self, seconds: float) -> bool:
        raise AssertionError(seconds)


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Two readers as if they were real, on a computer with the demo's folder."""
    (tmp_path / "real").mkdir()
    desk = Desk(tmp_path / "real")
    a_card_in(tmp_path / "var/cards", "virtueel")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workplace, "readers_here", lambda: desk)
    return desk


def test_a_real_card_goes_before_the_demo(real: Desk) -> None:
    a_card_in(real.folder)
    real.right.insert("anna")
    found = workplace_with(None)
    assert (found.readers, found.tray) == (real, None)


@pytest.mark.parametrize("missing", ["card", "reader", "service"])
def test_without_a_real_card_the_cards_of_the_demo_serve(
    real: Desk, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "reader":
        real.unplugged = {"Links", "Rechts"}
    if missing == "service":
        monkeypatch.setattr(workplace, "readers_here", NoService)
    found = workplace_with(None)
    assert found.tray is not None
    assert found.tray.cards == ["virtueel"]


def test_outside_the_folder_of_the_demo_no_virtual_card_appears(
    real: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(real.folder)
    assert workplace_with(None).tray is None


def test_a_production_build_uses_no_card_of_the_demo(real: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workplace, "HAS_VIRTUAL_CARDS", False)
    assert workplace_with(None).tray is None


def test_a_folder_that_is_named_always_counts(real: Desk, tmp_path: Path) -> None:
    a_card_in(real.folder)
    real.right.insert("anna")
    a_card_in(tmp_path / "mine", "mijn")
    found = workplace_with(tmp_path / "mine")
    assert found.tray is not None
    assert found.tray.cards == ["mijn"]


def test_the_cards_in_real_readers_are_listed(real: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    a_card_in(real.folder)
    real.right.insert("anna")
    before = real.files()
    assert cli.main(["cards", "--json"]) == 0
    empty, anna = json.loads(capsys.readouterr().out)
    assert (empty["name"], empty["trouble"]["code"], empty["holder"]) == ("Links", "reader-empty", None)
    assert (anna["name"], anna["holder"], anna["pin_tries_left"]) == ("Rechts", HOLDER, 3)
    assert real.files() == before


@pytest.mark.parametrize(
    ("words", "code"), [(("cards",), 1), (("cards", "--json"), 1), (("pin", "change"), 1)]
)
def test_a_computer_without_a_service_of_readers_says_so(
    words: tuple[str, ...],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """ALL-2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    monkeypatch.setattr(workplace, "readers_here", NoService)
    monkeypatch.setattr("builtins.input", lambda _: "stop")
    assert cli.main(list(words)) == code
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    if words[0] == "cards":
        assert "De dienst voor paslezers" in " ".join((told.out + told.err).split())


def test_a_pin_is_changed_in_a_real_reader(
    real: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PIN-2: the card is in, so nobody is asked to put it in."""
    a_card_in(real.folder)
    real.left.insert("anna")
    hidden = iter([PIN, "Linde25", "Linde25"])
    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("nothing to type"))
    monkeypatch.setattr(cli, "_start", _start_with(real, hidden))
    assert cli.main(["pin", "change"]) == 0
    assert real.left.card_state("anna").pin.tries_left == 3


def _start_with(desk: Desk, hidden: object) -> object:
    from zorgid.kernel.sentences import Language
    from zorgid_desktop.terminal import TerminalFace
    from zorgid_desktop.workplace import Workplace

    def start(_: object) -> tuple[Workplace, TerminalFace]:
        face = TerminalFace(desk, Language.nl, read_hidden=lambda _: next(hidden))  # type: ignore[call-overload]
        return Workplace(desk), face

    return start


LINK = "zorg-id:auth?v=1&e=demo&h=AAECAwQFBgcICQoLDA0ODw&b=firefox"
CARD = SeenCard("Links", CardKind.smartcard, "1", HOLDER)


@pytest.mark.parametrize(
    ("words", "is_real", "context", "is_watched"),
    [
        (("open", LINK), True, a_context(), True),
        (("open", "--no-watch", LINK), True, a_context(), False),
        (("open", LINK), True, an_act(), False),
        (("open", LINK), False, a_context(), False),
    ],
    ids=["a login", "as asked", "a making", "a virtual card"],
)
def test_the_card_of_a_login_is_watched_where_it_can_be_pulled(
    real: Desk,
    words: tuple[str, ...],
    is_real: bool,
    context: Context,
    is_watched: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LOGIN-10."""
    watched: list[LoggedIn] = []

    def watch(_: object, __: object, ___: object, logged_in: LoggedIn) -> None:
        watched.append(logged_in)
        raise KeyboardInterrupt  # Ctrl-C ends the watch, and the command as it should

    monkeypatch.setattr("zorgid_desktop.run.run_link", lambda *_: LoggedIn(context, CARD))
    monkeypatch.setattr("zorgid_desktop.flow.watching.watch_card", watch)
    if is_real:
        a_card_in(real.folder)
        real.right.insert("anna")
    assert cli.main(list(words)) == 0
    assert bool(watched) is is_watched


def test_listing_loads_no_more_than_it_needs() -> None:
    """Issue: `zorgid-desktop` starts in under half a second."""
    code = (
        "import sys, zorgid_desktop.cli as cli\n"
        f"cli.main(['--cards-folder', {str(Path(__file__).parent)!r}, 'cards', '--json'])\n"
        "print('LOADED', sorted({'PySide6', 'pkcs11', 'smartcard', 'httpx', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout
