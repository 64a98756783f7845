"""Decides whether a return address is one that the client registered, character for character.

The one exception is the loopback address of a program on the person's own machine, whose port is chosen anew
each time.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1"})
"""Literal addresses only: the name localhost may resolve to another machine (RFC 8252, section 8.3)."""


def registered_address(asked: str | None, registered: Iterable[str]) -> str | None:
    """Return `asked` when it is registered, else `None`.

    An address registered as `http://127.0.0.1/path` or `http://[::1]/path`, so without a port, allows every
    port.

    Source: RFC 6749, section 3.1.2.3; RFC 8252, section 7.3; RFC 9700, section 2.1.
    """
    if asked is None:
        return None
    return (
        asked if any(asked == known or _differs_in_free_port(asked, known) for known in registered) else None
    )


def origin_of(address: str) -> str:
    """Return scheme, host and port of an address that has been checked, as a browser writes an origin."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _differs_in_free_port(asked: str, known: str) -> bool:
    free = _split(known)
    if (
        free is None
        or free.scheme != "http"
        or free.hostname not in LOOPBACK_HOSTS
        or free.netloc != _host(free)
    ):
        return False
    parts = _split(asked)
    if parts is None or _port(parts) is None:
        return False
    return (
        parts.netloc == f"{free.netloc}:{_port(parts)}"
        and asked.replace(parts.netloc, free.netloc, 1) == known
    )


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return None


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host
