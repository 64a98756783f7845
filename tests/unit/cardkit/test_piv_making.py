"""Personalising: management key, keys, certificates, CHUID, reset."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.cardkit.builders import (
    FACTORY_PIN,
    FACTORY_PUK,
    NOW,
    Recording,
    answer,
    blank,
    managed,
    opened,
    scripted_card,
    self_signed,
)

from cardkit import tlv
from cardkit.card import Capability, Chuid, KeyAlgorithm, KeySlot, PinPolicy
from cardkit.errors import (
    CardAnswerMalformed,
    CardCannot,
    CardRefused,
    KeyMissing,
    ManagementKeyNeeded,
    ManagementKeyWrong,
    PinWrong,
    TlvMalformed,
)
from cardkit.piv import PivCard, codes
from cardkit.secrets import ManagementKey, ManagementKeyKind, Pin, Puk, factory_management_key
from cardkit.virtual import Mode, VirtualCard, make_test_attestation_root
from cardkit.virtual.making import with_pin_tries


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def virtual(request):
    return VirtualCard(blank(request.param))


@pytest.mark.parametrize("kind", ManagementKeyKind)
@pytest.mark.parametrize("mode", Mode)
def test_card_and_driver_show_each_other_the_management_key(kind, mode):
    virtual = VirtualCard(blank(mode, management_key=factory_management_key(kind)))
    managed(virtual).generate_key(KeySlot.authentication, KeyAlgorithm.p256)


@pytest.mark.parametrize("kind", ManagementKeyKind)
def test_a_wrong_management_key_is_wrong_whatever_its_kind(virtual, kind):
    card = opened(virtual)
    with pytest.raises(ManagementKeyWrong):
        card.authenticate_management(ManagementKey(b"w" * kind.key_bytes, kind))
    with pytest.raises(ManagementKeyNeeded):
        card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)


def test_a_card_that_does_not_know_the_key_itself_is_found_out():
    witness = answer(0x9000, tlv.encode(0x7C, tlv.encode(0x80, bytes(16))))
    anything = answer(0x9000, tlv.encode(0x7C, tlv.encode(0x82, bytes(16))))
    card, _ = scripted_card(witness, anything)
    with pytest.raises(ManagementKeyWrong):
        card.authenticate_management(factory_management_key())


@pytest.mark.parametrize("witness", [b"", bytes(8), bytes(15), bytes(32)])
def test_a_witness_of_a_wrong_length_is_malformed(witness):
    card, _ = scripted_card(answer(0x9000, tlv.encode(0x7C, tlv.encode(0x80, witness))))
    with pytest.raises(CardAnswerMalformed):
        card.authenticate_management(factory_management_key())


@pytest.mark.parametrize("kind", ManagementKeyKind)
def test_the_management_key_is_replaced(kind):
    virtual = VirtualCard(blank())
    new = ManagementKey(os.urandom(kind.key_bytes), kind)

    managed(virtual).set_management_key(new)

    virtual.power_cycle()
    opened(virtual).authenticate_management(new)
    with pytest.raises(ManagementKeyWrong):
        opened(virtual).authenticate_management(factory_management_key())


def test_only_the_makers_tools_replace_the_key_of_a_strict_card():
    with pytest.raises(CardCannot):
        managed(VirtualCard(blank(Mode.strict))).set_management_key(factory_management_key())


def test_a_policy_is_asked_of_cards_that_know_policies():
    virtual = VirtualCard(blank())
    managed(virtual).generate_key(KeySlot.authentication, KeyAlgorithm.p256, PinPolicy.always)
    assert virtual.state.keys[0x9A].pin_policy is PinPolicy.always


def test_a_strict_card_has_the_policies_of_its_slots():
    virtual = VirtualCard(blank(Mode.strict))
    card = managed(virtual)
    for slot in KeySlot:
        card.generate_key(slot, KeyAlgorithm.p256, PinPolicy.always)
    policies = [virtual.state.keys[slot.reference].pin_policy for slot in KeySlot]
    assert policies == [PinPolicy.once, PinPolicy.always, PinPolicy.once]


def test_a_kind_of_key_that_the_card_does_not_have_is_refused(virtual):
    with pytest.raises(CardRefused):
        managed(virtual).generate_key(KeySlot.authentication, KeyAlgorithm.rsa4096)


@pytest.mark.parametrize(
    "template",
    [
        b"",
        tlv.encode(0x7F49, b""),
        tlv.encode(0x7F49, tlv.encode(0x86, b"\x04" + bytes(64))),
        tlv.encode(0x7F49, tlv.encode(0x86, bytes(5))),
        tlv.encode(0x7F49, tlv.encode(0x81, bytes(256))),
    ],
)
def test_a_garbled_public_key_is_refused(template):
    card, _ = scripted_card(answer(0x9000, template))
    with pytest.raises((CardAnswerMalformed, TlvMalformed)):
        card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)


@pytest.mark.parametrize("modulus", [b"\x01", bytes(256), b"\xff" * 128, b"\xff" * 257])
def test_a_public_key_of_another_kind_is_refused(modulus):
    content = tlv.encode(0x81, modulus) + tlv.encode(0x82, b"\x01\x00\x01")
    card, _ = scripted_card(answer(0x9000, tlv.encode(0x7F49, content)))
    with pytest.raises(CardAnswerMalformed):
        card.generate_key(KeySlot.authentication, KeyAlgorithm.rsa2048)


def test_certificates_are_written_read_and_deleted(virtual):
    card = managed(virtual)
    certificate = self_signed()

    card.write_certificate(KeySlot.signature, certificate)
    assert [(each.slot, each.certificate) for each in card.read_certificates()] == [
        (KeySlot.signature, certificate)
    ]

    card.delete_certificate(KeySlot.signature)
    assert card.read_certificates() == []


def test_a_blank_card_has_no_chuid_and_gets_a_random_one(virtual):
    card = managed(virtual)
    assert card.read_chuid() is None
    chuid = Chuid.random(os.urandom, NOW.date())

    card.write_chuid(chuid)

    assert card.read_chuid() == chuid
    assert chuid.guid != Chuid.random(os.urandom, NOW.date()).guid


@given(st.binary(min_size=16, max_size=16), st.dates())
@settings(max_examples=25)
def test_any_chuid_survives_the_card(guid, expires_on):
    card = managed(VirtualCard(blank()))
    chuid = Chuid(guid, expires_on)
    card.write_chuid(chuid)
    assert card.read_chuid() == chuid


@pytest.mark.parametrize(
    "content",
    [
        tlv.encode(0x34, bytes(16)),
        tlv.encode(0x34, bytes(15)) + tlv.encode(0x35, b"20300101"),
        tlv.encode(0x34, bytes(16)) + tlv.encode(0x35, b"20301301"),
        tlv.encode(0x34, bytes(16)) + tlv.encode(0x35, b"\xff" * 8),
    ],
)
def test_a_garbled_chuid_is_refused(content):
    card, _ = scripted_card(answer(0x9000, tlv.encode(0x53, content)))
    with pytest.raises((CardAnswerMalformed, TlvMalformed)):
        card.read_chuid()


def test_a_chuid_has_sixteen_bytes():
    with pytest.raises(ValueError, match="16"):
        Chuid(bytes(15), NOW.date())


def test_a_reset_brings_back_the_blank_card_with_its_factory_values():
    """CARD-9: a broken making is started over."""
    root = make_test_attestation_root(now=NOW)
    virtual = VirtualCard(blank(pin="abcdef", puk="99999999", attestation_root=root))
    card = managed(virtual)
    card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    card.write_chuid(Chuid.random(os.urandom, NOW.date()))

    card.reset()

    assert card.read_chuid() is None
    assert card.read_key(KeySlot.authentication) is None
    card.verify_pin(FACTORY_PIN)
    card.authenticate_management(factory_management_key())
    card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    assert card.attest(KeySlot.authentication)


def test_a_reset_also_works_when_pin_and_puk_have_many_tries():
    virtual = VirtualCard(with_pin_tries(blank(), pin_tries=20, puk_tries=17))
    managed(virtual).reset()
    assert virtual.state.pin.most_tries == 3


def test_a_card_that_counts_no_tries_is_not_reset_for_ever():
    card, transport = scripted_card(*[answer(0x63C3)] * 1000)
    card.capabilities = frozenset(PivCard.open(VirtualCard(blank())).capabilities)
    with pytest.raises(CardAnswerMalformed):
        card.reset()
    assert len(transport.sent) < 300


def test_an_unexpected_answer_ends_a_reset():
    card, transport = scripted_card(answer(0x6F00))
    card.capabilities = frozenset(PivCard.open(VirtualCard(blank())).capabilities)
    with pytest.raises(CardRefused):
        card.reset()
    assert len(transport.sent) == 1


def test_an_unexpected_answer_to_authentication_or_attestation_is_told():
    card, _ = scripted_card(answer(0x6F00), answer(0x6F00), answer(0x9000, b"statement"), answer(0x6A82))
    card.capabilities = frozenset({Capability.attest})
    with pytest.raises(CardRefused):
        card.authenticate_management(factory_management_key())
    with pytest.raises(CardRefused):
        card.attest(KeySlot.authentication)
    with pytest.raises(KeyMissing) as missing:
        card.attest(KeySlot.authentication)
    assert missing.value.slot == "attestation"


def test_a_missing_or_imported_key_is_not_attested():
    virtual = VirtualCard(blank(attestation_root=make_test_attestation_root(now=NOW)))
    with pytest.raises(KeyMissing):
        opened(virtual).attest(KeySlot.authentication)


def test_a_card_without_a_means_to_attest_says_so():
    card = managed(VirtualCard(blank()))
    card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    with pytest.raises(KeyMissing):
        card.attest(KeySlot.authentication)


def test_a_whole_making_leaves_no_transport_value_on_the_card():
    virtual = VirtualCard(blank(attestation_root=make_test_attestation_root(now=NOW)))
    transport = Recording(virtual)
    card = PivCard.open(transport)
    pin, puk = Pin("geheim1"), Puk.generate(os.urandom)

    card.authenticate_management(factory_management_key())
    card.set_management_key(ManagementKey(os.urandom(24)))
    card.change_pin(FACTORY_PIN, pin)
    for slot in KeySlot:
        card.generate_key(slot, KeyAlgorithm.p256)
        card.write_certificate(slot, self_signed())
        assert card.attest(slot)
    card.write_chuid(Chuid.random(os.urandom, NOW.date()))
    card.change_puk(FACTORY_PUK, puk)
    card.log_out()

    virtual.power_cycle()
    with pytest.raises(PinWrong):
        card.verify_pin(FACTORY_PIN)
    with pytest.raises(ManagementKeyWrong):
        card.authenticate_management(factory_management_key())
    assert len(transport.sent_with(codes.VERIFY)) == 2
