"""The people of the demo world, read from one table (`people.toml`)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import resources
from typing import Any

from zorgid.kernel.sentences import Language
from zorgid.pki.identity import NO_ROLE, CardType
from zorgid.pki.names import HolderNames


class Defect(StrEnum):
    """What is wrong with a test card."""

    none = "none"
    expired = "expired"
    not_yet_valid = "not-yet-valid"
    revoked = "revoked"
    six_parts = "six-parts"
    eight_parts = "eight-parts"
    wrong_oid = "wrong-oid"
    wrong_policy = "wrong-policy"
    unknown_issuer = "unknown-issuer"
    production_like = "production-like"


@dataclass(frozen=True)
class TestPerson:
    """Who holds a test card; the birth date is known to the person, not to the card."""

    __test__ = False  # not a test, whatever its name begins with

    card_type: CardType
    uzi_number: str
    names: HolderNames
    role: str
    ura: str
    organisation_name: str
    agb: str
    born_on: date | None


@dataclass(frozen=True)
class CardLine:
    """One line of the table."""

    label: str
    description: Mapping[Language, str]
    """Who or what, in every language."""
    person: TestPerson
    pin: str
    puk: str
    defect: Defect
    expected: str


def read_people() -> tuple[CardLine, ...]:
    """Return every line of the table, in its order."""
    text = resources.files(__package__).joinpath("people.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return tuple(_line(entry, table["organisations"]) for entry in table["card"])


def _line(entry: dict[str, Any], organisations: dict[str, str]) -> CardLine:
    return CardLine(
        label=entry["label"],
        description={language: entry["description"][language] for language in Language},
        person=_person(entry, organisations),
        pin=entry["pin"],
        puk=entry["puk"],
        defect=Defect(entry.get("defect", Defect.none)),
        expected=entry["expected"],
    )


def _person(entry: dict[str, Any], organisations: dict[str, str]) -> TestPerson:
    given_names, surname = entry.get("given_names", ""), entry.get("surname", "")
    full_name = entry.get("full_name", f"{given_names} {surname}")
    return TestPerson(
        card_type=CardType(entry["type"]),
        uzi_number=entry["uzi_number"],
        names=HolderNames(full_name, surname, given_names, entry.get("title")),
        role=entry.get("role", NO_ROLE),
        ura=entry["ura"],
        organisation_name=organisations[entry["ura"]],
        agb=entry["agb"],
        born_on=entry.get("born_on"),
    )
