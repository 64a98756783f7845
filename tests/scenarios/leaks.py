"""Looks for secrets in a log (ALL-4)."""

import json
import re

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
    except (
        ValueError
    ):  # of a process that was killed while it wrote, or of a program that knows nothing of our form
        return text
    line.pop("at", None)
    return json.dumps(line, ensure_ascii=False)
