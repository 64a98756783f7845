"""The link with which a browser starts the Desktop App, and the address with which the app goes back.

The launch link holds an environment id, a handle and a browser hint and nothing else: no address, no text, no
nonce, so a hostile page has nothing to choose but which transaction is shown. Their exact form:
docs/desktop-protocol.md, chapters 1 and 6.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zorgid.kernel.secrets import Secret
from zorgid.protocol.errors import LinkMalformed

SCHEME: Final = "zorg-id"

HANDLE_BYTES: Final = 16
"""128 bits: nobody can guess the handle of another's transaction."""


class Browser(StrEnum):
    """The browsers that the app can open by name; anything else is the user's default browser."""

    chrome = "chrome"
    chromium = "chromium"
    edge = "edge"
    firefox = "firefox"
    safari = "safari"
    default = "default"


@dataclass(frozen=True)
class LaunchLink:
    """A parsed launch link.

    `environment` is an id that the app maps to an origin from its own configuration.
    """

    environment: str
    handle: Secret
    browser: Browser

    def text(self) -> str:
        """Return the link. It holds the handle: never log it."""
        return f"{SCHEME}:auth?v=1&e={self.environment}&h={self.handle.text_for_wire()}&b={self.browser}"


LINK: Final = re.compile(
    SCHEME
    + r":auth\?v=1&e=(?P<environment>[a-z]{1,20})&h=(?P<handle>[A-Za-z0-9_-]{21}[AQgw])"
    + r"&b=(?P<browser>[a-z]{1,10})"
)


def parse_link(unverified: str) -> LaunchLink:
    """Return the parts of a launch link.

    Raises:
        LinkMalformed: anything but the exact form, an unknown browser included.
    """
    match = LINK.fullmatch(unverified)
    if match is None:
        raise LinkMalformed
    try:
        handle = Secret.from_text(match["handle"])
        return LaunchLink(match["environment"], handle, Browser(match["browser"]))
    except ValueError:
        raise LinkMalformed from None


def browser_of(user_agent: str) -> Browser:
    """Return which browser a User-Agent header names; a hint only, so `default` is always right."""
    signs = (
        ("Edg/", Browser.edge),
        ("Firefox/", Browser.firefox),
        ("Chromium/", Browser.chromium),
        ("Chrome/", Browser.chrome),
        ("Safari/", Browser.safari),
    )
    return next((browser for sign, browser in signs if sign in user_agent), Browser.default)


def completion_address(origin: str, handle: Secret, code: Secret) -> str:
    """Return the address that the app opens in the browser that began.

    The secrets travel in the fragment (ALL-4).
    """
    return f"{origin}/oauth/complete#{handle.text_for_wire()}.{code.text_for_wire()}"
