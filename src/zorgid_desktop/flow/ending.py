"""What to tell the person when a flow ended early, whatever ended it; no traceback ever reaches a person."""

import traceback
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from cardkit.errors import CardError
from zorgid_desktop.flow.asking import Cancelled, Errand, Said, Trouble
from zorgid_desktop.flow.cards import FlowStopped, trouble_of
from zorgid_desktop.refused import NothingAnswersHere, PlatformRefused, PlatformUnreachable, told

STOPPED: Final = "cancelled"
STOPPED_ON: Final[Mapping[Errand | None, str]] = {
    None: STOPPED,
    Errand.login: "cancelled-login",
    Errand.making: "cancelled-making",
    Errand.pin_change: "cancelled-pin-change",
    Errand.unblocking: "cancelled-unblocking",
}
"""What is said to whoever stops, by what the person came for: each goes on at another place."""


def why_it_ended(error: BaseException) -> Trouble:
    """Return what to show for the error that ended a flow."""
    if isinstance(error, FlowStopped):
        return error.said
    if isinstance(error, PlatformRefused):
        return told(error.problem)
    return _in_own_words(error)


def _in_own_words(error: BaseException) -> Said:
    match error:
        case Cancelled(errand=errand):
            return Said(STOPPED_ON[errand])
        case KeyboardInterrupt():
            return Said(STOPPED)
        case NothingAnswersHere(origin=origin):
            return Said("nothing-answers-here", {"origin": origin})
        case PlatformUnreachable():
            return Said("platform-unreachable")
        case CardError():
            return trouble_of(error)
        case _:
            return _about_link(error)


def _about_link(error: BaseException) -> Said:
    from zorgid.protocol.environments import EnvironmentRefused  # noqa: PLC0415 - a list of cards needs none
    from zorgid.protocol.errors import LinkMalformed  # noqa: PLC0415

    if isinstance(error, LinkMalformed | EnvironmentRefused):
        return Said(error.code, error.facts)
    return Said("unforeseen", {"reference": reference_of(error)})


def reference_of(error: BaseException) -> str:
    """Return where an unforeseen error came from, for support: kind, file and line, and nothing of its words.

    The words of an error may hold what a person typed.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{PurePath(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__}/{place}"
