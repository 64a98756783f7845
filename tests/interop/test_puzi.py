"""The ministry's reader of UZI cards (puzi on PyPI) as an oracle for our identity strings.

It finds the string behind its DER header by looking for a question mark, which is the length byte of a string of 63
characters. So it reads only cards whose authority has an identifier of 24 characters: these tests make such cards.
"""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.pki.builders import reissued, shared_register
from uzireader.uzipassuser import UziPassUser
from uzireader.uzipassvalidator import UziPassValidator

from zorgid.pki.identity import identity_other_name, read_identity, upn_other_name

AUTHORITY_OF_24_CHARACTERS = "2.16.528.1.1007.99.21800"
LABELS = [card.label for card in shared_register().cards if card.expected == "good" and card.signature]


def card_that_puzi_can_read(label: str) -> x509.Certificate:
    register = shared_register()
    card = register.card(label)
    certificate = card.authentication.certificate
    identity = replace(read_identity(certificate), oid_ca=AUTHORITY_OF_24_CHARACTERS)
    names = x509.SubjectAlternativeName([upn_other_name(identity), identity_other_name(identity)])
    return reissued(certificate, register.hierarchy.issuers[card.person.card_type], extensions=[names])


@pytest.mark.parametrize("label", LABELS)
def test_both_readers_find_the_same_in_a_card(label: str):
    certificate = card_that_puzi_can_read(label)
    person = shared_register().card(label).person

    theirs = UziPassUser("SUCCESS", certificate.public_bytes(Encoding.PEM).decode("ascii"))
    ours = read_identity(certificate)

    assert theirs == {
        "givenName": person.names.given_names,
        "surName": person.names.surname,
        "OidCa": ours.oid_ca,
        "UziVersion": "1",
        "UziNumber": ours.uzi_number,
        "CardType": ours.card_type,
        "SubscriberNumber": ours.ura,
        "Role": ours.role,
        "AgbCode": ours.agb,
    }


def test_their_validator_takes_our_cards():
    certificate = card_that_puzi_can_read("huisarts-linde")
    user = UziPassUser("SUCCESS", certificate.public_bytes(Encoding.PEM).decode("ascii"))

    UziPassValidator(strict_ca=False, allowed_types=["Z"], allowed_roles=["01."]).validate(user)
