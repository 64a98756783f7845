"""The PIV driver in everyday use, on both kinds of virtual cards and on cards that answer from a script."""

import contextlib
import gzip

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.cardkit.builders import (
    FACTORY_PIN,
    FACTORY_PUK,
    SELECTED,
    USAGES,
    WRONG_PIN,
    Recording,
    Scripted,
    answer,
    blank,
    managed,
    new_rsa_key,
    opened,
    scripted_card,
    self_signed,
    three_keys,
)

from cardkit import tlv
from cardkit.card import (
    Capability,
    CardCertificate,
    CardKey,
    CertificateUsage,
    KeyAlgorithm,
    KeySlot,
    PinPolicy,
    usage_of,
)
from cardkit.errors import (
    CardAnswerMalformed,
    CardCannot,
    CardGone,
    CardNotRecognised,
    CardRefused,
    CertificateMissing,
    KeyMissing,
    KeyUnsupported,
    ManagementKeyNeeded,
    PinBlocked,
    PinNeeded,
    PinUnfit,
    PinWrong,
    PukBlocked,
    PukWrong,
    TlvMalformed,
)
from cardkit.piv import PivCard, codes
from cardkit.secrets import NIST_PIN, Pin, Puk
from cardkit.virtual import Mode, VirtualCard, make_uzi_like_card, pooled_keys

VERIFY, CHANGE, RESET_RETRY = 0x20, 0x24, 0x2C


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def virtual(request):
    return VirtualCard(blank(request.param))


@pytest.fixture
def card(virtual):
    return managed(virtual)


# Recognising a card


def test_a_strict_card_is_known_by_what_it_cannot():
    card = opened(VirtualCard(blank(Mode.strict)))

    assert card.capabilities == frozenset()
    assert card.firmware is None
    assert card.read_serial() is None


def test_an_extended_card_tells_what_it_is():
    card = opened(VirtualCard(blank(serial=7654321)))

    assert card.capabilities == frozenset(Capability)
    assert card.firmware == (5, 7, 1)
    assert card.read_serial() == "7654321"


@pytest.mark.parametrize(
    "selected", [answer(0x6A82), answer(0x9000), answer(0x9000, b"\x6f\x00"), answer(0x6999)]
)
def test_a_card_without_the_piv_application_is_not_recognised(selected):
    with pytest.raises(CardNotRecognised):
        PivCard.open(Scripted(selected))


def test_a_card_that_goes_while_it_is_opened_is_told():
    with pytest.raises(CardGone):
        PivCard.open(Scripted(SELECTED))


@pytest.mark.parametrize(
    ("firmware", "capabilities"),
    [
        ("040200", {Capability.reset, Capability.set_management_key}),
        ("040305", {Capability.reset, Capability.set_management_key, Capability.attest}),
        ("050200", set(Capability) - {Capability.metadata}),
        ("050300", set(Capability)),
    ],
)
def test_older_firmware_can_less(firmware, capabilities):
    card = PivCard.open(Scripted(SELECTED, answer(0x9000, bytes.fromhex(firmware))))
    assert card.capabilities == capabilities


# PIN and PUK


def test_reading_the_tries_costs_none(virtual, card):
    assert [card.pin_tries_left() for _ in range(5)] == [3] * 5
    assert virtual.state.pin.tries_left == 3


def test_a_wrong_pin_tells_what_is_left_and_the_third_one_blocks(card):
    """PIN-1."""
    for left in (2, 1):
        with pytest.raises(PinWrong) as wrong:
            card.verify_pin(WRONG_PIN)
        assert wrong.value.tries_left == left == card.pin_tries_left()

    with pytest.raises(PinBlocked):
        card.verify_pin(WRONG_PIN)

    assert card.pin_tries_left() == 0
    with pytest.raises(PinBlocked):
        card.verify_pin(FACTORY_PIN)


def test_the_right_pin_gives_all_tries_back(virtual, card):
    """PIN-1."""
    with pytest.raises(PinWrong):
        card.verify_pin(WRONG_PIN)

    card.verify_pin(FACTORY_PIN)

    assert virtual.state.pin.tries_left == 3


