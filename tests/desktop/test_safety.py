"""An error that nobody foresaw shows a reference and no words of its own (ALL-4)."""

import subprocess
import sys
import threading

import pytest

from zorgid_desktop.flow.asking import Trouble
from zorgid_desktop.windows.safety import catch_unforeseen

SECRET = "Linde24"


@pytest.fixture
def shown() -> list[Trouble]:
    return []


def fail() -> None:
    raise RuntimeError(f"the PIN is {SECRET}")


def failed() -> RuntimeError:
    with pytest.raises(RuntimeError) as raised:
        fail()
    return raised.value


def test_what_nobody_catches_is_shown_by_reference(
    shown: list[Trouble], capsys: pytest.CaptureFixture[str]
) -> None:
    undo = catch_unforeseen(shown.append)
    try:
        error = failed()
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        undo()
    (trouble,) = shown
    assert trouble.code == "unforeseen"
    assert "RuntimeError" in str(trouble)
    assert SECRET not in str(trouble) + "".join(capsys.readouterr())


def test_threads_are_covered_too(shown: list[Trouble], capsys: pytest.CaptureFixture[str]) -> None:
    undo = catch_unforeseen(shown.append)
    try:
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    finally:
        undo()
    assert [trouble.code for trouble in shown] == ["unforeseen"]
    assert SECRET not in "".join(capsys.readouterr())


def test_what_was_before_is_put_back(shown: list[Trouble]) -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    catch_unforeseen(shown.append)()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def test_an_end_that_is_asked_for_is_no_error(shown: list[Trouble]) -> None:
    undo = catch_unforeseen(shown.append)
    try:
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    finally:
        undo()
    assert shown == []


def test_the_windows_leave_no_core_file() -> None:
    """Nor may another program look in. In a program of its own, which ends before it draws anything."""
    code = (
        "import argparse, ctypes, resource; from zorgid_desktop.windows import app\n"
        "app.new_application = lambda _: print(resource.getrlimit(resource.RLIMIT_CORE),"
        " ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)) or exit()\n"
        "app.run_windows(None, argparse.Namespace(cards_folder=None))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(0, 0) 0"
