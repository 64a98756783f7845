"""The one place that reads the system's random source.

Rules and actions get a `RandomSource` handed in, so that tests can fix it.
"""

import base64
import secrets
from collections.abc import Callable

RandomSource = Callable[[int], bytes]
"""Gives that many unpredictable bytes."""


def system_random(size_bytes: int) -> bytes:
    """Return `size_bytes` from the system's cryptographic random source."""
    return secrets.token_bytes(size_bytes)


def base64url(data: bytes) -> str:
    """Return `data` in base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """Return the bytes of unpadded base64url `text`.

    Raises:
        ValueError: `text` has characters outside the alphabet, padding, or a length that cannot be.
    """
    if not text.isascii() or "=" in text or not text.replace("-", "a").replace("_", "a").isalnum():
        msg = "not base64url"
        raise ValueError(msg)
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
