"""The identity string of a UZI card, read strictly (ALL-2, CARD-2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zorgid.kernel.errors import Refusal
from zorgid.pki.errors import IdentityMalformed
from zorgid.pki.identity import CardType, UziIdentity, parse_identity, write_identity

REAL_TEST_CARD = "2.16.528.1.1007.99.217-1-900016528-Z-90000382-01.000-00000000"

digits = st.text("0123456789", min_size=1)


@st.composite
def identities(draw: st.DrawFn) -> UziIdentity:
    def number(length: int) -> str:
        return draw(st.text("0123456789", min_size=length, max_size=length))

    card_type = draw(st.sampled_from(CardType))
    role = "00.000"
    if card_type is CardType.Z:
        role = draw(st.sampled_from(["01.015", "83.000", "17.075", "99.000"]))
    arcs = draw(st.lists(st.integers(0, 2**128), min_size=1, max_size=3))
    return UziIdentity(".".join(map(str, [2, *arcs])), number(9), card_type, number(8), role, number(8))


def test_the_identity_of_a_test_card_of_the_real_register_is_read():
    assert parse_identity(REAL_TEST_CARD) == UziIdentity(
        "2.16.528.1.1007.99.217", "900016528", CardType.Z, "90000382", "01.000", "00000000"
    )


def test_the_user_principal_name_is_number_at_ura():
    assert parse_identity(REAL_TEST_CARD).upn == "900016528@90000382"


@given(identities())
def test_what_is_written_is_read_back(identity: UziIdentity):
    assert parse_identity(write_identity(identity)) == identity


@given(identities())
def test_what_is_read_is_written_back_character_by_character(identity: UziIdentity):
    text = write_identity(identity)

    assert write_identity(parse_identity(text)) == text


@given(st.text(max_size=80))
def test_any_other_text_is_refused_and_never_breaks_the_reader(text: str):
    try:
        identity = parse_identity(text)
    except Refusal:
        return
    assert write_identity(identity) == text


@given(identities(), st.data())
def test_a_character_that_is_no_ascii_is_refused_anywhere(identity: UziIdentity, data: st.DataObject):
    text = write_identity(identity)
    place = data.draw(st.integers(0, len(text)))
    stranger = data.draw(st.characters(min_codepoint=128))

    with pytest.raises(IdentityMalformed):
        parse_identity(text[:place] + stranger + text[place:])


BROKEN = {
    "six parts": ("2.16.528.1.1007.99.217-1-900016528-Z-90000382-01.000", "uzi-identity-parts"),
    "eight parts": (f"{REAL_TEST_CARD}-00000000", "uzi-identity-parts"),
    "empty": ("", "uzi-identity-parts"),
    "no object identifier": ("uzi-1-900016528-Z-90000382-01.000-00000000", "uzi-identity-oid"),
    "object identifier with a leading zero": (
        "2.016.5-1-900016528-Z-90000382-01.000-00000000",
        "uzi-identity-oid",
    ),
    "version 2": ("2.16.528.1.1007.99.217-2-900016528-Z-90000382-01.000-00000000", "uzi-identity-version"),
    "version 01": ("2.16.528.1.1007.99.217-01-900016528-Z-90000382-01.000-00000000", "uzi-identity-version"),
    "number of eight digits": (
        "2.16.528.1.1007.99.217-1-90001652-Z-90000382-01.000-00000000",
        "uzi-identity-number",
    ),
    "number with a letter": (
        "2.16.528.1.1007.99.217-1-90001652A-Z-90000382-01.000-00000000",
        "uzi-identity-number",
    ),
    "number in arabic digits": (
        "2.16.528.1.1007.99.217-1-٩٠٠٠١٦٥٢٨-Z-90000382-01.000-00000000",
        "uzi-identity-malformed",
    ),
    "lower card type": (
        "2.16.528.1.1007.99.217-1-900016528-z-90000382-01.000-00000000",
        "uzi-identity-card-type",
    ),
    "unknown card type": (
        "2.16.528.1.1007.99.217-1-900016528-X-90000382-01.000-00000000",
        "uzi-identity-card-type",
    ),
    "ura of nine digits": (
        "2.16.528.1.1007.99.217-1-900016528-Z-900003820-01.000-00000000",
        "uzi-identity-ura",
    ),
    "role without a dot": (
        "2.16.528.1.1007.99.217-1-900016528-Z-90000382-01000-00000000",
        "uzi-identity-role",
    ),
    "role with another dot": (
        "2.16.528.1.1007.99.217-1-900016528-Z-90000382-01x000-00000000",
        "uzi-identity-role",
    ),
    "employee with a role": (
        "2.16.528.1.1007.99.218-1-900016528-N-90000382-01.015-00000000",
        "uzi-identity-role",
    ),
    "professional without a role": (
        "2.16.528.1.1007.99.217-1-900016528-Z-90000382-00.000-00000000",
        "uzi-identity-role",
    ),
    "agb of seven digits": (
        "2.16.528.1.1007.99.217-1-900016528-Z-90000382-01.000-0000000",
        "uzi-identity-agb",
    ),
    "new line at the end": (f"{REAL_TEST_CARD}\n", "uzi-identity-agb"),
    "blank in front": (f" {REAL_TEST_CARD}", "uzi-identity-oid"),
    "endless": ("2" + ".1" * 200, "uzi-identity-malformed"),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_a_broken_identity_is_refused_by_the_name_of_its_defect(defect: str):
    text, code = BROKEN[defect]

    with pytest.raises(IdentityMalformed) as refusal:
        parse_identity(text)

    assert refusal.value.code == code


def test_an_identity_that_cannot_be_read_back_is_not_written():
    with pytest.raises(IdentityMalformed):
        write_identity(UziIdentity("2.5", "12345678-", CardType.N, "90000382", "00.000", "00000000"))
