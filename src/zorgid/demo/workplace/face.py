"""The face of the app at a desk: a question waits in the flow's thread until a page brings its answer.

Pages look at it and answer from the event loop; the flow asks and tells from its own thread.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, Final, TypeVar, cast

from cardkit.errors import CardGone
from zorgid.protocol.links import Browser
from zorgid_desktop.flow.asking import AskPin, Cancelled, ChoosePin, Question, Said, Trouble

T = TypeVar("T")

PATIENCE_SECONDS: Final = 10 * 60.0
"""How long a question waits; then nobody is there any more, and the flow ends."""

NEED_THE_CARD: Final = (AskPin, ChoosePin)
"""Questions that make no sense once the card is out."""

Reply = Callable[[], Any]
"""Gives the answer, or raises what ends the question."""


@dataclass(frozen=True)
class Asked:
    """A question that waits, with its number: an answer counts for its own question only."""

    number: int
    question: Question[Any]


@dataclass(frozen=True)
class Seen:
    """What the app shows at one moment."""

    asked: Asked | None = None
    told: tuple[Said, ...] = ()
    """All that was told so far, in order."""
    completion: str | None = field(default=None, repr=False)
    """The address to go on at, with its one-time code in the fragment; while it waits to be opened."""
    is_ended: bool = False
    trouble: Trouble | None = None
    """Why it ended, when it did not end well."""

    @property
    def is_watching(self) -> bool:
        """Whether the person is logged in, and pulling the card ends that."""
        return not self.is_ended and bool(self.told) and self.told[-1].code == "watching"

    @property
    def is_settled(self) -> bool:
        """Whether it is the person's turn, or nobody's any more."""
        return self.asked is not None or self.completion is not None or self.is_ended or self.is_watching


class PageFace:
    """A `Face` (`zorgid_desktop.flow.asking.Face`) whose questions become pages.

    `changed` is called, in the flow's thread, each time that there is something else to see.
    """

    def __init__(self, changed: Callable[[], None], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._changed = changed
        self._patience_seconds = patience_seconds
        self._condition = Condition()
        self._asked: Asked | None = None
        self._reply: Reply | None = None
        self._number = 0
        self._told: list[Said] = []
        self._completion: str | None = None
        self._is_ended = False
        self._trouble: Trouble | None = None
        self._is_left = False

    def ask(self, question: Question[T]) -> T:
        """Return the person's answer. Raises `Cancelled`, also when nobody answers; `CardGone`."""
        with self._condition:
            self._number += 1
            self._asked, self._reply, self._completion = Asked(self._number, question), None, None
            self._changed()
            self._condition.wait_for(lambda: self._reply is not None or self._is_left, self._patience_seconds)
            reply, self._asked, self._reply = self._reply or _cancelled, None, None
        self._changed()
        return cast("T", reply())

    def tell(self, said: Said) -> None:
        """Show how far the flow is."""
        with self._condition:
            self._told.append(said)
            self._completion = None
        self._changed()

    def open_browser(self, address: str, _: Browser) -> None:
        """Let the desk's own page lead on to an address: it is in the browser that began, or nowhere."""
        with self._condition:
            self._completion = address
        self._changed()

    def end(self, trouble: Trouble | None) -> None:
        """Show that the flow ended, and why."""
        with self._condition:
            self._is_ended, self._trouble, self._completion = True, trouble, None
        self._changed()

    def seen(self) -> Seen:
        """Return what there is to see now."""
        with self._condition:
            return Seen(self._asked, tuple(self._told), self._completion, self._is_ended, self._trouble)

    def answer(self, number: int, value: Any) -> None:
        """Answer a question; one that waits no more is left as it is."""
        self._send(number, lambda: value)

    def cancel(self, number: int) -> None:
        """Say that the person does not want to go on."""
        self._send(number, _cancelled)

    def card_is_out(self) -> None:
        """End a question about the card that was pulled; the flow asks for the card again."""
        with self._condition:
            if self._asked is not None and isinstance(self._asked.question, NEED_THE_CARD):
                self._give(_card_gone)

    def leave(self) -> None:
        """Answer no question any more: the person went away."""
        with self._condition:
            self._is_left = True
            self._condition.notify_all()

    def _send(self, number: int, reply: Reply) -> None:
        with self._condition:
            if self._asked is not None and self._asked.number == number:
                self._give(reply)

    def _give(self, reply: Reply) -> None:
        """Hand the reply over; from now on the question is answered, whenever the flow's thread wakes up."""
        self._asked, self._reply = None, reply
        self._condition.notify_all()


def _cancelled() -> Any:
    raise Cancelled


def _card_gone() -> Any:
    raise CardGone