def test_a_logged_in_standard_card_does_not_tell_its_tries():
    card = opened(VirtualCard(blank(Mode.strict)))
    card.verify_pin(FACTORY_PIN)
    assert card.pin_tries_left() is None
    assert card.puk_tries_left() is None


def test_an_extended_card_tells_the_tries_of_the_puk():
    card = opened(VirtualCard(blank()))
    with pytest.raises(PukWrong):
        card.unblock_pin(Puk("00000000"), Pin("111111"))
    assert card.puk_tries_left() == 2


@pytest.mark.parametrize("outcome", [0x9000, 0x63C2, 0x63C0, 0x6983, 0x6C08, 0x6108, 0x6F00])
def test_one_act_is_one_verify_whatever_the_card_answers(outcome):
    card, transport = scripted_card(answer(outcome), answer(0x9000), answer(0x9000))
    with contextlib.suppress(PinWrong, PinBlocked, CardRefused):
        card.verify_pin(FACTORY_PIN)

    assert sum(sent[1] == VERIFY for sent in transport.sent) == 1


def test_letters_never_reach_a_card_that_takes_digits():
    """PIN-3."""
    transport = Recording(VirtualCard(blank(Mode.strict)))
    card = PivCard.open(transport, pin_rules=NIST_PIN)
    transport.sent.clear()
    letters, digits = Pin("abc123"), Pin("123456")

    for act in (
        lambda: card.verify_pin(letters),
        lambda: card.change_pin(letters, digits),
        lambda: card.change_pin(digits, letters),
        lambda: card.unblock_pin(FACTORY_PUK, letters),
    ):
        with pytest.raises(PinUnfit) as unfit:
            act()
        assert unfit.value.digits_only

    assert transport.sent == []


def test_a_strict_card_itself_refuses_letters_without_taking_a_try():
    virtual = VirtualCard(blank(Mode.strict))
    with pytest.raises(CardRefused) as refused:
        PivCard.open(virtual).verify_pin(Pin("abc123"))
    assert refused.value.status == 0x6A80
    assert virtual.state.pin.tries_left == 3


def test_the_pin_is_changed(card):
    """PIN-2."""
    card.change_pin(FACTORY_PIN, Pin("654321"))

    card.verify_pin(Pin("654321"))
    with pytest.raises(PinWrong):
        card.verify_pin(FACTORY_PIN)


def test_changing_with_a_wrong_old_pin_costs_a_try(card):
    with pytest.raises(PinWrong) as wrong:
        card.change_pin(WRONG_PIN, Pin("654321"))
    assert wrong.value.tries_left == 2


def test_a_blocked_pin_is_unblocked_with_the_puk(card):
    """PIN-2."""
    for _ in range(3):
        with pytest.raises((PinWrong, PinBlocked)):
            card.verify_pin(WRONG_PIN)

    card.unblock_pin(FACTORY_PUK, Pin("246802"))

    card.verify_pin(Pin("246802"))


def test_three_wrong_puks_block_the_puk(card):
    for left in (2, 1):
        with pytest.raises(PukWrong) as wrong:
            card.change_puk(Puk("00000000"), Puk("11111111"))
        assert wrong.value.tries_left == left
    with pytest.raises(PukBlocked):
        card.unblock_pin(Puk("00000000"), Pin("246802"))
    with pytest.raises(PukBlocked):
        card.unblock_pin(FACTORY_PUK, Pin("246802"))


def test_the_puk_is_changed(card):
    card.change_puk(FACTORY_PUK, Puk("87654321"))
    card.unblock_pin(Puk("87654321"), Pin("246802"))


@pytest.mark.parametrize("status", [0x6A80, 0x6700, 0x6F00])
def test_other_refusals_of_a_pin_name_command_and_status(status):
    card, _ = scripted_card(answer(status))
    with pytest.raises(CardRefused) as refused:
        card.verify_pin(FACTORY_PIN)
    assert (refused.value.command, refused.value.status) == ("VERIFY", status)


