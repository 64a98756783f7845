"""Versions of the Desktop App, as far as the platform asks for a least one (INFO-5)."""

import re
from dataclasses import dataclass
from typing import Final, Self

FORM: Final = re.compile(
    r"(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){0,3})(?P<before>-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
)
"""As Semantic Versioning 2.0.0 writes them, with one to four numbers."""


@dataclass(frozen=True, order=True)
class AppVersion:
    """A version that can be compared; one "before" a release (0.2.0-rc1) is less than the release."""

    numbers: tuple[int, ...]
    is_release: bool = True

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the version that `text` names. Raises `ValueError` when it names none."""
        match = FORM.fullmatch(text)
        if match is None:
            raise ValueError("not a version, such as 1.2.0")
        numbers = [int(number) for number in match["numbers"].split(".")]
        return cls((*numbers, *[0] * (4 - len(numbers))), match["before"] is None)


def is_older(told: str, least: str) -> bool:
    """Tell whether the version that an app tells is older than `least`; nonsense is older than anything."""
    try:
        return AppVersion.read(told) < AppVersion.read(least)
    except ValueError:
        return True
