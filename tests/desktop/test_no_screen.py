"""Where no window can be shown, the app says so and ends; Qt's own words and a core are never seen (ALL-2)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QLibraryInfo
from tests.desktop.x11 import LONGEST_SECONDS

from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import Said
from zorgid_desktop.texts import in_terminal
from zorgid_desktop.windows.no_screen import why_no_window

HANDLE = "AAECAwQFBgcICQoLDA0ODw"
LINK = f"zorg-id:auth?v=1&e=demo&h={HANDLE}&b=firefox"
WAYS = {"window": ("window",), "link": ("open", "--window", LINK)}
"""The ways to open a window."""
PLUGINS = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "platforms"
XCB = [
    "could not connect to display ",
    'Could not load the Qt platform plugin "xcb" in "" even though it was found.',
]
UNKNOWN = ['Could not find the Qt platform plugin "nonsense" in ""']
WAYLAND = ['Could not load the Qt platform plugin "wayland" in "" even though it was found.', *XCB]


def unreachable(screen: str, variable: str) -> Said:
    return Said("screen-unreachable", {"screen": screen, "variable": variable})


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python on a computer without a screen, or with the one that is named."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, *words],
        env={**clean, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )


def app(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "-m", "zorgid_desktop.cli", "--cards-folder", str(folder), *words, **variables)


@pytest.mark.parametrize(("language", "lang"), [(Language.nl, "nl_NL.UTF-8"), (Language.en, "en_GB.UTF-8")])
@pytest.mark.parametrize("way", WAYS)
def test_a_computer_without_a_screen_is_told_in_a_sentence(
    way: str, language: Language, lang: str, tmp_path: Path
) -> None:
    """ALL-1, ALL-2, ALL-4."""
    done = app(tmp_path, *WAYS[way], LANG=lang)
    assert done.stderr.strip() == in_terminal(Said("no-screen"), language)
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize("way", WAYS)
def test_a_screen_that_is_named_but_not_there_is_told_by_its_name(way: str, tmp_path: Path) -> None:
    nobody = str(tmp_path / "nobody:0")
    done = app(tmp_path, *WAYS[way], DISPLAY=nobody)
    assert done.stderr.strip() == in_terminal(unreachable(nobody, "DISPLAY"), Language.nl)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_desktop_of_wayland_that_is_gone_is_told_by_its_name(tmp_path: Path) -> None:
    done = app(tmp_path, "window", WAYLAND_DISPLAY="wayland-7")
    said = in_terminal(unreachable("wayland-7", "WAYLAND_DISPLAY"), Language.nl)
    assert done.stderr.strip().endswith(said)
    assert done.returncode == 1


def test_a_way_of_drawing_that_qt_does_not_know_is_told_by_its_name(tmp_path: Path) -> None:
    done = app(tmp_path, "window", QT_QPA_PLATFORM="nonsense")
    assert "nonsense" in done.stderr
    assert "Reinstalling" not in done.stderr
    assert done.returncode == 1


def test_what_qt_says_where_there_is_a_screen_is_passed_on(tmp_path: Path) -> None:
    """Also what it says later: nothing of ours is left between."""
    code = (
        "from PySide6.QtCore import qWarning\n"
        "from zorgid.kernel.sentences import Language\n"
        "from zorgid_desktop.windows.app import new_application\n"
        "from zorgid_desktop.windows.no_screen import said_without_screen\n"
        "with said_without_screen(Language.nl):\n    qWarning('while it is made')\n"
        "application = new_application(Language.nl)\n"
        "qWarning('afterwards')\n"
    )
    done = run(tmp_path, "-c", code, QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0
    assert "while it is made" in done.stderr
    assert "afterwards" in done.stderr


@pytest.mark.parametrize(
    ("heard", "variables", "said"),
    [
        (XCB, {}, Said("no-screen")),
        (XCB, {"DISPLAY": ""}, Said("no-screen")),
        (XCB, {"QT_QPA_PLATFORM": "xcb"}, Said("no-screen")),
        (XCB, {"DISPLAY": ":99"}, unreachable(":99", "DISPLAY")),
        (WAYLAND, {"WAYLAND_DISPLAY": "w"}, unreachable("w", "WAYLAND_DISPLAY")),
        (WAYLAND, {"DISPLAY": ":99"}, unreachable(":99", "DISPLAY")),
        (UNKNOWN, {"QT_QPA_PLATFORM": "nonsense"}, unreachable("nonsense", "QT_QPA_PLATFORM")),
        ([], {"DISPLAY": ":99"}, Said("no-screen")),
    ],
)
def test_the_reason_follows_from_what_qt_tried(
    heard: list[str], variables: dict[str, str], said: Said, tmp_path: Path
) -> None:
    assert why_no_window(heard, variables, tmp_path) == said


def lack_a_library(plugin: Path) -> None:
    """Write a plugin that asks for a version of a library that no computer has."""
    whole = (PLUGINS / "libqoffscreen.so").read_bytes()
    assert b"libxkbcommon.so.0\0" in whole
    plugin.write_bytes(whole.replace(b"libxkbcommon.so.0\0", b"libxkbcommon.so.7\0"))


@pytest.mark.parametrize("language", Language)
def test_a_library_of_the_system_that_is_missing_is_told_with_its_package(
    language: Language, tmp_path: Path
) -> None:
    lack_a_library(tmp_path / "libqxcb.so")
    said = why_no_window(XCB, {"DISPLAY": ":0"}, tmp_path)
    assert said.code == "window-library-missing"
    assert "libxkbcommon.so.7" in in_terminal(said, language)
    assert "libxkbcommon7" in in_terminal(said, language)


def test_a_library_that_another_kind_of_screen_lacks_is_not_blamed(tmp_path: Path) -> None:
    """Qt tries Wayland first where the desktop says so, also when only a screen of X11 is named."""
    lack_a_library(tmp_path / "libqwayland.so")
    assert why_no_window(WAYLAND, {"DISPLAY": ":99"}, tmp_path) == unreachable(":99", "DISPLAY")