def test_logging_out_clears_the_pin_state(virtual, card):
    key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    card.verify_pin(FACTORY_PIN)

    card.log_out()

    with pytest.raises(PinNeeded):
        card.sign(key, b"x")


def test_logging_out_of_a_card_that_does_not_know_it_is_no_error():
    card, transport = scripted_card(answer(0x6A86), SELECTED)
    card.log_out()
    assert transport.answers == []


# Certificates


def test_a_certificate_is_chosen_by_its_usage_and_never_by_its_slot():
    keys = three_keys(order=("signature", "authentication", "confidentiality"))
    card = PivCard.open(VirtualCard(make_uzi_like_card(1, keys, pin="123456")))

    found = card.certificate_for(CertificateUsage.authentication)

    assert found.slot is KeySlot.signature
    assert found.certificate == keys[KeySlot.signature][1]


def test_two_certificates_of_one_usage_are_none():
    keys = three_keys(order=("authentication", "authentication", "confidentiality"))
    card = PivCard.open(VirtualCard(make_uzi_like_card(1, keys, pin="123456")))
    with pytest.raises(CertificateMissing) as missing:
        card.certificate_for(CertificateUsage.authentication)
    assert missing.value.usage == "authentication"


def test_a_blank_card_has_no_certificate(card):
    assert card.read_certificates() == []
    with pytest.raises(CertificateMissing):
        card.certificate_for(CertificateUsage.authentication)


@pytest.mark.parametrize(
    ("usage", "meaning"),
    [
        (USAGES["authentication"], CertificateUsage.authentication),
        (USAGES["signature"], CertificateUsage.signature),
        (USAGES["confidentiality"], CertificateUsage.confidentiality),
        (USAGES["agreement"], CertificateUsage.confidentiality),
        ({"key_encipherment"}, CertificateUsage.confidentiality),
        (USAGES["mixed"], CertificateUsage.other),
        ({"digital_signature", "content_commitment"}, CertificateUsage.other),
        ({"key_cert_sign", "crl_sign"}, CertificateUsage.other),
        (set(), CertificateUsage.other),
        (None, CertificateUsage.other),
    ],
)
def test_a_usage_counts_only_when_it_stands_alone(usage, meaning):
    assert usage_of(self_signed(usage)) is meaning


def test_a_packed_certificate_is_unpacked():
    certificate = self_signed()
    packed = tlv.encode(0x70, gzip.compress(certificate.public_bytes(Encoding.DER))) + tlv.encode(
        0x71, b"\x01"
    )
    card, _ = scripted_card(answer(0x9000, tlv.encode(0x53, packed)), answer(0x6A82), answer(0x6A82))
    assert card.read_certificates()[0].certificate == certificate


@pytest.mark.parametrize(
    "content",
    [
        tlv.encode(0x70, b"no certificate"),
        tlv.encode(0x70, b"not packed") + tlv.encode(0x71, b"\x01"),
        tlv.encode(0x70, gzip.compress(bytes(10_000_000))) + tlv.encode(0x71, b"\x01"),
        tlv.encode(0x71, b"\x00"),
    ],
    ids=["not a certificate", "not packed", "a bomb", "no certificate at all"],
)
def test_a_garbled_certificate_is_refused(content):
    card, _ = scripted_card(answer(0x9000, tlv.encode(0x53, content)))
    with pytest.raises((CardAnswerMalformed, TlvMalformed)):
        card.read_certificates()


@pytest.mark.parametrize(
    "garbled", [b"", b"\x53", b"\x53\x05ab", tlv.encode(0x54, b"x"), b"\x53\x00\x53\x00"]
)
def test_a_garbled_object_is_refused(garbled):
    card, _ = scripted_card(answer(0x9000, garbled))
    with pytest.raises(TlvMalformed):
        card.read_certificates()


def test_an_emptied_certificate_counts_as_none():
    card, _ = scripted_card(*[answer(0x9000, b"\x53\x00")] * 3)
    assert card.read_certificates() == []


