"""Whose program opens links: registering this one, noticing another, on each system (CARD-12; docs/packages.md).

The tools of Debian's desktop judge what is written for Linux; Windows is a registry in memory.
"""

import importlib
import plistlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from zorgid_desktop.flow.asking import Said
from zorgid_desktop.scheme import (
    Registered,
    SchemeNotRegistered,
    SchemeState,
    compare,
    linux,
    macos,
    register,
    registered,
    said_of,
    unregister,
    windows,
)
from zorgid_desktop.scheme.command import run
from zorgid_desktop.scheme.program import Program, this_program

LINK = "zorg-id:auth?v=1&e=demo&h=AAECAwQFBgcICQoLDA0ODw&b=firefox"
ASK_GLIB = """
import sys
from gi.repository import Gio
print(Gio.AppInfo.get_default_for_uri_scheme("zorg-id").get_id())
Gio.AppInfo.launch_default_for_uri(sys.argv[1], None)
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A home of a user without anything registered."""
    folders = {
        "HOME": "",
        "XDG_DATA_HOME": "data",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_DIRS": "shared",
        "XDG_CONFIG_DIRS": "etc",
    }
    for name in folders.values():
        (tmp_path / name / "applications").mkdir(parents=True)
    return {
        **{key: str(tmp_path / name) for key, name in folders.items()},
        "XDG_CURRENT_DESKTOP": "",
        "DISPLAY": ":none",
    }


def program_in(folder: Path, name: str) -> Program:
    """A program that writes down what it is started with."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > "{folder}/started.new"\nmv "{folder}/started.new" "{folder}/started"\n'
    )
    path.chmod(0o755)
    return Program((str(path),))


def put(home: dict[str, str], name: str, text: str) -> None:
    (Path(home["XDG_DATA_HOME"]) / "applications" / name).write_text(text)
    tool("xdg-mime", "default", name, linux.TYPE, home=home)


def tool(*words: str, home: dict[str, str]) -> str:
    done = subprocess.run(
        words, check=False, env={"PATH": "/usr/bin:/bin", **home}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("has_window", [True, False])
def test_a_registration_is_found_again_and_can_be_taken_away(
    home: dict[str, str], tmp_path: Path, has_window: bool
) -> None:
    program = Program(program_in(tmp_path / "bin", "zorgid-desktop").start, has_window=has_window)
    assert registered(program, home, "linux") == Registered(SchemeState.absent)
    for _ in range(2):
        register(program, home, "linux")
        assert registered(program, home, "linux") == Registered(SchemeState.ours)
    tool("desktop-file-validate", str(Path(home["XDG_DATA_HOME"]) / "applications" / linux.FILE), home=home)
    for _ in range(2):
        unregister(home, "linux")
        assert registered(program, home, "linux") == Registered(SchemeState.absent)


@pytest.mark.parametrize("folder", ["bin", "with a blank", 'quo"te $HOME `x` back\\slash', "acc\u00e9nt"])
def test_glib_starts_the_program_with_the_link_as_one_word(
    home: dict[str, str], tmp_path: Path, folder: str
) -> None:
    """A foreign reader of our launcher: the link is one word after `--`, whatever the path looks like."""
    quiet, path = tmp_path / "quiet", tmp_path / folder / "zorgid-desktop"
    (real,) = program_in(quiet, "real").start
    path.parent.mkdir()
    path.symlink_to(real)
    program = Program((str(path),))
    register(program, home, "linux")
    assert registered(program, home, "linux").state is SchemeState.ours
    assert tool("/usr/bin/python3", "-c", ASK_GLIB, LINK, home=home).strip() == linux.FILE
    assert wait_for(quiet / "started") == ["open", "--window", "--", LINK]


def test_xdg_open_starts_the_program_with_the_link_as_one_word(home: dict[str, str], tmp_path: Path) -> None:
    """What a browser on Linux calls."""
    program = program_in(tmp_path / "bin", "zorgid-desktop")
    register(program, home, "linux")
    tool("xdg-open", LINK, home=home)
    assert wait_for(tmp_path / "bin/started") == ["open", "--window", "--", LINK]


def wait_for(file: Path) -> list[str]:
    import time

    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end, "nothing was started"
        time.sleep(0.01)
    return file.read_text().splitlines()


HIJACKS = {
    "another launcher": ("evil.desktop", "{evil} %u"),
    "another launcher that looks like ours": ("evil.desktop", "{evil} open --window -- %u"),
    "our launcher with another program": (linux.FILE, "{evil} open -- %u"),
    "our launcher with a shell before it": (linux.FILE, 'sh -c "{ours} open -- %u"'),
    "our program as an argument of another": (linux.FILE, "{evil} {ours} open --window -- %u"),
}


def hijack(home: dict[str, str], folder: Path, name: str, program: Program) -> str:
    """Another program takes the scheme, in one of the ways that there are."""
    (evil,) = program_in(folder / "evil", "zorgid-desktop").start
    file, command = HIJACKS[name]
    put(home, file, launcher_for(command.format(evil=evil, ours=program.start[0])))
    return evil


def launcher_for(command: str) -> str:
    return f"[Desktop Entry]\nType=Application\nName=ZORG-ID\nExec={command}\nMimeType={linux.TYPE};\n"


@pytest.mark.parametrize("name", HIJACKS)
def test_another_program_that_took_the_scheme_is_noticed(
    home: dict[str, str], tmp_path: Path, name: str
) -> None:
    """docs/packages.md, whose the links are: the look at the start."""
    program = program_in(tmp_path / "bin", "zorgid-desktop")
    register(program, home, "linux")
    hijack(home, tmp_path, name, program)
    found = registered(program, home, "linux")
    assert found.state is SchemeState.other
    said = said_of(found)
    assert said is not None
    assert said.code == "scheme-other"
    register(program, home, "linux")
    assert registered(program, home, "linux").state is SchemeState.ours


@pytest.mark.parametrize(
    "text", ["", "[Desktop Entry]\n", launcher_for('"/bin/x %u'), launcher_for(""), "\ufffd"]
)
def test_a_launcher_that_cannot_be_read_has_no_command(text: str) -> None:
    assert linux.command_in(text) is None


def test_an_entry_of_the_launcher_for_another_action_is_not_its_command() -> None:
    text = "[Desktop Entry]\nName=x\nExec=/opt/ours open -- %u\n[Desktop Action x]\nExec=/opt/other\n"
    assert linux.command_in(text) == ("/opt/ours", "open", "--", "%u")
    assert linux.command_in("[Desktop Action x]\nExec=/opt/other\n") is None


def test_a_system_without_the_tools_is_told(home: dict[str, str], tmp_path: Path) -> None:
    program = program_in(tmp_path / "bin", "zorgid-desktop")
    with pytest.raises(SchemeNotRegistered):
        register(program, {**home, "PATH": str(tmp_path)}, "linux")
    with pytest.raises(SchemeNotRegistered):
        register(program, {**home, "XDG_DATA_HOME": "/proc/nowhere"}, "linux")


LISTS = [
    ("", ""),
    ("[Default Applications]\nx-scheme-handler/zorg-id=zorgid-desktop.desktop\n", "[Default Applications]\n"),
    (
        "x-scheme-handler/zorg-id=zorgid-desktop.desktop;other.desktop;\ntext/html=a.desktop\n",
        "x-scheme-handler/zorg-id=other.desktop;\ntext/html=a.desktop\n",
    ),
    ("x-scheme-handler/zorg-id=other.desktop\n", "x-scheme-handler/zorg-id=other.desktop\n"),
    ("text/html=zorgid-desktop.desktop\n", "text/html=zorgid-desktop.desktop\n"),
]


@pytest.mark.parametrize(("before", "after"), LISTS)
def test_taking_it_away_leaves_the_defaults_of_others(before: str, after: str) -> None:
    assert linux.without_us(before) == after


class Memory:
    """A registry in memory."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, str], str] = {}

    def read(self, key: str, name: str) -> str | None:
        return self.texts.get((key, name))

    def write(self, entry: windows.Entry) -> None:
        self.texts[entry.key, entry.name] = entry.text

    def remove(self, key: str) -> None:
        assert not [one for one, _ in self.texts if one.startswith(key + "\\")], "a key with keys below it"
        self.texts = {(one, name): text for (one, name), text in self.texts.items() if one != key}


