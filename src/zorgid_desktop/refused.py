"""What a call to the platform may end in; apart from the calls, so that a short command loads no HTTP."""

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from zorgid.kernel.sentences import Sentence
from zorgid_desktop.flow.asking import Told

if TYPE_CHECKING:
    from zorgid.protocol.messages import Problem

HOSTS_OF_THIS_COMPUTER: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class PlatformRefused(Exception):
    """The platform said no, in a sentence for people."""

    def __init__(self, problem: "Problem") -> None:
        self.problem = problem
        super().__init__(problem.code)


def told(problem: "Problem") -> Told:
    """Return a refusal as the person reads it."""
    return Told(problem.code, Sentence(problem.detail, problem.next_step))


class PlatformUnreachable(Exception):
    """No answer came, or one that is not the platform's; trying later or asking support solves it."""

    code = "platform-unreachable"


class NothingAnswersHere(PlatformUnreachable):
    """The platform's address is this very computer, as that of the demo is, and nothing answers there.

    No network is at fault; starting the demo solves it.
    """

    code = "nothing-answers-here"

    def __init__(self, origin: str) -> None:
        super().__init__(self.code)
        self.origin = origin


def unanswered(origin: str) -> PlatformUnreachable:
    """Return what to say when no answer came from `origin`."""
    is_here = urlsplit(origin).hostname in HOSTS_OF_THIS_COMPUTER
    return NothingAnswersHere(origin) if is_here else PlatformUnreachable()
