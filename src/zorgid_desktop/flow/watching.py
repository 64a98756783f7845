"""Watches the card of a login; when it is pulled the platform hears, and its session ends (LOGIN-7, 10).

What counts is this very card in its reader, not any card. The app asks the platform now and then whether the
session is still alive, as often as the platform says, and stops watching when it is not.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from cardkit.errors import CardBusy, CardError
from cardkit.readers import CardReader, Readers
from zorgid.protocol.context import Purpose
from zorgid.protocol.links import LaunchLink
from zorgid.protocol.messages import HandleRequest, SessionReply, SessionState
from zorgid_desktop.flow.asking import Face, Said, SeenCard
from zorgid_desktop.flow.login import LoggedIn, Surroundings
from zorgid_desktop.flow.seeing import see
from zorgid_desktop.server import PlatformRefused, PlatformUnreachable

LOOK_EVERY_SECONDS: Final = 2.0
"""The longest that one look waits for a reader to tell of a change."""
MOST_BLIND_LOOKS: Final = 3
"""So often in a row the service of the readers may be away before the card counts as pulled."""
ASK_LATER_SECONDS: Final = 30.0
"""When a platform that gave no good answer is asked again."""


class WatchEnd(StrEnum):
    """Why the watching ended."""

    card_out = "card-out"
    """The card was pulled, and the platform ended the session."""
    session_ended = "session-ended"
    """The session had ended otherwise: logged out, idle, another login in its browser."""
    stopped = "stopped"
    """The app is being closed; the session stays as it is."""
    not_told = "not-told"
    """The card was pulled, but the platform could not be told before the app was closed."""


def watches(logged_in: LoggedIn) -> bool:
    """Tell whether there is something to watch: only a login makes a session."""
    return logged_in.context.purpose is Purpose.login


def watch_card(
    around: Surroundings,
    face: Face,
    link: LaunchLink,
    logged_in: LoggedIn,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
) -> WatchEnd:
    """Watch until the card is pulled, the session has ended otherwise, or the app is closed."""
    face.tell(Said("watching", {"reader": logged_in.card.reader}))
    session = _Session(around, link)
    presence = _Presence(around.readers, logged_in.card)
    while not is_stopped():
        if presence.is_out():
            return _tell(face, session, around.readers, is_stopped)
        if not session.is_alive():
            face.tell(Said("session-over"))
            return WatchEnd.session_ended
        presence.wait()
    return WatchEnd.stopped


def _tell(face: Face, session: "_Session", readers: Readers, is_stopped: Callable[[], bool]) -> WatchEnd:
    """Tell the platform that the card is out, again and again until it hears; the person knows meanwhile."""
    is_warned = False
    while not session.end():
        if not is_warned:
            face.tell(Said("session-end-not-told"))
            is_warned = True
        if is_stopped():
            return WatchEnd.not_told
        _pause(readers)
    face.tell(Said("session-ended-by-pull"))
    return WatchEnd.card_out


class _Session:
    """The session of one login, at the platform."""

    def __init__(self, around: Surroundings, link: LaunchLink) -> None:
        self._platform = around.platform
        self._request = HandleRequest(handle=link.handle.text_for_wire())
        self._ask_at = 0.0

    def is_alive(self) -> bool:
        """Ask the platform, but not before it wants to be asked; one that is away is asked again later."""
        if time.monotonic() < self._ask_at:
            return True
        try:
            reply = self._platform.call("/session", self._request, SessionReply)
        except PlatformUnreachable:
            self._ask_at = time.monotonic() + ASK_LATER_SECONDS
            return True
        except PlatformRefused as refused:
            self._ask_at = time.monotonic() + ASK_LATER_SECONDS
            return _is_passing(refused)
        self._ask_at = time.monotonic() + reply.ask_again_after_seconds
        return reply.state is SessionState.alive

    def end(self) -> bool:
        """Tell the platform to end the session; false when it could not be told."""
        try:
            self._platform.call("/session/end", self._request, SessionReply)
        except PlatformUnreachable:
            return False
        except PlatformRefused as refused:
            return not _is_passing(refused)
        return True


def _is_passing(refused: PlatformRefused) -> bool:
    """Tell whether the platform may answer otherwise in a while: too many requests, or a fault of its own."""
    status = refused.problem.status
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


class _Presence:
    """Whether one very card is still in its reader."""

    def __init__(self, readers: Readers, card: SeenCard) -> None:
        self._readers = readers
        self._card = card
        self._has_moved = True  # between signing and now it may have been swapped
        self._blind_looks = 0

    def wait(self) -> None:
        """Wait for a change, for a moment."""
        self._has_moved |= _pause(self._readers)

    def is_out(self) -> bool:
        """Tell whether the card was pulled, swapped, or went with its reader."""
        try:
            is_out = self._looks_out()
            if is_out:
                self._readers.present()  # a service that went away meanwhile shows no card either
        except CardError:
            self._blind_looks += 1
            return self._blind_looks >= MOST_BLIND_LOOKS
        self._blind_looks = 0
        return is_out

    def _looks_out(self) -> bool:
        present = self._readers.present()
        reader = next((one for one in present if one.name == self._card.reader), None)
        return reader is None or not reader.has_card() or (self._has_moved and self._is_other_card(reader))

    def _is_other_card(self, reader: CardReader) -> bool:
        """Look at the card again, after something moved; one that a program uses is looked at later."""
        try:
            with reader.open_card() as card:
                is_same = see(reader.name, card).seen.is_same_card(self._card)
        except CardBusy:
            return False
        except CardError:
            return True
        self._has_moved = False
        return not is_same


def _pause(readers: Readers) -> bool:
    """Wait for a reader to tell of a change; tells whether one did."""
    try:
        return readers.wait(LOOK_EVERY_SECONDS)
    except CardError:
        time.sleep(LOOK_EVERY_SECONDS)
        return True
