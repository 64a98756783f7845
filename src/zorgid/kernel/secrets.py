"""Secrets that cannot be printed: not by a log line, not by a traceback, not by pickle (ALL-4)."""

import hashlib
import hmac
from typing import NoReturn

from zorgid.kernel.randomness import RandomSource, base64url, from_base64url


class Secret:
    """A one-time code, handle or key in memory.

    `str`, `repr` and `format` hide it; `reveal` is the only way out. Compare with `==`, which takes constant
    time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    @classmethod
    def new(cls, size_bytes: int, random: RandomSource) -> "Secret":
        """Return a fresh secret of `size_bytes` from `random`."""
        return cls(random(size_bytes))

    @classmethod
    def from_text(cls, text: str) -> "Secret":
        """Return the secret that `text_for_wire` gave. Raises `ValueError` when it cannot be one."""
        return cls(from_base64url(text))

    def reveal(self) -> bytes:
        """Return the bytes, for the one place that needs them."""
        return self._value

    def text_for_wire(self) -> str:
        """Return the secret in base64url, for the one message that carries it."""
        return base64url(self._value)

    def digest(self) -> bytes:
        """Return the SHA-256 under which the secret is stored (32 bytes)."""
        return hashlib.sha256(self._value).digest()

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self.digest())

    def __reduce__(self) -> NoReturn:
        msg = "a secret is never pickled"
        raise TypeError(msg)
