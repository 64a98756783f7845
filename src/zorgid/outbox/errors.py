"""What the outbox refuses."""

from typing import ClassVar
from uuid import UUID

from zorgid.kernel.errors import Refusal


class FailedEventUnknown(Refusal):
    """There is no failed event with this id: it was retried already, or never failed. Nobody needs to act."""

    code = "failed-event-unknown"
    status: ClassVar[int] = 404

    def __init__(self, *, event_id: UUID) -> None:
        super().__init__(event_id=event_id)
