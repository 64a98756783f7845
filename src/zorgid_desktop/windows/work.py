"""What flows do in a window: follow a link, change a PIN, unblock one."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from zorgid.kernel.sentences import Language
from zorgid.protocol.links import Browser, LaunchLink, parse_link
from zorgid_desktop.browsers import open_in_browser
from zorgid_desktop.environments import origin_of
from zorgid_desktop.flow.asking import Face, Said
from zorgid_desktop.flow.login import Surroundings
from zorgid_desktop.flow.watching import watch_card, watches
from zorgid_desktop.pins import PinAct, ask_puk_and_unblock, change_pin, with_own_card
from zorgid_desktop.run import run_link
from zorgid_desktop.server import Platform
from zorgid_desktop.windows.card_list import Turn
from zorgid_desktop.windows.face import WindowFace
from zorgid_desktop.windows.flow_window import Work

ACTS: Final[dict[str, PinAct]] = {
    "change-pin": change_pin,
    "unblock-pin": ask_puk_and_unblock,
}
"""What a holder can do with the PIN of a card, by the names of the buttons."""


@dataclass(frozen=True)
class Ways:
    """The ways from this computer to the platform and to a browser, and its clock."""

    platform: Callable[[str, Language], contextlib.AbstractContextManager[Platform]] = (
        lambda origin, language: Platform(origin, language=language)
    )
    browser: Callable[[str, Browser], bool] = open_in_browser
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def following(link: str | LaunchLink, language: Language, turn: Turn, ways: Ways | None = None) -> Work:
    """Return the flow of a launch link: login, making, and then to see that the card stays in (LOGIN-10).

    The list of cards waits only while cards are used, not while the card of a login is watched.
    """
    by = ways or Ways()

    def work(face: WindowFace) -> None:
        parsed = parse_link(link) if isinstance(link, str) else link
        origin = origin_of(parsed.environment, os.environ)
        with by.platform(origin, language) as platform:
            around = Surroundings(platform, face.readers, _opener(face, by), by.now)
            with turn.lock:
                logged_in = run_link(around, face, parsed)
            if watches(logged_in):
                watch_card(around, face, parsed, logged_in, is_stopped=face.is_stopped)

    return work


def _opener(face: Face, by: Ways) -> Callable[[str, Browser], None]:
    def open_browser(address: str, browser: Browser) -> None:
        if by.browser(address, browser):
            face.tell(Said("browser-opened", {"address": address}))
        else:
            face.tell(Said("open-in-browser", {"address": address}))

    return open_browser


def acting(name: str, turn: Turn) -> Work:
    """Return the flow behind a button of the list: change the PIN, or unblock it."""

    def work(face: WindowFace) -> None:
        with turn.lock:
            with_own_card(face.readers, face, ACTS[name], very=face.chosen)

    return work
