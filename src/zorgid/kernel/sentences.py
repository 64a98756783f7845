"""Turns the code and the facts of a refusal into a sentence for people, in Dutch or English (ALL-1, ALL-2).

The texts stand in TOML files beside the edge that shows them, one table per code with the keys `nl`,
`nl_next`, `en` and `en_next`: what happened, and what to do next. Facts appear as `{name}`.
"""

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources.abc import Traversable
from typing import Any, Final


class Language(StrEnum):
    """The languages of the product; the first is the default (ALL-1)."""

    nl = "nl"
    en = "en"


@dataclass(frozen=True)
class Sentence:
    """What a person reads: what happened and what to do next."""

    text: str
    next_step: str


KEYS: Final = frozenset({"nl", "nl_next", "en", "en_next"})


class Sentences:
    """All sentences of one edge, by code."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = dict(texts)

    @classmethod
    def load(cls, files: Iterable[Traversable]) -> "Sentences":
        """Read the TOML files. Raises `ValueError` for a code given twice or a missing language."""
        texts: dict[str, Mapping[str, str]] = {}
        for file in files:
            for code, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if code in texts or set(entry) != KEYS:
                    msg = f"{file.name}: {code} is given twice or lacks one of {sorted(KEYS)}"
                    raise ValueError(msg)
                texts[code] = entry
        return cls(texts)

    def codes(self) -> frozenset[str]:
        """Return every code that has a sentence."""
        return frozenset(self._texts)

    def names_in(self, code: str) -> frozenset[str]:
        """Return the names of the facts that the texts of `code` use."""
        fields = (
            field for text in self._texts[code].values() for _, field, _, _ in string.Formatter().parse(text)
        )
        return frozenset(field for field in fields if field)

    def sentence(self, code: str, facts: Mapping[str, Any], language: Language) -> Sentence:
        """Return the sentence for `code`. Raises `KeyError` for an unknown code or a missing fact."""
        texts = self._texts[code]
        return Sentence(texts[language].format(**facts), texts[f"{language}_next"].format(**facts))
