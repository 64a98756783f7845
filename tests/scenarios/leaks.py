"""Looks for secrets in a log or a table (ALL-4)."""

import contextlib
import json
import re
from collections.abc import Iterator

WORDS = (re.compile(r"[A-Za-z0-9_-]+"), re.compile(r"[A-Za-z0-9+/=]+"), re.compile(r"\w+"))
"""How a log is taken apart: secrets are digits, letters, base64url, base64 or hexadecimal."""


def leaked(log: str, secrets: set[str]) -> set[str]:
    """Return the secrets that stand in a log."""
    assert log
    found: set[str] = set()
    for text in log.splitlines():
        written = _without_moment(text)
        found |= {word for words in WORDS for word in words.findall(written)} & secrets
    return found


def _without_moment(text: str) -> str:
    """Return a line without its moment, which is made of digits, as a PIN is."""
    try:
        line = json.loads(text)
    # Of a process that was killed while it wrote, or of a program that knows nothing of our form.
    except ValueError:
        return text
    line.pop("at", None)
    return json.dumps(line, ensure_ascii=False)


def stands_in(secret: str, text: str) -> bool:
    """Tell whether a secret stands in a text; digits do by chance in a longer number or hash, and that is none."""
    if not secret.isdigit():
        return secret in text
    return re.search(rf"(?<![0-9a-fA-F]){secret}(?![0-9a-fA-F])", text) is not None


def told(document: str) -> str:
    """Return all that a JSON document tells, each name and value on lines of its own, as they were before JSON."""
    return "\n".join(_told(json.loads(document, parse_int=str, parse_float=str)))


def _told(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _told(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _told(inner)
    elif isinstance(value, str):
        yield value
        yield from _told_inside(value)


def _told_inside(text: str) -> Iterator[str]:
    """Give what is told by a text that is JSON by itself, as in a column of text."""
    if not text.startswith(("{", "[", '"')):
        return
    with contextlib.suppress(ValueError):
        yield from _told(json.loads(text, parse_int=str, parse_float=str))
