"""Names made comparable, the tries at a birth date, and the rule of one kind of means. Pure."""

import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Final

from zorgid.kernel.errors import Refusal
from zorgid.people.errors import BirthDateTriesSpent, BirthDateUnfit, BirthDateWrong, OtherMeansReserved
from zorgid.people.model import MeansKind, MeansPolicy, Names

TRIES_A_DAY: Final = 3
"""Wrong birth dates a day for one person, over all flows (docs/decisions/0410-birth-date.md)."""

OLDEST_BIRTH: Final = date(1900, 1, 1)

WITHOUT_DECOMPOSITION: Final = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ł": "l",
        "ŧ": "t",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
    }
)
"""Small Latin letters that Unicode does not take apart into a letter and a sign."""

WORD_BREAKS: Final = frozenset({"Zs", "Pd", "Cc"})
"""Unicode categories that part words: spaces, dashes, control characters."""


def search_form(name: str) -> str:
    """Return `name` as it is searched: small letters and digits, without accents, words parted by one space.

    Two spellings of the same name (composed or not, with any apostrophe, with a hyphen or a space) give the
    same text (ALL-7).
    """
    # Taking signs apart can bring out capitals, and making those small can bring out signs.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    folded = folded.translate(WITHOUT_DECOMPOSITION)
    spaced = (" " if unicodedata.category(sign) in WORD_BREAKS else sign for sign in folded)
    kept = "".join(sign for sign in spaced if sign == " " or sign.isalnum())
    return " ".join(kept.split())


def search_name(names: Names) -> str:
    """Return the person's names as they are searched and compared: given names first."""
    return search_form(f"{names.given_names} {names.surname}")


def require_fit_birth_date(birth_on: date, *, today: date) -> date:
    """Return `birth_on`, a day from 1900 to `today` on the Dutch calendar. Raises `BirthDateUnfit`."""
    if not OLDEST_BIRTH <= birth_on <= today:
        raise BirthDateUnfit
    return birth_on


def tries_left_after(wrong_today: int) -> int:
    """Return how many tries are left today after `wrong_today` wrong ones."""
    return max(TRIES_A_DAY - wrong_today, 0)


def refusal_of_wrong_date(wrong_today: int) -> Refusal:
    """Return what is said of a wrong date that `wrong_today` counts; after the last try there is no next."""
    tries_left = tries_left_after(wrong_today)
    return BirthDateWrong(tries_left=tries_left) if tries_left else BirthDateTriesSpent()


def require_tries_left(wrong_today: int) -> None:
    """Check that a try is left. Raises `BirthDateTriesSpent`: then not even the right date is looked at."""
    if not tries_left_after(wrong_today):
        raise BirthDateTriesSpent


def require_free(kind: MeansKind, *, taken: Iterable[MeansKind], policy: MeansPolicy) -> None:
    """Check that `kind` is open to a person for whom the kinds `taken` are reserved (CARD-4).

    Raises:
        OtherMeansReserved: the policy knows one kind a person, and another one is taken.
    """
    if policy is MeansPolicy.both_kinds:
        return
    for other in taken:
        if other is not kind:
            raise OtherMeansReserved(kind=other)
