"""`zorgid-desktop` in a terminal: what it answers, and that a bad link never reaches a network."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cardkit.virtual import VirtualReader, make_blank_card, make_uzi_like_card
from zorgid.protocol.links import Browser
from zorgid_desktop.browsers import PROGRAMS, open_in_browser
from zorgid_desktop.cli import main
from zorgid_desktop.environments import DEMO_ORIGIN, EnvironmentUnknown, origin_of
from zorgid_desktop.flow.birth_dates import birth_date_in

HANDLE = "AAECAwQFBgcICQoLDA0ODw"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    reader = VirtualReader(tmp_path)
    reader.add("leeg-1", make_blank_card(20_000_001))
    reader.add("uzi-niemand", make_uzi_like_card(10_000_001, {}, pin="123456"))
    return tmp_path


def run(folder: Path, *words: str) -> int:
    return main(["--cards-folder", str(folder), *words])


@pytest.mark.parametrize("words", [["--help"], ["open", "--help"], ["cards", "--help"], ["pin", "--help"]])
def test_help_is_there_for_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert "zorgid-desktop" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["opne"], ["open"], ["cards", "--yaml"], ["pin"], ["pin", "forget"]])
def test_wrong_words_are_told_with_exit_code_two(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_cards_are_listed_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "cards", "--json") == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["leeg-1", "uzi-niemand"]
    known = {"name": "leeg-1", "serial": "20000001", "holder": None, "valid_until": None, "pin_tries_left": 3}
    assert rows[0].items() >= known.items()


def test_a_reader_of_the_list_who_stops_early_is_no_trouble(folder: Path) -> None:
    words = ["--cards-folder", str(folder), "cards"]
    start = f"import sys; from zorgid_desktop.cli import main; sys.exit(main({words!r}))"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", start], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_cards_are_listed_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "cards") == 0
    assert "leeg-1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("zorg-id:auth", "link"),
        (f"zorg-id:auth?v=1&e=demo&h={HANDLE}&b=edge&u=https://evil.example", "link"),
        (f"zorg-id:auth?v=2&e=demo&h={HANDLE}&b=edge", "link"),
        ("https://evil.example/", "link"),
        (f"zorg-id:auth?v=1&e=production&h={HANDLE}&b=edge", "omgeving"),
    ],
)
def test_a_bad_link_is_refused_in_a_sentence(
    folder: Path, link: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    assert run(folder, "open", link) == 1
    told = capsys.readouterr().out
    assert told.strip().startswith("!")
    assert words in told
    assert "Traceback" not in told
    assert HANDLE not in told


def test_without_cards_the_demo_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "open", f"zorg-id:auth?v=1&e=demo&h={HANDLE}&b=edge") == 1
    assert "make demo" in capsys.readouterr().out


def test_a_platform_that_does_not_answer_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZORGID_DESKTOP_DEMO_ORIGIN", "http://127.0.0.1:9")
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert run(folder, "open", f"zorg-id:auth?v=1&e=demo&h={HANDLE}&b=edge") == 1
    assert "!" in capsys.readouterr().out


def test_help_loads_nothing_it_does_not_need() -> None:
    """No work at import that a command does not need."""
    code = (
        "import sys, zorgid_desktop.cli as cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('LOADED', sorted({'httpx', 'cryptography', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout


@pytest.mark.parametrize("environment", ["production", "acceptance", "", "demo2", "http"])
def test_a_link_names_no_place_of_its_own(environment: str) -> None:
    with pytest.raises(EnvironmentUnknown):
        origin_of(environment, {})


def test_only_the_demo_can_be_moved() -> None:
    assert origin_of("demo", {}) == DEMO_ORIGIN
    assert origin_of("demo", {"ZORGID_DESKTOP_DEMO_ORIGIN": "http://localhost:1"}) == "http://localhost:1"


def test_browsers_are_started_by_a_fixed_list_and_without_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/desktop-protocol.md, chapter 6."""
    started: list[Any] = []
    monkeypatch.setattr("zorgid_desktop.browsers.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(
        "zorgid_desktop.browsers.subprocess.Popen",
        lambda command, **options: started.append((command, options)),
    )
    address = "https://id.example/oauth/complete#a.b;$(calc)"
    for browser, programs in PROGRAMS.items():
        assert open_in_browser(address, browser)
        command, options = started.pop()
        assert command == [f"/usr/bin/{programs[0]}", address]
        assert "shell" not in options


def test_a_browser_that_is_not_there_means_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("zorgid_desktop.browsers.shutil.which", lambda _: None)

    class Default:
        def open(self, address: str) -> bool:
            opened.append(address)
            return True

    monkeypatch.setattr("zorgid_desktop.browsers.webbrowser.get", Default)
    assert open_in_browser("https://id.example/", Browser.edge)
    assert open_in_browser("https://id.example/", Browser.default)
    assert len(opened) == 2


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("31-3-1980", "1980-03-31"),
        (" 31/03/1980 ", "1980-03-31"),
        ("31.03.1980", "1980-03-31"),
        ("31 3 1980", "1980-03-31"),
        ("29-2-2000", "2000-02-29"),
        ("29-2-1900", None),
        ("31-4-1980", None),
        ("1980-03-31", None),
        ("31-3-80", None),
        ("31 maart 1980", None),
        ("", None),
    ],
)
def test_a_birth_date_is_read_as_day_month_year(typed: str, found: str | None) -> None:
    day = birth_date_in(typed)
    assert (day.isoformat() if day else None) == found
