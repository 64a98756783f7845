"""Signed OCSP answers in memory, and whether they may be relied on at this moment.

A node keeps an answer until the certificate's status changes. It hears of changes by NOTIFY. Whether it
still hears them it knows from beats: it notifies itself a few times a second, and since notifications
arrive in the order of the commits, a beat that came back proves that every change committed before it was
heard. Memory counts only while such a beat is younger than a second; before and after that the database
answers. Knows no OCSP and no SQL.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from zorgid.pki.ocsp import CertId

Monotonic = Callable[[], float]
"""Gives seconds that never go back."""

TRUSTED_SECONDS: Final = 1.0
"""How long a beat that came back proves that nothing was missed, counted from when it was sent."""

BEAT_SECONDS: Final = 0.3
"""Pause between the beats of a node."""

MOST_ANSWERS: Final = 100_000
"""How many answers are kept, one to two kilobytes each; the longest unused goes first."""

BEAT: Final = "beat"


@dataclass(frozen=True)
class KeptAnswer:
    """A signed answer (DER), its times, from when it is signed anew, and its hash in hexadecimal."""

    der: bytes
    this_update: datetime
    next_update: datetime
    sign_again_at: datetime
    sha256: str = ""


class AnswerMemory:
    """The answers of one node. Its listener calls `heard`, `connected` and `lost`."""

    def __init__(self, node: str, monotonic: Monotonic) -> None:
        self._node = node
        self._monotonic = monotonic
        self._kept: OrderedDict[CertId, KeptAnswer] = OrderedDict()
        self._by_serial: dict[int, set[CertId]] = {}
        self._is_connected = False
        self._trusted_until = float("-inf")
        self.generation = 0
        """Grows with everything that is heard.

        An answer read from the database before it grew is not kept.
        """

    def get(self, cert_id: CertId, now: datetime) -> KeptAnswer | None:
        """Return the kept answer when memory may be relied on and the answer is young enough."""
        kept = self._kept.get(cert_id) if self.is_trusted else None
        if kept is None or now >= kept.sign_again_at or now < kept.this_update:
            return None
        self._kept.move_to_end(cert_id)
        return kept

    def keep(self, cert_id: CertId, answer: KeptAnswer, generation: int) -> None:
        """Keep an answer, unless something was heard since `generation` was read, or nothing is."""
        if generation != self.generation or not self._is_connected:
            return
        self._kept[cert_id] = answer
        self._kept.move_to_end(cert_id)
        self._by_serial.setdefault(cert_id.serial, set()).add(cert_id)
        if len(self._kept) > MOST_ANSWERS:
            self._drop(next(iter(self._kept)).serial)

    @property
    def is_trusted(self) -> bool:
        """True while a beat younger than a second came back."""
        return self._is_connected and self._monotonic() < self._trusted_until

    def beat(self) -> str:
        """Return the payload of a beat that is sent now."""
        return f"{BEAT} {self._monotonic()!r} {self._node}"

    def heard(self, payload: str) -> None:
        """Take a notification: a beat, or the serials in hexadecimal of certificates that changed."""
        word, _, rest = payload.partition(" ")
        if word == BEAT:
            sent_at, _, node = rest.partition(" ")
            if node == self._node:
                self._trusted_until = max(self._trusted_until, float(sent_at) + TRUSTED_SECONDS)
            return
        self.generation += 1
        for serial in payload.split(","):
            self._drop(int(serial, 16))

    def connected(self) -> None:
        """Listening has begun; memory is empty and counts from the first beat that comes back."""
        self._forget()
        self._is_connected = True

    def lost(self) -> None:
        """Nothing is heard any more: forget everything."""
        self._forget()
        self._is_connected = False

    def _forget(self) -> None:
        self.generation += 1
        self._kept.clear()
        self._by_serial.clear()
        self._trusted_until = float("-inf")

    def _drop(self, serial: int) -> None:
        for cert_id in self._by_serial.pop(serial, ()):
            self._kept.pop(cert_id, None)
