"""Ports for the servers of tests.

Below those that the kernel gives to outgoing connections, and in turn over all test runs of this user on this
computer: between the moment that a test is given a port and the moment that its server listens there, nobody
else is given it.
"""

import fcntl
import os
import socket
import tempfile
from pathlib import Path

FIRST, LAST = 20_000, 29_999
TURN = Path(tempfile.gettempdir()) / f"zorgid-test-ports-{os.getuid()}"


def free_port() -> int:
    """Return a port on which nobody listens."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """Return the first of `count` ports in a row on which nobody listens."""
    for _ in range(FIRST, LAST):
        first = _whose_turn_it_is(count)
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise AssertionError(f"no {count} free ports in a row from {FIRST} to {LAST}")


def ports_for_demo() -> int:
    """Return the port of a demo; the care application, the test UZI register and the workplace answer beside it."""
    return free_ports(6)


def _whose_turn_it_is(count: int) -> int:
    with TURN.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        first = int(file.read() or FIRST)
        if first + count > LAST:
            first = FIRST
        file.truncate(0)
        file.write(str(first + count))
    return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
