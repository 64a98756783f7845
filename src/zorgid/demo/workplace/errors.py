"""The refusals of the virtual workplace."""

from typing import ClassVar

from zorgid.kernel.errors import Refusal


class DeskUnknown(Refusal):
    """This browser has no desk (any more); the person opens one."""

    code = "desk-unknown"
    status: ClassVar[int] = 404


class DesksTaken(Refusal):
    """All desks are in use; the person waits until one is free."""

    code = "desks-taken"
    status: ClassVar[int] = 503

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds)


class LinkForElsewhere(Refusal):
    """The launch link belongs to another environment; the person begins on a page of this one."""

    code = "link-for-elsewhere"
    status: ClassVar[int] = 400
