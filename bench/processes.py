"""Starts servers as processes of their own and reads from the kernel what they spend."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 60


class DidNotStart(Exception):
    """A server ended, or did not take connections in time; its log says why."""


def free_port(*, beside: tuple[int, ...] = ()) -> int:
    """Return a port below those that the system gives out itself, free now, as are those `beside` it."""
    while True:
        port = random.randrange(20_000, 30_000)
        if all(is_free(port + one) for one in (0, *beside)):
            return port


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Server:
    """A running server: the process at the root of its tree, and its port."""

    process_id: int
    port: int

    def cpu_seconds(self) -> float:
        """Return the CPU time of the whole tree so far, of its ended processes too."""
        return cpu_seconds(self.process_id)


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path],
    port: int,
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    given: bytes = b"",
    is_ready: Callable[[], bool] | None = None,
) -> Iterator[Server]:
    """Run a server while the block does; it gets `given` on its standard input.

    It is ready when `is_ready` says so, or without that when it takes connections. Raises `DidNotStart`.
    """
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(given)
        try:
            _until_ready(process, log, is_ready or (lambda: takes_connections(port)))
            yield Server(process.pid, port)
        finally:
            _end(process)


def _until_ready(process: subprocess.Popen[bytes], log: Path, is_ready: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if is_ready():
            return
        time.sleep(0.02)
    raise DidNotStart(f"{log}:\n{log.read_text(errors='replace')[-2000:]}")


def takes_connections(port: int) -> bool:
    """Tell whether somebody takes connections on a port."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and whatever it started, which is one group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tree(root: int) -> list[int]:
    """Return a process and all that came of it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += parents.get(one, [])
    return found


def cpu_seconds(root: int) -> float:
    """Return user and system time of a tree of processes, of children that ended too."""
    return (
        sum(sum(int(ticks) for ticks in fields[11:15]) for one in tree(root) if (fields := _stat(one)))
        / TICKS
    )


def peak_memory_mb(process_id: int) -> float:
    """Return the most memory that a process had resident so far, in MB."""
    return _memory_kb(process_id, "VmHWM") / 1000


def forget_peak_memory() -> None:
    """Let the most memory that this process had be counted anew (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def memory_mb(process_id: int) -> float:
    """Return the memory that a process has resident now, in MB."""
    return _memory_kb(process_id, "VmRSS") / 1000


def _memory_kb(process_id: int, field: str) -> float:
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return float(line.split()[1]) * 1.024
    raise ProcessLookupError(process_id)


def _stat(process_id: int) -> list[str] | None:
    """Return the fields of /proc/…/stat after the name, the state first; None when the process is gone."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
