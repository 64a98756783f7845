"""The computer's PC/SC service with readers in software, run by a test for itself alone.

There is one such service a computer (its socket has a fixed place), so whoever runs one holds a lock; its readers
listen on ports of their own.
"""

import fcntl
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.ports import free_ports

from cardkit.virtual import CardState, VirtualCard
from cardkit.virtual.vpcd import Plug, PluggableCard

LOCK = Path(tempfile.gettempdir()) / "zorgid-test-pcscd.lock"
SOCKET = Path("/run/pcscd/pcscd.comm")
LISTENERS = Path("/proc/net/tcp")
DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
PLAIN = "Virtual PCD"
YUBIKEY = "Yubico YubiKey OTP+FIDO+CCID"
"""With this name ykman and ykcs11 take the virtual card for one of theirs."""
TURN_SECONDS = 1800
WAIT_SECONDS = 60
OVERLOOKED_SECONDS = 1.5

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], what: str, seconds: float = WAIT_SECONDS) -> Found:
    """Return what `look` finds as soon as it is true."""
    found = eventually_or_not(look, seconds)
    assert found, f"not within {seconds} seconds: {what}"
    return found


def eventually_or_not(look: Callable[[], Found], seconds: float) -> Found:
    """Return what `look` finds as soon as it is true, or else at the end."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


class Plugged:
    """A card in a slot of the service, answered by a thread of this process."""

    def __init__(self, card: PluggableCard, port: int) -> None:
        self.card = card
        self._seen = threading.Event()
        self._plug = Plug(card, port=port)
        self._thread = threading.Thread(target=self._plug.run, args=(self._seen.set,), daemon=True)
        self._thread.start()
        assert self._seen.wait(WAIT_SECONDS), "the service did not look at the card"

    def pull(self) -> None:
        self._plug.pull()
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()


class Service:
    """A running pcscd with readers of the given names; each has two slots, of which the first is used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports: dict[str, int] = {}
        self._plugged: list[Plugged] = []
        self._process: subprocess.Popen[bytes] | None = None

    def slot_name(self, reader: str = PLAIN) -> str:
        """What PC/SC calls the reader's first slot."""
        assert reader in self._ports
        return f"{reader} 00 00"

    def port(self, reader: str = PLAIN) -> int:
        """Where the reader's first slot listens."""
        return self._ports[reader]

    def start(self, *readers: str) -> None:
        """Start with these readers and no others."""
        self._ports.clear()
        for left in self._folder.iterdir():
            left.unlink()
        for reader in readers:
            self._configure(reader)
        # The service ends with the test run, however that ends.
        command = ["setpriv", "--pdeathsig", "TERM", "pcscd", "--foreground", "--config", str(self._folder)]
        with (self._folder.parent / "pcscd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        listens = eventually_or_not(
            lambda: answers() and all(map(_listens, self._ports.values())), WAIT_SECONDS
        )
        assert listens, f"pcscd does not listen: {(self._folder.parent / 'pcscd.log').read_text()}"

    def insert(self, card: CardState | PluggableCard, reader: str = PLAIN) -> Plugged:
        """Put a card in; it is in for everybody when this returns."""
        slot = self.slot_name(reader)
        whole = VirtualCard(card) if isinstance(card, CardState) else card
        # The service looks every 0.4 seconds. It may overlook a card that went out and in between two looks, which
        # no hand does; then the card goes out for longer.
        for is_last in (False, False, True):
            plugged = Plugged(whole, self._ports[reader])
            self._plugged.append(plugged)
            if eventually_or_not(partial(card_is_in, slot), WAIT_SECONDS if is_last else OVERLOOKED_SECONDS):
                return plugged
            plugged.pull()
            eventually_or_not(lambda: False, OVERLOOKED_SECONDS)
        raise AssertionError(f"no card in {slot}")

    def stop(self) -> None:
        for plugged in self._plugged:
            plugged.pull()
        self._plugged.clear()
        if self._process is not None:
            _end(self._process)
        self._process = None

    def _configure(self, reader: str) -> None:
        port = free_ports(2)  # a reader has two slots
        self._ports[reader] = port
        # The driver keeps its slots in one place for all its readers, so each reader has a driver of its own.
        driver = shutil.copy(DRIVER, self._folder.parent / f"driver-{len(self._ports)}.so")
        lines = [
            f'FRIENDLYNAME "{reader}"',
            f"DEVICENAME /dev/null:0x{port:04X}",
            f"LIBPATH {driver}",
            f"CHANNELID 0x{port:04X}",
        ]
        (self._folder / f"{len(self._ports):02}").write_text("\n".join(lines) + "\n")


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    """A service that waits to be started, once it is this test's turn on this computer."""
    for program in ("pcscd", "setpriv"):
        assert shutil.which(program), f"make test installs {program}"
    assert DRIVER.exists(), "make test installs vsmartcard-vpcd"
    configuration = folder / "reader.conf.d"
    configuration.mkdir()
    with LOCK.open("a") as lock:
        eventually(lambda: _locked(lock.fileno()), "the turn for pcscd", TURN_SECONDS)
        # That of a test run which was killed ends by itself.
        eventually(
            lambda: not answers(), "no other PC/SC service runs on this computer: stop yours for the tests"
        )
        for left in (SOCKET, SOCKET.with_name("pcscd.pid")):
            left.unlink(missing_ok=True)
        made = Service(configuration)
        try:
            yield made
        finally:
            made.stop()


def card_is_in(slot: str) -> bool:
    """Whether the service knows of a card in the slot."""
    from smartcard import scard

    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    assert result == scard.SCARD_S_SUCCESS, hex(result & 0xFFFFFFFF)
    try:
        result, states = scard.SCardGetStatusChange(context, 0, [(slot, scard.SCARD_STATE_UNAWARE)])
        return result == scard.SCARD_S_SUCCESS and bool(states[0][1] & scard.SCARD_STATE_PRESENT)
    finally:
        scard.SCardReleaseContext(context)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def answers(place: Path = SOCKET) -> bool:
    """Whether somebody takes connections there; the file is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(place)) == 0


def _listens(port: int) -> bool:
    """Neither by connecting, which the driver takes for a card, nor by binding, which would be in its way."""
    return f":{port:04X} 00000000:0000 0A " in LISTENERS.read_text()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(WAIT_SECONDS)
