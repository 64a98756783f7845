"""One reader: is there a card, and the card for this program alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from cardkit.errors import CardBusy, CardError
from cardkit.pcsc.connection import Connection, let_go
from cardkit.pcsc.service import (
    STATE_PRESENT,
    OpenCard,
    Service,
    load_binding,
    open_service,
    reader_service,
)
from cardkit.pcsc.troubles import RESET_CARD, PcscFailed, trouble_at_opening

# A program that reads a new card, as systems do by themselves, is done by then.
TURN_SECONDS: Final = 4.0

Made = TypeVar("Made")


class PcscReader:
    """A reader of the PC/SC service (`cardkit.transport.Reader`), by its name; it need not be there now."""

    def __init__(self, name: str, *, binding: Any = None, turn_seconds: float = TURN_SECONDS) -> None:
        """Name a reader; `turn_seconds` is how long to wait for a card that another program holds."""
        self.name = name
        self._given_binding = binding
        self.turn_seconds = turn_seconds

    def __repr__(self) -> str:
        return f"PcscReader({self.name!r})"

    def has_card(self) -> bool:
        """Tell whether a card is in the reader now; false as well when reader or service are gone."""
        try:
            with reader_service(self.binding()) as service:
                state = service.state(self.name)
        except CardError:
            return False
        return bool((state or 0) & STATE_PRESENT)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Hold the card that is in now against every other program, and reset it at the end.

        Raises:
            ReaderServiceAbsent, ReaderAbsent, ReaderEmpty, CardMute: nothing was done to the card.
            CardBusy: another program held it all the time that was waited.
        """
        binding = self.binding()
        service, card = within(self.turn_seconds, lambda: self._held(binding), lambda held: let_go(*held))
        connection = Connection(service, card)
        try:
            yield connection
        finally:
            connection.close()

    def binding(self) -> Any:
        """Return the binding that this reader is spoken to by. Raises `ReaderServiceAbsent`."""
        return self._given_binding or load_binding()

    def _held(self, binding: Any) -> tuple[Service, OpenCard]:
        """Open the card and take it; waits as long as another program holds it."""
        try:
            service = open_service(binding)
        except PcscFailed as failed:
            raise trouble_at_opening(failed) from failed
        try:
            return service, _taken(service, self.name)
        except PcscFailed as failed:
            service.release()
            raise trouble_at_opening(failed) from failed


def _taken(service: Service, reader: str) -> OpenCard:
    """Open the card and take it, from the beginning when it was reset meanwhile.

    Whoever held it resets it at the end, which the service tells to all who wait; nothing was sent by then.
    """
    while True:
        card = service.connect(reader)
        try:
            service.begin(card)
        except PcscFailed as failed:
            if failed.code != RESET_CARD:
                raise
            service.disconnect(card)
        else:
            return card


def within(seconds: float, make: Callable[[], Made], undo: Callable[[Made], None]) -> Made:
    """Return what `make` makes in a thread, if it is ready in time; what comes too late is undone there.

    The service has no way to ask for a card without waiting for whoever has it.

    Raises:
        CardBusy: it was not ready in time.
    """
    promise: Future[Made] = Future()
    threading.Thread(target=_fulfil, args=(promise, make, undo), name="card wanted", daemon=True).start()
    try:
        return promise.result(seconds)
    except TimeoutError:
        if promise.cancel():
            raise CardBusy from None
        return promise.result()
    except KeyboardInterrupt:
        if not promise.cancel() and promise.exception() is None:
            undo(promise.result())
        raise


def _fulfil(promise: Future[Made], make: Callable[[], Made], undo: Callable[[Made], None]) -> None:
    try:
        made = make()
    except BaseException as error:  # noqa: BLE001  # it is raised in the thread that waits for it
        if promise.set_running_or_notify_cancel():
            promise.set_exception(error)
        return
    if promise.set_running_or_notify_cancel():
        promise.set_result(made)
    else:
        undo(made)
