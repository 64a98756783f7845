"""Fits names into the bounds of certificates; the full name is kept elsewhere (ALL-7).

Source: ITU-T X.520 (2001), Annex C, upper bounds; CPS UZI-register, section 3.1.4, for how to shorten.
"""

import warnings
from dataclasses import dataclass
from typing import Final

from cryptography import x509

LONGEST_NAME: Final = 64
"""Characters in CN, O, SN and GN. RFC 5280 allows more for the last two; relying parties of old do not."""

CUT_MARK: Final = "-"


@dataclass(frozen=True)
class HolderNames:
    """A holder's names as on the certificate; surname and given names are empty on a card of type M."""

    full_name: str
    surname: str
    given_names: str
    title: str | None = None


def allow_accents_in_long_names() -> None:
    """Silence the library's warning about names whose characters fit and whose bytes do not.

    Called once by each program: X.520 counts characters, and reading such a name is no event.
    """
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)


def attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    """Return one part of a name.

    X.520 counts characters; the library counts bytes and would refuse a name of 64 characters with an accent
    in it. So the bound is kept here and by `lint`, and the library's warning is of no use.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return x509.NameAttribute(oid, value, _validate=False)


def cut(name: str) -> str:
    """Return `name`, or its beginning with a hyphen in the last position when it is too long."""
    if len(name) <= LONGEST_NAME:
        return name
    return name[: LONGEST_NAME - len(CUT_MARK)] + CUT_MARK


def fit_full_name(names: HolderNames) -> str:
    """Return the full name; too long, given names become initials, the last one first; then it is cut."""
    full_name = names.full_name
    given = names.given_names.split(" ")
    if not names.given_names or not full_name.startswith(names.given_names):
        return cut(full_name)
    rest = full_name.removeprefix(names.given_names)
    for place in reversed(range(len(given))):
        if len(full_name) <= LONGEST_NAME:
            break
        given[place] = given[place][:1] + "."
        full_name = " ".join(given) + rest
    return cut(full_name)


def fit(names: HolderNames) -> HolderNames:
    """Return the names as they stand in a certificate, each within its bound."""
    title = None if names.title is None else cut(names.title)
    return HolderNames(fit_full_name(names), cut(names.surname), cut(names.given_names), title)
