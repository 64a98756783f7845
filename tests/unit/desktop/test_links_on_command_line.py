"""A link as a launcher hands it over: one word after `--`, whatever is in it, and nothing of it is written anywhere."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cardkit.virtual import VirtualReader, make_uzi_like_card
from zorgid_desktop import cli, server
from zorgid_desktop.cli import main

HANDLE = "AAECAwQFBgcICQoLDA0ODw"
GOOD = f"zorg-id:auth?v=1&e=demo&h={HANDLE}&b=firefox"
TOOL = Path(sys.executable).with_name("zorgid-desktop")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    VirtualReader(tmp_path).add("uzi-niemand", make_uzi_like_card(10_000_001, {}, pin="123456"))
    return tmp_path


@pytest.fixture
def no_platform(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is called; the origins that the app would call are kept."""
    called: list[str] = []

    def refuse(origin: str, **_: Any) -> None:
        called.append(origin)
        raise server.PlatformUnreachable

    monkeypatch.setattr(server, "Platform", refuse)
    return called


HOSTILE = {
    "empty": "",
    "scheme only": "zorg-id:",
    "percent-encoded": GOOD.replace("=", "%3D").replace("&", "%26"),
    "percent-encoded sign in the handle": GOOD.replace("AAEC", "%41AEC"),
    "percent-encoded newline": GOOD + "%0a",
    "newline": GOOD + "\n",
    "NUL": GOOD + "\x00",
    "NUL in between": GOOD.replace("&b", "\x00&b"),
    "blank before": " " + GOOD,
    "blank and an option": GOOD + " --print-address",
    "quoted": f'"{GOOD}"',
    "closing quote and an option": GOOD + '" --print-address "',
    "very long": GOOD + "a" * 100_000,
    "very long handle": GOOD.replace(HANDLE, HANDLE * 1000),
    "twice": GOOD + GOOD,
    "an option": "--print-address",
    "help": "--help",
    "an option with the link": f"--cards-folder={GOOD}",
    "another scheme": GOOD.replace("zorg-id:", "file:"),
    "upper case": GOOD.replace("zorg-id", "ZORG-ID"),
    "slashes": GOOD.replace("zorg-id:", "zorg-id://"),
    "shell": GOOD.replace("firefox", "$(id)"),
    "half a sign": GOOD + "\udce9",
    "right to left": "\u202e" + GOOD,
    "wide letters": GOOD.replace("auth", "\uff41uth"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_word_reaches_no_platform_and_is_not_repeated(
    folder: Path,
    no_platform: list[str],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    """The strict form of a link holds on the way of a launcher too; ALL-4: nothing is logged."""
    assert main(["--cards-folder", str(folder), "open", "--", HOSTILE[name]]) == 1
    assert no_platform == []
    said = "".join(capfd.readouterr())
    assert "ZORG-ID" in said
    for text in (said, caplog.text):
        assert HANDLE not in text
        assert "usage" not in text


def test_the_link_of_a_page_goes_to_the_platform_of_its_environment(
    folder: Path, no_platform: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZORGID_DESKTOP_DEMO_ORIGIN", raising=False)
    assert main(["--cards-folder", str(folder), "open", "--", GOOD]) == 1
    assert no_platform == ["http://localhost:8600"]
    assert HANDLE not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "words",
    [
        ["open", "--", GOOD, GOOD],
        ["open", "--", GOOD, "--print-address"],
        ["open", GOOD, "again"],
    ],
)
def test_one_link_and_no_more_is_opened(
    folder: Path, no_platform: list[str], capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["--cards-folder", str(folder), *words]) == 1
    assert no_platform == []
    assert HANDLE not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "words", [["open", GOOD, "--evil"], [GOOD], ["cards", GOOD], ["scheme", GOOD], ["--evil", GOOD]]
)
def test_words_that_are_wrong_are_not_repeated(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """A launcher of another make may put the link anywhere; its handle stands on no screen and in no log of the desktop."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = "".join(capfd.readouterr())
    assert "usage" in said
    assert HANDLE not in said
    assert "evil" not in said


@pytest.mark.parametrize("link", [GOOD + "\n", GOOD + " --print-address", "--help", GOOD.replace("=", "%3D")])
def test_the_program_itself_refuses_as_a_launcher_calls_it(folder: Path, link: str) -> None:
    done = subprocess.run(
        [TOOL, "--cards-folder", folder, "open", "--", link],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert HANDLE not in done.stdout + done.stderr
    assert "link van ZORG-ID" in done.stdout + done.stderr


def test_the_window_gets_the_same_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--window` nothing else is decided: the link goes to the windows, or none."""
    given: list[Any] = []
    monkeypatch.setitem(sys.modules, "zorgid_desktop.windows.app", _Windows(given))
    for words in (
        ["open", "--window", "--", GOOD],
        ["open", "--window", "--"],
        ["open", "--window", "--", GOOD, GOOD],
        ["window"],
    ):
        assert main(words) == 0
    assert given == [GOOD, None, "", None]
    assert cli.FLAVOUR == "demo"


class _Windows:
    def __init__(self, given: list[Any]) -> None:
        self._given = given

    def run_windows(self, link_text: str | None, options: Any) -> int:
        self._given.append(link_text)
        return 0


def test_the_version_says_which_build_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == "0.1.0 (demo)"
