"""The face that the flow talks to: called from the flow's thread, answered in the windows' thread.

A question waits until the person answers it. Whoever closes the window, or chooses to stop, ends the question
that is open with `Cancelled`, and every one that comes after it.
"""

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, TypeVar, cast

from PySide6.QtCore import QObject, Signal

from cardkit.readers import Readers
from zorgid_desktop.flow.asking import (
    Cancelled,
    ChooseCard,
    InsertCard,
    Question,
    Said,
    SeenCard,
)
from zorgid_desktop.windows.arrival import Arrival

T = TypeVar("T")


class Asked:
    """A question with the place for its answer; the first answer counts."""

    def __init__(self, question: Question[Any]) -> None:
        self.question = question
        self._answer: Future[Any] = Future()

    def answer(self, value: Any) -> None:
        """Give the answer."""
        with suppress(InvalidStateError):
            self._answer.set_result(value)

    def cancel(self) -> None:
        """Say that the person does not want to go on."""
        with suppress(InvalidStateError):
            self._answer.set_exception(Cancelled())

    def is_answered(self, within_seconds: float) -> bool:
        """Wait for an answer at most so long, and tell whether there is one."""
        with suppress(TimeoutError, Cancelled):
            self._answer.result(within_seconds)
        return self._answer.done()

    def result(self) -> Any:
        """Wait for the answer. Raises `Cancelled`."""
        return self._answer.result()


class WindowFace(QObject):
    """A `Face` whose questions and messages are signals to one window."""

    asked = Signal(object)
    """An `Asked`, which the window answers or cancels."""
    told = Signal(object)
    """A `Said`."""

    def __init__(self, readers: Readers, *, chosen: SeenCard | None = None) -> None:
        super().__init__()
        self.readers = readers
        self.chosen = chosen
        self._open: Asked | None = None
        self._stopped = threading.Event()

    def ask(self, question: Question[T]) -> T:
        """Return the person's answer. Raises `Cancelled`."""
        if self._stopped.is_set():
            raise Cancelled
        known = self._known_answer(question)
        if known is not None:
            return cast("T", known.answer)
        arrival = Arrival(self.readers, question) if isinstance(question, InsertCard) else None
        if arrival is not None and arrival.is_there:
            return cast("T", None)
        asked = Asked(question)
        self._open = asked
        self.asked.emit(asked)
        if self._stopped.is_set():  # between the look above and the question
            asked.cancel()
        if arrival is not None and arrival.comes(asked.is_answered):
            asked.answer(None)
        try:
            return cast("T", asked.result())
        finally:
            self._open = None

    def tell(self, said: Said) -> None:
        """Show how far the flow is."""
        self.told.emit(said)

    def stop(self) -> None:
        """End the open question, and every further one; called from any thread."""
        self._stopped.set()
        asked = self._open
        if asked is not None:
            asked.cancel()

    def is_stopped(self) -> bool:
        """Tell whether the person wants to stop."""
        return self._stopped.is_set()

    def _known_answer(self, question: Question[Any]) -> "Known | None":
        """Return the answer that the person gave already, by pointing at a card in the list."""
        if self.chosen is None or question.trouble is not None:
            return None
        match question:
            case InsertCard():
                return Known(None)
            case ChooseCard(cards=cards):
                places = [at for at, seen in enumerate(cards) if seen.is_same_card(self.chosen)]
                return Known(places[0]) if places else None
        return None


class Known:
    """An answer that need not be asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
