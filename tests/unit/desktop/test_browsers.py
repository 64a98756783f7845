"""The browser in which a login began is started with the address as it is: no shell, one attempt."""

import os
import subprocess
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from zorgid.protocol.links import Browser
from zorgid_desktop import browsers
from zorgid_desktop.browsers import PROGRAMS, open_in_browser

ADDRESS = "https://id.example/oauth/complete#a.b;$(touch owned)`touch owned`&|<>\"' %20"


class Started(subprocess.Popen[Any]):
    """A real process that the test waits for."""

    all: list["Started"]
    options: list[dict[str, Any]]

    def __init__(self, command: list[str], **options: Any) -> None:
        Started.options.append(options)
        super().__init__(command, **options)
        Started.all.append(self)


class DefaultBrowser:
    """The system's default browser, which only notes."""

    def __init__(self, *, opens: bool = True) -> None:
        self.opened: list[str] = []
        self.opens = opens

    def open(self, address: str) -> bool:
        self.opened.append(address)
        return self.opens


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.chdir(tmp_path)
    Started.all, Started.options = [], []
    monkeypatch.setattr(browsers.subprocess, "Popen", Started)
    return folder


@pytest.fixture
def default(monkeypatch: pytest.MonkeyPatch) -> DefaultBrowser:
    browser = DefaultBrowser()
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    return browser


def program(
    folder: Path, name: str, text: str = '#!/bin/sh\nprintf "%s\\n" "$#" "$1" > "$0.heard"\n'
) -> Path:
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)
    return file


def heard(file: Path) -> list[str]:
    for process in Started.all:
        process.wait(60)
    return file.with_name(f"{file.name}.heard").read_text().splitlines()


@pytest.mark.parametrize("browser", PROGRAMS)
def test_the_hinted_browser_gets_the_address_as_its_one_word(
    browser: Browser, path: Path, default: DefaultBrowser
) -> None:
    """ALL-4: nothing reads the code on its way, and no shell runs what stands in it."""
    started = program(path, PROGRAMS[browser][0])
    assert open_in_browser(ADDRESS, browser)
    assert heard(started) == ["1", ADDRESS]
    assert default.opened == []
    assert not (path.parent / "owned").exists()
    assert [options.get("shell", False) for options in Started.options] == [False]


def test_a_browser_is_found_under_its_second_name(path: Path, default: DefaultBrowser) -> None:
    started = program(path, "firefox-esr")
    assert open_in_browser(ADDRESS, Browser.firefox)
    assert heard(started) == ["1", ADDRESS]


def test_one_browser_is_started_when_several_are_there(path: Path, default: DefaultBrowser) -> None:
    for names in PROGRAMS.values():
        for name in names:
            program(path, name)
    assert open_in_browser(ADDRESS, Browser.chromium)
    assert heard(path / "chromium") == ["1", ADDRESS]
    assert [file.name for file in path.glob("*.heard")] == ["chromium.heard"]


@pytest.mark.parametrize("browser", [Browser.chrome, Browser.safari, Browser.default])
def test_a_hint_that_cannot_be_followed_means_the_default_browser(
    browser: Browser, path: Path, default: DefaultBrowser
) -> None:
    program(path, "firefox")
    assert open_in_browser(ADDRESS, browser)
    assert default.opened == [ADDRESS]
    assert Started.all == []


def test_a_program_that_does_not_start_means_the_default_browser(path: Path, default: DefaultBrowser) -> None:
    program(path, "firefox", "neither a script nor a program")
    assert open_in_browser(ADDRESS, Browser.firefox)
    assert default.opened == [ADDRESS]


def test_no_browser_at_all_is_told_to_the_caller(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> None:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", nothing)
    assert open_in_browser(ADDRESS, Browser.firefox) is False


def test_a_default_browser_that_does_not_open_is_told_to_the_caller(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "get", lambda: DefaultBrowser(opens=False))
    assert open_in_browser(ADDRESS, Browser.default) is False


def test_every_browser_of_the_list_is_one_that_a_link_can_name() -> None:
    assert set(PROGRAMS) <= set(Browser)
    assert all(os.sep not in name for names in PROGRAMS.values() for name in names)