EXE = r"C:\Program Files\ZORG-ID\zorgid-desktop-window.exe"


def test_windows_gets_the_entries_that_it_prescribes() -> None:
    found = {(entry.key, entry.name): entry.text for entry in windows.entries(Program((EXE,)))}
    assert found == {
        (r"Software\Classes\zorg-id", ""): "URL:ZORG-ID",
        (r"Software\Classes\zorg-id", "URL Protocol"): "",
        (r"Software\Classes\zorg-id\DefaultIcon", ""): f'"{EXE}",0',
        (r"Software\Classes\zorg-id\shell\open\command", ""): f'"{EXE}" open --window -- "%1"',
    }


def test_a_registration_of_windows_is_found_again_and_can_be_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry, program = Memory(), Program((EXE,), ("--cards-folder", r"C:\my cards"))
    monkeypatch.setattr(windows, "open_registry", lambda: registry)
    assert registered(program, {}, "win32").state is SchemeState.absent
    register(program, {}, "win32")
    assert registered(program, {}, "win32").state is SchemeState.ours
    assert registered(Program((r"C:\evil.exe",)), {}, "win32") == Registered(SchemeState.other, EXE)
    unregister({}, "win32")
    assert registry.texts == {}


def test_what_the_user_chose_in_windows_counts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    registry, program = Memory(), Program((EXE,))
    monkeypatch.setattr(windows, "open_registry", lambda: registry)
    register(program, {}, "win32")
    registry.write(windows.Entry(windows.CHOICE, "ProgId", "Evil.1"))
    registry.write(windows.Entry(r"Software\Classes\Evil.1\shell\open\command", "", r"C:\evil.exe %1"))
    assert registered(program, {}, "win32") == Registered(SchemeState.other, r"C:\evil.exe")


