"""The refusals about people."""

from typing import ClassVar

from zorgid.kernel.errors import Refusal


class PersonUnknown(Refusal):
    """No such person; the caller's own record is out of date."""

    code = "person-unknown"
    status = 404


class BirthDateUnfit(Refusal):
    """The date cannot be a birth date (in the future, or before 1900).

    It is typed again and costs no try (ALL-2).
    """

    code = "birth-date-unfit"
    status = 422


class BirthDateWrong(Refusal):
    """The typed birth date is not the known one; the person can try again.

    The counted try stays counted.
    """

    code = "birth-date-wrong"
    keeps_changes: ClassVar[bool] = True

    def __init__(self, *, tries_left: int) -> None:
        super().__init__(tries_left=tries_left)


class BirthDateTriesSpent(Refusal):
    """Three wrong birth dates were given today, over all flows.

    The person can try tomorrow, or ask support. The counted try stays counted.
    """

    code = "birth-date-tries-spent"
    status = 429
    keeps_changes: ClassVar[bool] = True


class PersonMayBeKnown(Refusal):
    """The UZI number is new, but somebody of this organisation with these names is known; support must look.

    Said whatever date was typed, so that it tells nothing about the known person's.
    """

    code = "person-may-be-known"
    status = 409


class OtherMeansReserved(Refusal):
    """The person has, makes or was invited to the other kind of means; giving that up opens the way (CARD-4).

    `kind` is the kind that is taken.
    """

    code = "other-means-reserved"
    status = 409

    def __init__(self, *, kind: str) -> None:
        super().__init__(kind=kind)