def test_a_key_of_an_unknown_kind_is_unsupported():
    certificate = self_signed(key=ec.generate_private_key(ec.SECP521R1()))
    card, _ = scripted_card(
        answer(0x9000, tlv.encode(0x53, tlv.encode(0x70, certificate.public_bytes(Encoding.DER)))),
        answer(0x6A82),
        answer(0x6A82),
    )
    with pytest.raises(KeyUnsupported):
        _ = card.read_certificates()[0].key


# Keys


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.p256, KeyAlgorithm.p384])
@pytest.mark.parametrize(
    "hash_algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda h: h.name
)
def test_a_key_on_a_curve_signs_any_hash(card, algorithm, hash_algorithm):
    key = card.generate_key(KeySlot.authentication, algorithm)
    card.verify_pin(FACTORY_PIN)

    signature = card.sign(key, b"message", hash_algorithm)

    key.public_key.verify(signature, b"message", ec.ECDSA(hash_algorithm))


@pytest.mark.parametrize(
    "hash_algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda h: h.name
)
def test_an_rsa_key_signs_any_hash(virtual, hash_algorithm):
    card = managed(virtual)
    key = card.generate_key(KeySlot.authentication, KeyAlgorithm.rsa2048)
    card.verify_pin(FACTORY_PIN)

    signature = card.sign(key, b"message", hash_algorithm)

    key.public_key.verify(signature, b"message", padding.PKCS1v15(), hash_algorithm)


def test_an_rsa_key_decrypts():
    virtual = VirtualCard(blank(), key_source=pooled_keys([new_rsa_key()]))
    card = managed(virtual)
    key = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.rsa2048)
    card.verify_pin(FACTORY_PIN)

    assert card.decrypt(key, key.public_key.encrypt(b"secret", padding.PKCS1v15())) == b"secret"
    assert card.decrypt(key, key.public_key.encrypt(b"", padding.PKCS1v15())) == b""


def test_what_was_not_encrypted_for_the_key_is_malformed():
    card = managed(VirtualCard(blank()))
    key = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.rsa2048)
    card.verify_pin(FACTORY_PIN)
    with pytest.raises(CardAnswerMalformed):
        card.decrypt(key, b"\x01" * 256)
    with pytest.raises(ValueError, match="this RSA key"):
        card.decrypt(key, b"\x01" * 255)


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.p256, KeyAlgorithm.p384])
def test_a_key_on_a_curve_agrees_on_a_secret(card, algorithm):
    key = card.generate_key(KeySlot.confidentiality, algorithm)
    peer = ec.generate_private_key(key.public_key.curve)
    card.verify_pin(FACTORY_PIN)

    assert card.agree(key, peer.public_key()) == peer.exchange(ec.ECDH(), key.public_key)


def test_keys_on_different_curves_cannot_agree(card):
    key = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.p256)
    with pytest.raises(ValueError, match="same curve"):
        card.agree(key, ec.generate_private_key(ec.SECP384R1()).public_key())


def test_a_key_wants_the_pin(card):
    key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    with pytest.raises(PinNeeded):
        card.sign(key, b"x")


def test_the_signature_key_wants_the_pin_each_time(card):
    key = card.generate_key(KeySlot.signature, KeyAlgorithm.p256)
    card.verify_pin(FACTORY_PIN)
    card.sign(key, b"first")

    with pytest.raises(PinNeeded):
        card.sign(key, b"second")

    card.verify_pin(FACTORY_PIN)
    card.sign(key, b"second")


def test_a_missing_key_is_told(card):
    key = CardKey(KeySlot.authentication, ec.generate_private_key(ec.SECP256R1()).public_key())
    card.verify_pin(FACTORY_PIN)
    with pytest.raises(KeyMissing) as missing:
        card.sign(key, b"x")
    assert missing.value.slot == "authentication"


def test_a_signature_by_another_key_is_never_handed_on(card):
    card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    another = CardKey(KeySlot.authentication, ec.generate_private_key(ec.SECP256R1()).public_key())
    card.verify_pin(FACTORY_PIN)
    with pytest.raises(CardAnswerMalformed):
        card.sign(another, b"x")


