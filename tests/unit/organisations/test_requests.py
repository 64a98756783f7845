"""What a registration request must look like, and for whom Smartcards are made."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from zorgid.kernel.ids import OrganisationId
from zorgid.organisations import rules
from zorgid.organisations.errors import (
    OrganisationNotForSmartcards,
    OrganisationNotRegistered,
    OrganisationTypeNotAdmitted,
    RegistrationRequestUnfit,
    UraMalformed,
    ValidatingCardTypeRefused,
    ValidatorNotNamed,
)
from zorgid.organisations.model import (
    MeansKind,
    Organisation,
    OrganisationState,
    OrganisationType,
    RegistrationRequest,
)

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
REQUEST = {
    "ura": "00000382",
    "name": "Apotheek \N{RIGHT SINGLE QUOTATION MARK}t Ooievaarsnest",
    "means": frozenset({MeansKind.smartcard}),
    "administrator_uzi_number": "900016528",
    "administrator_email": "a@b.example",
    "representative_email": "c@d.example",
}


def organisation(**facts) -> Organisation:
    fields = {
        "id": OrganisationId(UUID(int=1)),
        "ura": "90000382",
        "name": "De Linde",
        "type": OrganisationType.huisarts,
        "means": frozenset({MeansKind.smartcard}),
        "state": OrganisationState.registered,
        "changed_at": NOW,
    }
    return Organisation(**{**fields, **facts})


@pytest.mark.parametrize(
    "ura",
    [
        "",
        "9000038",
        "900003822",
        "9000038a",
        " 9000038",
        "9000038\N{FULLWIDTH DIGIT TWO}",
        "\N{ARABIC-INDIC DIGIT NINE}0000382",
    ],
)
def test_a_ura_is_eight_ascii_digits(ura: str) -> None:
    with pytest.raises(UraMalformed):
        rules.require_ura(ura)


def test_leading_zeros_of_a_ura_are_kept() -> None:
    assert rules.require_ura("00000382") == "00000382"


def test_a_fit_request_is_taken() -> None:
    rules.require_fit_request(**REQUEST)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 201),
        ("name", "De\nLinde"),
        ("means", frozenset()),
        ("administrator_uzi_number", "90001652"),
        ("administrator_uzi_number", "90001652x"),
        ("administrator_email", "nobody"),
        ("administrator_email", "a b@c.example"),
        ("administrator_email", "a@" + "b" * 254),
        ("representative_email", "@c.example"),
        ("representative_email", "a@b.example\nBcc: all@b.example"),
    ],
)
def test_an_unfit_field_of_a_request_is_named(part: str, value: object) -> None:
    """ORG-1, ALL-2."""
    with pytest.raises(RegistrationRequestUnfit) as refusal:
        rules.require_fit_request(**{**REQUEST, part: value})
    assert refusal.value.facts == {"part": part}


@pytest.mark.parametrize("state", [state for state in OrganisationState if state != "registered"])
def test_no_smartcards_are_made_for_an_organisation_that_is_not_registered(state: OrganisationState) -> None:
    """CARD-3."""
    with pytest.raises(OrganisationNotRegistered):
        rules.require_for_smartcards(organisation(state=state), rules.ADMITTED_FOR_SMARTCARDS)


def test_no_smartcards_are_made_for_an_organisation_that_registered_for_phones_only() -> None:
    """CARD-3, ORG-1."""
    with pytest.raises(OrganisationNotForSmartcards):
        rules.require_for_smartcards(
            organisation(means=frozenset({MeansKind.phone})), rules.ADMITTED_FOR_SMARTCARDS
        )


@pytest.mark.parametrize("organisation_type", list(OrganisationType))
def test_smartcards_are_made_for_the_four_admitted_types_only(organisation_type: OrganisationType) -> None:
    """CARD-3."""
    applying = organisation(type=organisation_type)
    if organisation_type in {"huisarts", "apotheekhoudend_huisarts", "huisartsenpost", "apotheek"}:
        assert rules.require_for_smartcards(applying, rules.ADMITTED_FOR_SMARTCARDS) is applying
    else:
        with pytest.raises(OrganisationTypeNotAdmitted):
            rules.require_for_smartcards(applying, rules.ADMITTED_FOR_SMARTCARDS)


def test_a_setting_can_admit_other_types() -> None:
    """CARD-3."""
    other = organisation(type=OrganisationType.overig)
    assert rules.require_for_smartcards(other, frozenset({OrganisationType.overig})) is other


def request() -> RegistrationRequest:
    return RegistrationRequest(OrganisationId(UUID(int=1)), "REF", "900016528", "a@b.c", "a@b.c", NOW, None)


@pytest.mark.parametrize("card_type", ["N", "M", "S", "z", ""])
def test_an_organisation_is_validated_with_a_professionals_card_only(card_type: str) -> None:
    """ORG-4."""
    with pytest.raises(ValidatingCardTypeRefused):
        rules.require_validator(request(), ura="90000382", uzi_number="900016528", card_type=card_type)


def test_an_organisation_is_validated_by_the_person_named_in_the_request_only() -> None:
    """ORG-4."""
    with pytest.raises(ValidatorNotNamed):
        rules.require_validator(request(), ura="90000382", uzi_number="900016529", card_type="Z")


def test_a_request_hides_its_addresses_when_printed() -> None:
    assert "a@b.c" not in repr(request())
