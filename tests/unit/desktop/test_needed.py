"""A library of the system that is missing is named, with the package to install (ALL-2)."""

import argparse
import sys
from importlib.machinery import ModuleSpec

import pytest

from zorgid_desktop import cli
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.needed import debian_package, library_missing_in, without_library

ABSENT = "libEGL.so.1: cannot open shared object file: No such file or directory"


class Refusing:
    """Stands where Python looks for modules, and cannot load the windows."""

    def __init__(self, message: str) -> None:
        self._message = message

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name.startswith("zorgid_desktop.windows"):
            raise ImportError(self._message)
        return None


def open_without(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("zorgid_desktop.windows")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Refusing(message), *sys.meta_path])
    cli.open_window(argparse.Namespace(cards_folder=None))


def test_windows_that_cannot_be_loaded_for_want_of_a_library_are_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(FlowStopped) as stopped:
        open_without(ABSENT, monkeypatch)
    assert stopped.value.said == without_library("libEGL.so.1")


def test_windows_that_cannot_be_loaded_for_another_reason_are_no_missing_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ImportError):
        open_without("cannot import name 'QWidget'", monkeypatch)


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        ("libEGL.so.1", "libegl1"),
        ("libGL.so.1", "libgl1"),
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libdbus-1.so.3", "libdbus-1-3"),
        ("libxcb-icccm.so.4", "libxcb-icccm4"),
        ("libglib-2.0.so.0", "libglib2.0-0"),
        ("libgthread-2.0.so.0", "libglib2.0-0"),
        ("libfontconfig.so.1", "libfontconfig1"),
        ("libz.so.1", "zlib1g"),
        ("libodd.so", "libodd.so"),
    ],
)
def test_the_package_of_a_library_follows_from_its_name(library: str, package: str) -> None:
    assert debian_package(library) == package


@pytest.mark.parametrize(
    ("message", "library"),
    [
        (ABSENT, "libEGL.so.1"),
        (f"Cannot load library /app/libqxcb.so: {ABSENT}", "libEGL.so.1"),
        ("/lib/libEGL.so.1: file too short", None),
        ("No module named 'PySide6'", None),
    ],
)
def test_the_missing_library_is_read_from_what_the_loader_says(message: str, library: str | None) -> None:
    assert library_missing_in(message) == library
