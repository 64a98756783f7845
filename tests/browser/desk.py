"""A desk: a screen in software, a headed Chromium, and somebody who types and clicks in the windows of the app."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LONGEST_SECONDS = 60
TOOL = Path(sys.executable).with_name("zorgid-desktop")
HERE = Path(__file__).parent


@dataclass
class Desk:
    """One user at one screen, with a home of her own."""

    home: Path
    variables: dict[str, str]
    eyes: subprocess.Popen[str]
    stack: ExitStack = field(default_factory=ExitStack)

    def run(self, *words: str | Path, typed: str | None = None) -> str:
        """Run a program at this desk. Secrets are typed by standard input: the words can be seen by others."""
        done = subprocess.run(
            words, input=typed, env=self.variables, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    # What a screen reader sees

    def seen(self) -> list[dict[str, Any]]:
        """Return all that the app's windows show, looked at while none of them went."""
        end = time.monotonic() + LONGEST_SECONDS
        while (found := self._looked()) is None:
            assert time.monotonic() < end, "windows go all the time"
        return found

    def _looked(self) -> list[dict[str, Any]] | None:
        assert self.eyes.stdin
        assert self.eyes.stdout
        self.eyes.stdin.write("\n")
        self.eyes.stdin.flush()
        found: list[dict[str, Any]] | None = json.loads(self.eyes.stdout.readline())
        return found

    def wait_for(self, which: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Wait until the app shows an object."""
        end = time.monotonic() + LONGEST_SECONDS
        seen: list[dict[str, Any]] = []
        while time.monotonic() < end:
            seen = self.seen()
            found = [one for one in seen if which(one)]
            if found:
                return found[0]
            time.sleep(0.1)
        names = [(one["role"], one["name"]) for one in seen]
        raise AssertionError(f"the app does not show {what}, but {names}")

    def see(self, text: str, role: str | None = None) -> dict[str, Any]:
        """Wait until something has this text in its name."""
        return self.wait_for(lambda one: text in one["name"] and role in {None, one["role"]}, text)

    def see_focus(self, role: str, name: str = "") -> dict[str, Any]:
        """Wait until a field or list of this name has the focus, so that typing goes there."""
        return self.wait_for(
            lambda one: one["focused"] and one["role"] == role and name in one["name"],
            f"the focus in {role} {name}",
        )

    def wait_until_gone(self, text: str) -> None:
        """Wait until nothing has this text in its name."""
        end = time.monotonic() + LONGEST_SECONDS
        while any(text in one["name"] for one in self.seen()):
            assert time.monotonic() < end, f"the app still shows {text}"
            time.sleep(0.1)

    def wait_until_ended(self) -> None:
        """Wait until no program of the app runs: one that is about to end may still be handed a link."""
        end = time.monotonic() + LONGEST_SECONDS
        while any(TOOL.name.encode() in words for words in self.words()):
            assert time.monotonic() < end, "the app does not end"
            time.sleep(0.05)

    # What a person does

    def click(self, text: str, role: str) -> None:
        """Click on the button, box or line of a list with this name, with the mouse."""
        x, y, width, height = self.place_of(text, role)
        self.run("xdotool", "mousemove", str(x + min(width // 2, 24)), str(y + height // 2), "click", "1")

    def place_of(self, text: str, role: str) -> list[int]:
        """Wait until something rests at its place on the screen, and return that."""
        end = time.monotonic() + LONGEST_SECONDS
        place: list[int] = self.see(text, role)["place"]
        while place != (now := self.see(text, role)["place"]):
            assert time.monotonic() < end, f"{text} does not rest"
            place = now
        return place

    def choose(self, text: str, within: str) -> None:
        """Choose a line of a list by mouse; turn the wheel until it is seen."""
        self.see(within, "list")
        end = time.monotonic() + LONGEST_SECONDS
        while not any(text in one["name"] and one["role"] == "list item" for one in self.seen()):
            assert time.monotonic() < end, f"the list has no {text}"
            x, y, width, height = self.see(within, "list")["place"]
            self.run("xdotool", "mousemove", str(x + width // 2), str(y + height // 2), "click", "5")
        self.click(text, "list item")

    def type(self, text: str) -> None:
        """Type a text, key by key, into whatever has the focus."""
        self.run("xdotool", "type", "--delay", "15", "--file", "-", typed=text)

    def press(self, key: str) -> None:
        """Press one key."""
        self.run("xdotool", "key", key)

    def focus_app(self) -> None:
        """Bring the app's newest window forward, as a window manager does."""
        windows = self.run(
            "xdotool", "search", "--sync", "--onlyvisible", "--class", "zorgid-desktop"
        ).split()
        self.run("xdotool", "windowraise", windows[-1], "windowfocus", "--sync", windows[-1])

    # What others can see

    def programs(self) -> Iterator[Path]:
        """Return the folders in /proc of every program of this desk."""
        mark = f"HOME={self.home}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    yield process
            except OSError:
                continue

    def words(self) -> Iterator[bytes]:
        """Return the words with which every program of this desk was started."""
        for process in self.programs():
            with suppress(OSError):
                yield (process / "cmdline").read_bytes()

    def words_and_environments(self) -> bytes:
        """Return the words and the environments of all programs of this desk."""
        told = []
        for process in self.programs():
            for name in ("cmdline", "environ"):
                try:
                    told.append((process / name).read_bytes())
                except OSError:
                    continue
        return b"\0".join(told)

    def files(self) -> Iterator[tuple[Path, bytes]]:
        """Return every file that was written at this desk with its content; a browser that runs takes some away."""
        for folder, _, names in os.walk(self.home):
            for path in (Path(folder, name) for name in names):
                if path.is_file() and not path.is_symlink():
                    with suppress(FileNotFoundError):
                        yield path, path.read_bytes()


@contextmanager
def desk(home: Path, **variables: str) -> Iterator[Desk]:
    """Set up a screen, a bus, a screen reader's eyes and a home while the block runs."""
    with ExitStack() as stack:
        places = {"HOME": home, "XDG_DATA_HOME": home / "data", "XDG_CONFIG_HOME": home / "config",
                  "XDG_STATE_HOME": home / "state", "XDG_CACHE_HOME": home / "cache", "XDG_RUNTIME_DIR": home / "run"}  # fmt: skip
        for place in places.values():
            place.mkdir(parents=True, exist_ok=True)
        (home / "run").chmod(0o700)
        own = {
            **{name: str(place) for name, place in places.items()},
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "DISPLAY": stack.enter_context(_screen()),
            "LANG": "nl_NL.UTF-8",
            "QT_QPA_PLATFORM": "xcb",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "NO_AT_BRIDGE": "0",
            **variables,
        }
        own["DBUS_SESSION_BUS_ADDRESS"] = stack.enter_context(_bus(own))
        eyes = stack.enter_context(
            subprocess.Popen(
                ["/usr/bin/python3", HERE / "ask_atspi.py"],
                env=own,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(eyes.kill)
        here = Desk(home, own, eyes)
        stack.callback(_end_programs, here)
        yield here


@contextmanager
def _screen() -> Iterator[str]:
    """Run a screen in software; its number is chosen by itself."""
    program = shutil.which("Xvfb")
    assert program, "apt install xvfb"
    reading, writing = os.pipe()
    words = [
        program,
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1500x1050x24",
        "-nolisten",
        "tcp",
        "-noreset",
    ]
    with subprocess.Popen(words, pass_fds=[writing], stderr=subprocess.DEVNULL) as screen:
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        try:
            yield f":{number}"
        finally:
            screen.terminate()


@contextmanager
def _bus(variables: dict[str, str]) -> Iterator[str]:
    """Run a session bus."""
    words = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"]
    with subprocess.Popen(words, env=variables, stdout=subprocess.PIPE, text=True) as bus:
        assert bus.stdout
        try:
            yield bus.stdout.readline().strip()
        finally:
            bus.terminate()


def _end_programs(desk: Desk) -> None:
    """End what was started at this desk and still runs, such as the app and what it was started by."""
    for process in [*desk.programs()]:
        if int(process.name) not in {os.getpid(), desk.eyes.pid}:
            try:
                name = (process / "comm").read_text()
                if not name.startswith(("dbus-daemon", "Xvfb")):
                    os.kill(int(process.name), 15)
            except (OSError, ValueError):
                continue
