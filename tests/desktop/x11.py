"""A screen in software with a session bus of its own, for programs that are looked at from outside."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LONGEST_SECONDS = 120


@contextmanager
def running(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """Run a program, and stop it and nothing else at the end."""
    program = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
    try:
        yield program
    finally:
        program.send_signal(signal.SIGTERM)
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait(10)
        for stream in (program.stdin, program.stdout, program.stderr):
            if stream is not None:
                stream.close()


def line_from(descriptor: int) -> str:
    """Wait for one line of a program."""
    text, end = b"", time.monotonic() + LONGEST_SECONDS
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(end - time.monotonic(), 0))
        assert ready, "the program says nothing"
        part = os.read(descriptor, 1)
        assert part, "the program has ended"
        text += part
    return text.decode().strip()


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Yield the name of a display (`:5`) that nobody else uses."""
    reading, writing = os.pipe()
    # Without -noreset it begins anew when its last client goes, and turns the next one away meanwhile.
    command = ["Xvfb", "-displayfd", str(writing), "-noreset", "-screen", "0", "1280x1024x24"]
    command += ["-nolisten", "tcp"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running(command, pass_fds=[writing], **quiet):
        os.close(writing)
        yield f":{line_from(reading)}"
    os.close(reading)


@contextmanager
def session_bus(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the address of a message bus that nobody else uses; what it starts sees `variables`."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with running(command, env=dict(variables), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        assert daemon.stdout is not None
        yield line_from(daemon.stdout.fileno())


@contextmanager
def desktop_session(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the variables of a desktop session: a screen, a bus, a home folder of its own, and accessibility on."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(runtime),
        "LANG": "nl_NL.UTF-8",
        "PYTHONPATH": os.pathsep.join(str(Path(__file__).parents[2] / part) for part in ("src", ".")),
        "PYTHONWARNINGS": "error",
    }
    with virtual_screen() as display:
        variables["DISPLAY"] = display
        with session_bus(variables) as address:
            yield {
                **variables,
                "DBUS_SESSION_BUS_ADDRESS": address,
                "QT_QPA_PLATFORM": "xcb",
                "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            }
