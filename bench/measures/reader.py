"""How long 100 commands to the virtual card take through the PC/SC service, and what acknowledging spares.

The same card is asked with and without acknowledging what comes at once (`cardkit.virtual.vpcd`).
"""

import tempfile
import time
from pathlib import Path
from unittest import mock

from tests.interop.readers.service import PLAIN, service

from bench import results
from bench.results import Spread
from cardkit.pcsc import PcscReader
from cardkit.virtual import make_blank_card, vpcd

COMMANDS = 100
GET_SERIAL = bytes.fromhex("00F8000000")


def run(runs: int) -> None:
    """Measure and keep the findings, in milliseconds for 100 commands."""
    at_once = [hundred_commands() for _ in range(runs)]
    with mock.patch.object(vpcd, "acknowledge_at_once"):
        later = [hundred_commands() for _ in range(runs)]
    found = {"at once": Spread.of(at_once), "later": Spread.of(later)}
    results.keep("reader", found)
    for name, spread in found.items():
        print(f"{COMMANDS} commands, acknowledged {name}: {spread.text()} ms")


def hundred_commands() -> float:
    """Return the milliseconds that 100 commands take, in a service of their own."""
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as running:
        running.start(PLAIN)
        running.insert(make_blank_card(1))
        with PcscReader(running.slot_name()).connect() as card:
            begun = time.perf_counter()
            for _ in range(COMMANDS):
                if card.transmit(GET_SERIAL)[-2:] != b"\x90\x00":
                    raise RuntimeError("the card did not answer as it should")
            return (time.perf_counter() - begun) * 1000
