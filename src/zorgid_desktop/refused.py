"""What a call to the platform may end in; apart from the calls, so that a short command loads no HTTP."""

from typing import TYPE_CHECKING

from zorgid.kernel.sentences import Sentence
from zorgid_desktop.flow.asking import Told

if TYPE_CHECKING:
    from zorgid.protocol.messages import Problem


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
