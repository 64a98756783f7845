"""What cards, readers and the platform say of themselves, made fit to be shown.

A certificate, the name of a slot and an answer of the platform are written by others. A sign in them could
move the cursor of a terminal, hide a part of a line, or turn the order in which it is read.
"""

import unicodedata
from typing import Final

UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories that show nothing and may steer: controls, formats, halves, private and unassigned."""

PARTED: Final = frozenset({"Zl", "Zp"})
"""Unicode categories that end a line."""

INSTEAD: Final = "\N{REPLACEMENT CHARACTER}"


def plain(text: str, *, keeps_lines: bool = False) -> str:
    """Return a text in which every sign is seen; one line, unless its lines are our own."""
    return "".join(_plain_sign(sign, keeps_lines=keeps_lines) for sign in text)


def _plain_sign(sign: str, *, keeps_lines: bool) -> str:
    if keeps_lines and sign == "\n":
        return sign
    if sign.isspace() or unicodedata.category(sign) in PARTED:
        return " "
    return INSTEAD if unicodedata.category(sign) in UNSEEN else sign