def test_only_whole_digests_of_known_hashes_are_signed(card):
    key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    for digest, hash_algorithm in ((bytes(31), hashes.SHA256()), (bytes(20), hashes.SHA1())):
        with pytest.raises(ValueError, match="digests"):
            card.sign_digest(key, digest, hash_algorithm)


@pytest.mark.parametrize(
    "template", [b"", tlv.encode(0x7C, b"\x82"), tlv.encode(0x7C, tlv.encode(0x81, b"x")), tlv.encode(0x7D)]
)
def test_a_garbled_signature_is_refused(template):
    card, _ = scripted_card(answer(0x9000, template))
    key = CardKey(KeySlot.authentication, ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(TlvMalformed):
        card.sign(key, b"x")


def test_a_shared_secret_of_a_wrong_length_is_refused():
    card, _ = scripted_card(answer(0x9000, tlv.encode(0x7C, tlv.encode(0x82, bytes(31)))))
    key = CardKey(KeySlot.confidentiality, ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(CardAnswerMalformed):
        card.agree(key, ec.generate_private_key(ec.SECP256R1()).public_key())


def test_the_key_in_a_slot_is_read_by_metadata():
    card = managed(VirtualCard(blank()))
    assert card.read_key(KeySlot.signature) is None
    key = card.generate_key(KeySlot.signature, KeyAlgorithm.p384, PinPolicy.always)
    assert card.read_key(KeySlot.signature).public_key == key.public_key


def test_the_key_in_a_slot_is_read_from_its_certificate_where_there_is_no_metadata():
    keys = three_keys()
    card = opened(VirtualCard(make_uzi_like_card(1, keys, pin="123456")))
    assert card.read_key(KeySlot.signature).public_key == keys[KeySlot.signature][0].public_key()
    assert managed(VirtualCard(blank(Mode.strict))).read_key(KeySlot.signature) is None


# What the standard alone does not give


def test_a_strict_card_says_what_it_cannot_before_anything_is_sent():
    transport = Recording(VirtualCard(blank(Mode.strict)))
    card = PivCard.open(transport)
    transport.sent.clear()

    for act in (card.reset, lambda: card.attest(KeySlot.authentication)):
        with pytest.raises(CardCannot):
            act()

    assert transport.sent == []


def test_writing_wants_the_management_key(virtual):
    card = opened(virtual)
    for act in (
        lambda: card.generate_key(KeySlot.authentication, KeyAlgorithm.p256),
        lambda: card.write_certificate(KeySlot.authentication, self_signed()),
        lambda: card.delete_certificate(KeySlot.authentication),
    ):
        with pytest.raises(ManagementKeyNeeded):
            act()


def test_le_is_there_wherever_data_is_expected(virtual):
    transport = Recording(virtual)
    card = managed(transport_card(transport))
    key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    card.verify_pin(FACTORY_PIN)
    card.sign(key, b"x")
    card.read_certificates()

    for ins in (codes.SELECT, codes.GET_DATA, codes.GENERATE, codes.GENERAL_AUTHENTICATE):
        assert {command.le for command in transport.sent_with(ins)} == {256}


def transport_card(transport: Recording):
    """Let `managed` see the state of the card behind a recording."""
    transport.state = transport.card.state
    return transport


def test_metadata_of_an_unknown_kind_of_key_is_malformed():
    card, _ = scripted_card(answer(0x9000, tlv.encode(0x01, b"\xe0") + tlv.encode(0x04, b"")))
    card.capabilities = frozenset({Capability.metadata})
    with pytest.raises(CardAnswerMalformed):
        card.read_key(KeySlot.authentication)


def test_a_certificate_with_a_key_of_another_family_is_unsupported():
    key = ed25519.Ed25519PrivateKey.generate()
    certificate = self_signed(key=key, hash_algorithm=None)
    with pytest.raises(KeyUnsupported):
        _ = CardCertificate(KeySlot.authentication, certificate).key
