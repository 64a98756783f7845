"""Reads the parameters of a request as received, and refuses what cannot be read in one way only.

A name given twice is refused (RFC 6749, section 3.1), a name without a value counts as absent, unknown names
are ignored by never being asked for.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from zorgid.oidc.errors import InvalidRequest

MOST_PARAMETERS: Final = 100
"""More names than any client sends; a bound on the work per request."""

LONGEST_REQUEST: Final = 32_768
"""Characters of an encoded request; long states, nonces and assertions fit several times."""


@dataclass(frozen=True)
class UnverifiedParameters:
    """Names and values in the order received; nothing is checked but the encoding."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def decode(cls, encoded: bytes | str) -> "UnverifiedParameters":
        """Decode a query or a form body.

        Raises:
            InvalidRequest: it is too long, not UTF-8, or holds the character NUL, which no store takes.
        """
        if len(encoded) > LONGEST_REQUEST:
            raise InvalidRequest(description="The request is too long.")
        try:
            text = encoded.decode("ascii") if isinstance(encoded, bytes) else encoded
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
        except ValueError as error:
            raise InvalidRequest(description="The request cannot be decoded.", detail=str(error)) from None
        if any("\0" in part for pair in pairs for part in pair):
            raise InvalidRequest(description="The request holds the character NUL.")
        return cls(tuple(pairs))

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "UnverifiedParameters":
        """Return parameters from decoded pairs."""
        return cls(tuple(pairs))

    def repeated(self) -> tuple[str, ...]:
        """Return the names that are given more than once, in alphabetical order."""
        return tuple(
            sorted(name for name, times in Counter(name for name, _ in self.pairs).items() if times > 1)
        )

    def one(self, name: str) -> str | None:
        """Return the value of `name`, or `None` when it is absent or empty.

        Raises `InvalidRequest` when repeated.
        """
        values = [value for given, value in self.pairs if given == name]
        if len(values) > 1:
            raise InvalidRequest(description=f"The parameter {name} is given more than once.")
        return values[0] or None if values else None

    def encoded(self) -> str:
        """Return the parameters as they are kept: the same names and values, encoded anew."""
        return urlencode(self.pairs)