def test_the_registry_of_windows_is_used_as_its_library_prescribes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`winreg` is there on Windows only; a stand-in with its calls shows that ours fit them."""
    registry = FakeWinreg()
    monkeypatch.setattr(importlib, "import_module", lambda name: registry if name == "winreg" else None)
    program = Program((EXE,))
    register(program, {}, "win32")
    assert registered(program, {}, "win32").state is SchemeState.ours
    assert {hive for hive, _, _ in registry.texts} == {"user"}
    unregister({}, "win32")
    assert registry.texts == {}
    registry.texts["machine", windows.COMMAND, ""] = f'"{EXE}" open --window -- "%1"'
    assert registered(program, {}, "win32").state is SchemeState.ours


class FakeWinreg:
    """The calls of `winreg` that are used, on a dictionary."""

    HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, REG_SZ = "user", "machine", 1

    def __init__(self) -> None:
        self.texts: dict[tuple[str, str, str], str] = {}

    def OpenKey(self, hive: str, key: str) -> Any:  # noqa: N802 - their name
        if not [one for one in self.texts if one[:2] == (hive, key)]:
            raise FileNotFoundError
        return Opened(hive=hive, key=key)

    def CreateKey(self, hive: str, key: str) -> Any:  # noqa: N802 - their name
        return Opened(hive=hive, key=key)

    def QueryValueEx(self, opened: Any, name: str) -> tuple[str, int]:  # noqa: N802 - their name
        try:
            return self.texts[opened.hive, opened.key, name], self.REG_SZ
        except KeyError:
            raise FileNotFoundError from None

    def SetValueEx(self, opened: Any, name: str, reserved: int, kind: int, text: str) -> None:  # noqa: N802 - their name
        assert (reserved, kind) == (0, self.REG_SZ)
        self.texts[opened.hive, opened.key, name] = text

    def DeleteKey(self, hive: str, key: str) -> None:  # noqa: N802 - their name
        if not [one for one in self.texts if one[:2] == (hive, key)]:
            raise FileNotFoundError
        self.texts = {one: text for one, text in self.texts.items() if one[:2] != (hive, key)}


class Opened(SimpleNamespace):
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


COMMANDS: Sequence[tuple[str, Sequence[str]]] = [
    ('"C:\\a b\\c.exe" open -- "%1"', ("C:\\a b\\c.exe", "open", "--", "%1")),
    ("C:\\c.exe %1", ("C:\\c.exe", "%1")),
    ('  "C:\\c.exe"  ""  ', ("C:\\c.exe", "")),
    ("", ()),
]


@pytest.mark.parametrize(("command", "words"), COMMANDS)
def test_a_command_line_of_windows_is_read_in_words(command: str, words: Sequence[str]) -> None:
    assert windows.words_of(command) == tuple(words)


def test_a_bundle_of_macos_names_the_scheme_once() -> None:
    told = plistlib.loads(plistlib.dumps(macos.info_plist()))
    assert [kind["CFBundleURLSchemes"] for kind in told["CFBundleURLTypes"]] == [["zorg-id"]]
    assert registered(Program(("x",)), {}, "darwin").state is SchemeState.unknown
    assert said_of(Registered(SchemeState.unknown)) is None
    with pytest.raises(SchemeNotRegistered):
        register(Program(("x",)), {}, "darwin")
    unregister({}, "darwin")


def test_a_package_registers_its_program_without_a_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console, window = tmp_path / "zorgid-desktop", tmp_path / "zorgid-desktop-window"
    console.touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(console))
    assert this_program() == Program((str(console),), has_window=False)
    window.touch()
    assert this_program() == Program((str(window),), has_window=True)


def test_a_command_that_merely_begins_like_ours_is_another() -> None:
    program = Program(("/bin/a",))
    assert compare(("/bin/a", "open"), program).state is SchemeState.ours
    for other in (("/bin/a",), ("/bin/ab", "open"), ("/bin/b", "/bin/a", "open")):
        assert compare(other, program).state is SchemeState.other


@pytest.mark.parametrize("command", ["register", "check", "unregister"])
def test_the_command_says_what_it_did(
    home: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    assert run(command, None, said.append) == (1 if command == "check" else 0)
    assert len(said) == 1
    assert said[0]
    if command == "register":
        assert run("check", None, said.append) == 0
        evil = hijack(home, tmp_path, "another launcher", this_program())
        assert run("check", None, said.append) == 1
        assert evil in said[-1]
        monkeypatch.setenv("PATH", "/nowhere")
        assert run("register", None, said.append) == 1


def test_what_is_told_at_the_start_has_its_sentence() -> None:
    assert said_of(Registered(SchemeState.ours)) is None
    assert said_of(Registered(SchemeState.absent)) == Said("scheme-absent")
