"""Codes that people read aloud and type over: no look-alike letters, a check character at the end.

Used for card numbers, references of requests and of faults.
"""

from typing import Final

from zorgid.kernel.randomness import RandomSource

ALPHABET: Final = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""Digits and capitals without 0/O, 1/I/L, A, E and U: nothing looks alike and no words appear."""


def check_character(text: str) -> str:
    """Return the character that makes a slip of one character, or of two neighbours, visible.

    One swap of neighbours escapes: that of the first and the last character of the alphabet.

    Source: the Luhn formula of ISO/IEC 7812-1, annex B, for an alphabet of any even size.
    """
    size = len(ALPHABET)
    total = 0
    for position, character in enumerate(reversed(text)):
        value = ALPHABET.index(character) * (2 if position % 2 == 0 else 1)
        total += value // size + value % size
    return ALPHABET[-total % size]


def new_code(length: int, random: RandomSource) -> str:
    """Return a random code of `length` characters, the last of which is the check character."""
    drawn = ""
    while len(drawn) < length - 1:
        value = random(1)[0]
        if value < 256 - 256 % len(ALPHABET):  # rejection keeps every character equally likely
            drawn += ALPHABET[value % len(ALPHABET)]
    return drawn + check_character(drawn)
