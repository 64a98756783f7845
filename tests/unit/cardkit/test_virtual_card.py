"""What foreign tools demand of a PIV card, byte by byte; the numbers are those of the list they were gathered in."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.cardkit.builders import NOW, blank, managed, new_rsa_key, three_keys

from cardkit import tlv
from cardkit.apdu import Command, Response
from cardkit.card import KeyAlgorithm, KeySlot
from cardkit.piv.making import management_cipher
from cardkit.secrets import ManagementKeyKind, factory_management_key
from cardkit.virtual import (
    ATR_NIST,
    ATR_YUBIKEY,
    CardState,
    Mode,
    VirtualCard,
    make_test_attestation_root,
    make_uzi_like_card,
)

AID = "A000000308000010000100"
PIN = b"123456\xff\xff"
WRONG = b"999999\xff\xff"
PUK = b"12345678"
CHUID = bytes.fromhex("5C035FC102")
EXTENSIONS = {0xFD, 0xF8, 0xF7, 0xF9, 0xFA, 0xFB, 0xFE, 0xFF}


class Wire:
    """Sends hand-made commands."""

    def __init__(self, state: CardState, **options) -> None:
        self.card = VirtualCard(state, **options)

    def send(
        self, ins: int, p1: int = 0, p2: int = 0, data: bytes = b"", le: int | None = 256, cla: int = 0
    ) -> Response:
        return Response.decode(self.card.transmit(Command(cla, ins, p1, p2, data, le).encode()))

    def status(self, *args, **options) -> int:
        return self.send(*args, **options).status

    def verify(self, pin: bytes = PIN) -> int:
        return self.status(0x20, 0, 0x80, pin, None)

    def get(self, name: str, le: int = 256) -> Response:
        return self.send(0xCB, 0x3F, 0xFF, tlv.encode(0x5C, bytes.fromhex(name)), le)

    def put(self, name: str, content: bytes) -> int:
        data = tlv.encode(0x5C, bytes.fromhex(name)) + tlv.encode(0x53, content)
        return Response.decode(self.card.transmit(Command(0, 0xDB, 0x3F, 0xFF, data).encode())).status

    def generate(self, slot: int, algorithm: int = 0x11) -> Response:
        return self.send(0x47, 0, slot, tlv.encode(0xAC, tlv.encode(0x80, bytes([algorithm]))))

    def use(self, slot: int, data: bytes = bytes(32), algorithm: int = 0x11, tag: int = 0x81) -> Response:
        template = tlv.encode(0x7C, tlv.encode(0x82) + tlv.encode(tag, data))
        return self.send(0x87, algorithm, slot, template)

    def authenticate(self) -> None:
        managed(self.card)


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def wire(request):
    return Wire(blank(request.param))


@pytest.fixture
def extended():
    return Wire(blank())


@pytest.fixture
def strict():
    return Wire(blank(Mode.strict))


# 1. ATR


def test_the_atr_follows_the_mode_and_can_be_chosen():
    assert VirtualCard(blank()).atr == ATR_YUBIKEY
    assert VirtualCard(blank(Mode.strict)).atr == ATR_NIST
    assert VirtualCard(blank(atr=ATR_NIST)).atr == ATR_NIST


# 2. Selecting and resetting


def test_selecting_again_keeps_the_pin_state(wire):
    wire.verify()
    assert wire.status(0xA4, 4, 0, bytes.fromhex(AID)) == 0x9000
    assert wire.status(0x20, 0, 0x80, le=None) == 0x9000


def test_another_application_is_not_found_and_the_state_stays(wire):
    wire.verify()
    assert wire.status(0xA4, 4, 0, bytes.fromhex("A000000527471117")) == 0x6A82
    assert wire.status(0x20, 0, 0x80, le=None) == 0x9000


def test_a_power_cycle_clears_pin_state_and_authentication(wire):
    wire.authenticate()
    wire.verify()
    wire.card.power_cycle()
    assert wire.status(0x20, 0, 0x80, le=None) == 0x63C3
    assert wire.put("5FC102", b"x") == 0x6982


# 3. SELECT


@pytest.mark.parametrize("aid_bytes", [5, 9, 11])
def test_the_application_is_selected_by_its_whole_or_cut_name(wire, aid_bytes):
    answer = wire.send(0xA4, 4, 0, bytes.fromhex(AID)[:aid_bytes])
    properties = tlv.by_tag(tlv.unwrap(answer.data, 0x61))
    assert properties[0x4F] == bytes.fromhex("000010000100")
    assert tlv.unwrap(properties[0x79], 0x4F) == bytes.fromhex("A000000308")


@pytest.mark.parametrize("aid", ["", "A0", "A0000003", AID + "00", "A000000309"])
def test_other_names_are_not_found(wire, aid):
    assert wire.status(0xA4, 4, 0, bytes.fromhex(aid)) == 0x6A82


def test_selection_by_anything_but_a_name_is_refused(wire):
    assert wire.status(0xA4, 0, 0, b"\x3f\x00") == 0x6A86


# 4. What is unknown


@pytest.mark.parametrize("ins", [0x00, 0x0E, 0xB0, 0xCA, 0xF1])
def test_an_unknown_instruction_is_6d00(wire, ins):
    assert wire.status(ins) == 0x6D00


@pytest.mark.parametrize("cla", [0x01, 0x0C, 0x80, 0x84, 0xFF])
def test_an_unknown_class_is_6e00(wire, cla):
    assert wire.status(0xCB, 0x3F, 0xFF, CHUID, cla=cla) == 0x6E00


@given(st.binary(max_size=40) | st.builds(lambda head, rest: bytes(head) + rest, st.tuples(
    st.sampled_from([0x00, 0x10]),
    st.sampled_from([0xA4, 0xCB, 0xDB, 0x20, 0x24, 0x2C, 0x87, 0x47, 0xC0, *EXTENSIONS]),
    st.integers(0, 255),
    st.sampled_from([0x00, 0x80, 0x81, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0xF9, 0xFF]),
), st.binary(max_size=60)))  # fmt: skip
@settings(max_examples=400)
def test_no_command_ever_raises(raw):
    answer = FUZZED.transmit(raw)
    assert len(answer) >= 2
    assert int.from_bytes(answer[-2:], "big") != 0x6F00


def _fuzzed_card() -> VirtualCard:
    card = VirtualCard(blank(attestation_root=make_test_attestation_root(now=NOW)))
    managed(card).generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    return card


FUZZED = _fuzzed_card()


def test_a_fault_inside_is_6f00_and_changes_nothing():
    def broken(_algorithm):
        raise RuntimeError("no key today")

    wire = Wire(blank(), key_source=broken)
    wire.authenticate()
    before = wire.card.state
    assert wire.generate(0x9A).status == 0x6F00
    assert wire.card.state == before


# 5. VERIFY


def test_verify_without_data_tells_the_state(wire):
    assert wire.status(0x20, 0, 0x80, le=None) == 0x63C3
    wire.verify(WRONG)
    assert wire.status(0x20, 0, 0x80, le=None) == 0x63C2
    wire.verify()
    assert wire.status(0x20, 0, 0x80, le=None) == 0x9000
    for _ in range(3):
        wire.verify(WRONG)
    assert wire.status(0x20, 0, 0x80, le=None) == 0x6983


def test_verify_with_p1_ff_clears_the_state(wire):
    wire.verify()
    assert wire.status(0x20, 0xFF, 0x80, le=None) == 0x9000
    assert wire.status(0x20, 0, 0x80, le=None) == 0x63C3


def test_a_wrong_pin_ends_an_earlier_verification(wire):
    wire.verify()
    wire.verify(WRONG)
    assert wire.status(0x20, 0, 0x80, le=None) == 0x63C2


def test_wrong_pins_count_down_and_block(wire):
    assert [wire.verify(WRONG) for _ in range(4)] == [0x63C2, 0x63C1, 0x63C0, 0x6983]
    assert wire.verify(PIN) == 0x6983


@pytest.mark.parametrize("body", [b"123456", b"1234567890", bytes(7)])
def test_a_pin_is_eight_bytes(wire, body):
    assert wire.verify(body) == 0x6A80
    assert wire.card.state.pin.tries_left == 3


def test_other_references_and_parameters_of_verify_are_refused(wire):
    assert wire.status(0x20, 0, 0x96, PIN) == 0x6A88
    assert wire.status(0x20, 1, 0x80, PIN) == 0x6A86


# 6. CHANGE REFERENCE DATA and RESET RETRY COUNTER


def test_pin_and_puk_are_changed(wire):
    assert wire.status(0x24, 0, 0x80, PIN + b"654321\xff\xff") == 0x9000
    assert wire.status(0x24, 0, 0x81, PUK + b"87654321") == 0x9000
    assert wire.verify(b"654321\xff\xff") == 0x9000
    assert wire.status(0x2C, 0, 0x80, b"87654321" + PIN) == 0x9000
    assert wire.verify() == 0x9000


def test_the_puk_counts_apart(wire):
    assert wire.status(0x2C, 0, 0x80, b"00000000" + PIN) == 0x63C2
    assert wire.status(0x24, 0, 0x81, b"00000000" + PUK) == 0x63C1
    assert wire.card.state.pin.tries_left == 3
    assert wire.verify(WRONG) == 0x63C2
    assert wire.card.state.puk.tries_left == 1


def test_the_right_puk_gives_both_all_tries_back(wire):
    wire.verify(WRONG)
    wire.status(0x2C, 0, 0x80, b"00000000" + PIN)
    assert wire.status(0x2C, 0, 0x80, PUK + PIN) == 0x9000
    assert (wire.card.state.pin.tries_left, wire.card.state.puk.tries_left) == (3, 3)


def test_a_new_pin_shorter_than_six_is_refused(wire):
    assert wire.status(0x24, 0, 0x80, PIN + b"12345\xff\xff\xff") == 0x6A80
    assert wire.verify() == 0x9000


@pytest.mark.parametrize("ins", [0x24, 0x2C])
def test_other_lengths_and_parameters_are_refused(wire, ins):
    assert wire.status(ins, 0, 0x80, bytes(15)) == 0x6A80
    assert wire.status(ins, 1, 0x80, bytes(16)) == 0x6A86
    assert wire.status(ins, 0, 0x90, PIN + PIN) == 0x6A88
    assert wire.card.state.pin.tries_left == 3


def test_when_both_are_blocked_only_a_reset_is_left(extended):
    assert extended.status(0xFB) == 0x6985
    for _ in range(3):
        extended.verify(WRONG)
        extended.status(0x2C, 0, 0x80, b"00000000" + PIN)
    assert extended.status(0x2C, 0, 0x80, PUK + PIN) == 0x6983
    assert extended.status(0xFB) == 0x9000
    assert extended.verify() == 0x9000


# 7. GENERATE


def test_keys_are_made_only_after_the_management_key(wire):
    assert wire.generate(0x9A).status == 0x6982
    wire.authenticate()
    assert wire.generate(0x9A).data.startswith(b"\x7f\x49")


@pytest.mark.parametrize(("algorithm", "tag"), [(0x07, 0x81), (0x11, 0x86), (0x14, 0x86)])
def test_the_usual_algorithms_are_there(wire, algorithm, tag):
    wire.authenticate()
    answer = wire.generate(0x9A, algorithm)
    whole = answer.data
    while answer.status >> 8 == 0x61:
        answer = wire.send(0xC0)
        whole += answer.data
    assert tag in tlv.by_tag(tlv.unwrap(whole, 0x7F49))


def test_algorithms_are_an_option():
    wire = Wire(blank(algorithms=frozenset({KeyAlgorithm.p256})))
    wire.authenticate()
    assert wire.generate(0x9A, 0x07).status == 0x6A80
    assert wire.generate(0x9A, 0x11).status == 0x9000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xac\x00",
        b"\xac\x05",
        tlv.encode(0xAC, tlv.encode(0x80, b"\x11\x11")),
        tlv.encode(0xAC, tlv.encode(0x80, b"\x99")),
    ],
)
def test_a_garbled_order_is_refused(wire, data):
    wire.authenticate()
    assert wire.status(0x47, 0, 0x9A, data) == 0x6A80


@pytest.mark.parametrize("slot", [0x00, 0x80, 0x81, 0x96, 0x9B, 0x9F, 0xF9])
def test_there_are_keys_only_where_keys_belong(wire, slot):
    wire.authenticate()
    assert wire.generate(slot).status == 0x6A86


@pytest.mark.parametrize("slot", [0x82, 0x95, 0x9E])
def test_retired_slots_and_the_card_authentication_key_are_there(wire, slot):
    wire.authenticate()
    assert wire.generate(slot).status == 0x9000


def test_a_strict_card_knows_no_policies(strict):
    strict.authenticate()
    data = tlv.encode(0xAC, tlv.encode(0x80, b"\x11") + tlv.encode(0xAA, b"\x01"))
    assert strict.status(0x47, 0, 0x9A, data) == 0x6A80


# 8. GENERAL AUTHENTICATE


@pytest.fixture
def with_keys(wire):
    wire.authenticate()
    for slot in (0x9A, 0x9C, 0x9D, 0x9E):
        assert wire.generate(slot).status == 0x9000
    wire.card.power_cycle()
    return wire


def test_p1_has_to_match_the_key(with_keys):
    with_keys.verify()
    assert with_keys.use(0x9A, algorithm=0x14).status == 0x6A86
    assert with_keys.use(0x82).status == 0x6A86


def test_the_authentication_key_wants_the_pin_once(with_keys):
    assert with_keys.use(0x9A).status == 0x6982
    with_keys.verify()
    assert [with_keys.use(0x9A).status for _ in range(3)] == [0x9000] * 3


def test_the_signature_key_wants_a_fresh_verify_each_time(with_keys):
    with_keys.verify()
    assert [with_keys.use(0x9C).status for _ in range(2)] == [0x9000, 0x6982]
    with_keys.verify()
    assert with_keys.use(0x9C).status == 0x9000


def test_using_another_key_in_between_uses_up_the_fresh_verify(with_keys):
    with_keys.verify()
    with_keys.use(0x9A)
    assert with_keys.use(0x9C).status == 0x6982


def test_the_card_authentication_key_wants_no_pin(with_keys):
    assert with_keys.use(0x9E).status == 0x9000


def test_a_strict_card_does_not_sign_with_its_confidentiality_key(with_keys):
    with_keys.verify()
    expected = 0x6985 if with_keys.card.state.mode is Mode.strict else 0x9000
    assert with_keys.use(0x9D).status == expected


def test_ecdh_answers_the_x_coordinate(with_keys):
    peer = ec.generate_private_key(ec.SECP256R1())
    with_keys.verify()
    point = peer.public_key().public_numbers()
    encoded = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    answer = with_keys.use(0x9D, encoded, tag=0x85)
    secret = tlv.unwrap(tlv.unwrap(answer.data, 0x7C), 0x82)
    assert secret == peer.exchange(ec.ECDH(), with_keys.card.state.keys[0x9D].public_key)


@pytest.mark.parametrize("point", [b"", b"\x04" + bytes(64), bytes(65), b"\x04" + b"\xff" * 64, bytes(10)])
def test_a_point_that_is_not_on_the_curve_is_refused(with_keys, point):
    with_keys.verify()
    assert with_keys.use(0x9D, point, tag=0x85).status == 0x6A80


@pytest.mark.parametrize("digest_bytes", [0, 33, 64])
def test_a_digest_that_does_not_fit_the_curve_is_refused(with_keys, digest_bytes):
    with_keys.verify()
    assert with_keys.use(0x9A, bytes(digest_bytes)).status == 0x6A80


@pytest.mark.parametrize("digest_bytes", [1, 20, 28, 32])
def test_a_shorter_digest_is_signed_as_the_number_it_is(with_keys, digest_bytes):
    with_keys.verify()
    assert with_keys.use(0x9A, b"\x01" * digest_bytes).status == 0x9000


def test_rsa_takes_whole_blocks_below_the_modulus(wire):
    wire.authenticate()
    wire.generate(0x9A, 0x07)
    wire.verify()
    template = tlv.encode(0x7C, tlv.encode(0x82) + tlv.encode(0x81, b"\xff" * 256))
    assert wire.status(0x87, 0x07, 0x9A, template[:255], le=None, cla=0x10) == 0x9000
    assert wire.status(0x87, 0x07, 0x9A, template[255:]) == 0x6A80
    assert wire.use(0x9A, bytes(255), algorithm=0x07).status == 0x6A80
    assert wire.use(0x9A, bytes(65), algorithm=0x07, tag=0x85).status == 0x6A80


@pytest.mark.parametrize("data", [b"", b"\x7c", b"\x7c\x00", b"\x7d\x00", tlv.encode(0x7C, tlv.encode(0x82))])
def test_a_garbled_template_is_refused(with_keys, data):
    with_keys.verify()
    assert with_keys.status(0x87, 0x11, 0x9A, data) == 0x6A80


def _encrypt(kind: ManagementKeyKind, block: bytes) -> bytes:
    encryptor = management_cipher(factory_management_key(kind)).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def _ask(wire: Wire, code: int, inner: bytes) -> Response:
    return wire.send(0x87, code, 0x9B, tlv.encode(0x7C, inner))


KINDS = [
    (ManagementKeyKind.tdes, 0x03),
    (ManagementKeyKind.tdes, 0x00),
    (ManagementKeyKind.aes128, 0x08),
    (ManagementKeyKind.aes192, 0x0A),
    (ManagementKeyKind.aes256, 0x0C),
]


@pytest.mark.parametrize(("kind", "code"), KINDS)
def test_one_sided_authentication_opens_the_card(kind, code):
    wire = Wire(blank(Mode.strict, management_key=factory_management_key(kind)))
    asked = _ask(wire, code, tlv.encode(0x81))
    challenge = tlv.unwrap(tlv.unwrap(asked.data, 0x7C), 0x81)

    assert _ask(wire, code, tlv.encode(0x82, _encrypt(kind, challenge))).status == 0x9000
    assert wire.put("5FC102", b"x") == 0x9000


def test_an_answer_counts_once_and_only_to_the_question_asked():
    kind, code = ManagementKeyKind.aes192, 0x0A
    wire = Wire(blank())
    challenge = tlv.unwrap(tlv.unwrap(_ask(wire, code, tlv.encode(0x81)).data, 0x7C), 0x81)
    right = tlv.encode(0x82, _encrypt(kind, challenge))

    assert _ask(wire, code, tlv.encode(0x82, bytes(16))).status == 0x6982
    assert _ask(wire, code, right).status == 0x6982
    assert wire.put("5FC102", b"x") == 0x6982


def test_a_failed_authentication_ends_an_earlier_one(wire):
    wire.authenticate()
    assert _ask(wire, 0x0A, tlv.encode(0x82, bytes(16))).status == 0x6982
    assert wire.put("5FC102", b"x") == 0x6982


def test_the_other_sides_challenge_alone_makes_no_oracle(wire):
    assert _ask(wire, 0x0A, tlv.encode(0x82) + tlv.encode(0x81, bytes(16))).status == 0x6A80
    assert _ask(wire, 0x0A, tlv.encode(0x80, bytes(16)) + tlv.encode(0x81, bytes(16))).status == 0x6982


@pytest.mark.parametrize("code", [0x03, 0x08, 0x0C, 0x11, 0xFF])
def test_the_kind_of_the_management_key_has_to_match(wire, code):
    assert _ask(wire, code, tlv.encode(0x80)).status == 0x6A86


def test_a_challenge_of_a_wrong_length_ends_the_authentication(wire):
    witness = tlv.unwrap(tlv.unwrap(_ask(wire, 0x0A, tlv.encode(0x80)).data, 0x7C), 0x80)
    decryptor = management_cipher(factory_management_key()).decryptor()
    shown = tlv.encode(0x80, decryptor.update(witness) + decryptor.finalize())
    assert _ask(wire, 0x0A, shown + tlv.encode(0x81, bytes(5))).status == 0x6A80
    assert wire.put("5FC102", b"x") == 0x6982


# 9. Objects


def test_a_missing_object_is_6a82(wire):
    assert wire.get("5FC102").status == 0x6A82


def test_an_object_is_written_read_replaced_and_removed(wire):
    wire.authenticate()
    for content in (b"first", b"second"):
        assert wire.put("5FC102", content) == 0x9000
        assert wire.get("5FC102").data == tlv.encode(0x53, content)
    assert wire.put("5FC102", b"") == 0x9000
    assert wire.get("5FC102").status == 0x6A82


def test_protected_objects_want_the_pin(wire):
    wire.authenticate()
    for name in ("5FC103", "5FC108", "5FC109", "5FC121"):
        assert wire.put(name, b"x") == 0x9000
        assert wire.get(name).status == 0x6982
    wire.verify()
    assert wire.get("5FC109").data == b"\x53\x01x"


def test_the_discovery_object_names_the_application(wire):
    content = tlv.by_tag(tlv.unwrap(wire.get("7E").data, 0x7E))
    assert content[0x4F] == bytes.fromhex(AID)
    assert content[0x5F2F] == b"\x40\x00"


def test_writing_wants_the_management_key(wire):
    assert wire.put("5FC102", b"x") == 0x6982


@pytest.mark.parametrize("name", ["7E", "000000", "5FFE00"])
def test_objects_have_their_places(wire, name):
    wire.authenticate()
    assert wire.put(name, b"x") == 0x6A82


def test_the_makers_objects_are_only_on_an_extended_card(wire):
    wire.authenticate()
    assert wire.put("5FFF10", b"x") == (0x6A82 if wire.card.state.mode is Mode.strict else 0x9000)


def test_too_large_an_object_is_refused(wire):
    wire.authenticate()
    assert wire.put("5FC102", bytes(13000)) == 0x6A84


@pytest.mark.parametrize("data", [b"", b"\x5c", b"\x53\x00", b"\x5c\x03\x5f\xc1"])
def test_a_garbled_query_is_refused(wire, data):
    assert wire.status(0xCB, 0x3F, 0xFF, data) == 0x6A80
    wire.authenticate()
    assert wire.status(0xDB, 0x3F, 0xFF, data) == 0x6A80
    assert wire.status(0xDB, 0x3F, 0xFF, CHUID) == 0x6A80


def test_objects_are_asked_for_in_one_place_only(wire):
    assert wire.status(0xCB, 0, 0, CHUID) == 0x6A86


# 10. Chaining, parts, lengths


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 255))
@settings(max_examples=30)
def test_a_chained_object_comes_back_whole_with_any_le(content, le):
    wire = Wire(blank(Mode.strict))
    managed(wire.card)
    data = CHUID + tlv.encode(0x53, content)
    parts = [data[at : at + 200] for at in range(0, len(data), 200)]
    for part in parts[:-1]:
        assert wire.status(0xDB, 0x3F, 0xFF, part, le=None, cla=0x10) == 0x9000
    assert wire.status(0xDB, 0x3F, 0xFF, parts[-1], le=None) == 0x9000

    answer = wire.get("5FC102", le=le)
    whole = answer.data
    while answer.status >> 8 == 0x61:
        assert len(answer.data) == le
        answer = wire.send(0xC0, le=le)
        whole += answer.data
    assert tlv.unwrap(whole, 0x53) == content


@pytest.mark.parametrize("le", [8, 0x35])
def test_small_le_gives_the_first_bytes_and_announces_the_rest(wire, le):
    wire.authenticate()
    wire.put("5FC102", bytes(100))
    answer = wire.get("5FC102", le=le)
    assert (len(answer.data), answer.status) == (le, 0x6100 | 102 - le)


def test_extended_commands_carry_everything_at_once(wire):
    wire.authenticate()
    assert wire.put("5FC102", bytes(3000)) == 0x9000
    answer = wire.get("5FC102", le=65536)
    assert (len(answer.data), answer.status) == (3004, 0x9000)


def test_an_absent_le_counts_as_256(wire):
    wire.authenticate()
    wire.put("5FC102", bytes(1000))
    answer = wire.send(0xCB, 0x3F, 0xFF, CHUID, le=None)
    assert (len(answer.data), answer.status) == (256, 0x6100)


def test_nothing_more_is_there_after_another_command(wire):
    wire.authenticate()
    wire.put("5FC102", bytes(1000))
    wire.get("5FC102")
    wire.status(0x20, 0, 0x80, le=None)
    assert wire.status(0xC0) == 0x6985


def test_a_chain_ends_when_another_command_comes(wire):
    wire.authenticate()
    assert wire.status(0xDB, 0x3F, 0xFF, CHUID, le=None, cla=0x10) == 0x9000
    assert wire.get("5FC102").status == 0x6A82
    assert wire.status(0xDB, 0x3F, 0xFF, tlv.encode(0x53, b"x"), le=None) == 0x6A80


def test_an_endless_chain_is_refused(wire):
    statuses = {wire.status(0xDB, 0x3F, 0xFF, bytes(255), le=None, cla=0x10) for _ in range(300)}
    assert 0x6700 in statuses


@pytest.mark.parametrize("raw", [b"", b"\x00", b"\x00\x20\x00", b"\x00\x20\x00\x80\x08\x31"])
def test_a_command_cut_short_is_6700(wire, raw):
    assert wire.card.transmit(raw) == b"\x67\x00"


# 11. Extensions


def test_a_strict_card_has_no_extensions(strict):
    assert {strict.status(ins) for ins in EXTENSIONS} == {0x6D00}


def test_an_extended_card_tells_version_and_serial(extended):
    assert extended.send(0xFD).data >= b"\x05\x03\x00"
    assert extended.send(0xF8).data == (7654321).to_bytes(4, "big")


def test_metadata_tells_of_pins_keys_and_what_is_not_there(extended):
    assert tlv.by_tag(extended.send(0xF7, 0, 0x80).data) == {5: b"\x01", 6: b"\x03\x03"}
    assert tlv.by_tag(extended.send(0xF7, 0, 0x9B).data)[1] == b"\x0a"
    assert extended.status(0xF7, 0, 0x9A) == 0x6A88
    extended.authenticate()
    extended.generate(0x9C)
    assert tlv.by_tag(extended.send(0xF7, 0, 0x9C).data)[2] == b"\x03\x01"


def test_only_keys_made_on_the_card_are_attested():
    keys = three_keys()
    state = make_uzi_like_card(1, keys, pin="123456", mode=Mode.extended)
    assert Wire(state).status(0xF9, 0x9A) == 0x6A88


def test_the_attesting_key_itself_is_of_no_other_use():
    wire = Wire(blank(attestation_root=make_test_attestation_root(now=NOW)))
    wire.verify()
    assert wire.use(0xF9).status == 0x6A86


def test_setting_the_tries_wants_management_key_and_pin(extended):
    assert extended.status(0xFA, 5, 5) == 0x6982
    extended.authenticate()
    assert extended.status(0xFA, 5, 5) == 0x6982
    extended.verify()
    assert extended.status(0xFA, 0, 5) == 0x6A86
    assert extended.status(0xFA, 5, 4) == 0x9000
    assert extended.status(0x20, 0, 0x80, le=None) == 0x63C5


def test_many_tries_are_told_as_fifteen(extended):
    extended.authenticate()
    extended.verify()
    extended.status(0xFA, 99, 5)
    assert extended.status(0x20, 0, 0x80, le=None) == 0x63CF


@pytest.mark.parametrize(
    "data", [b"", b"\x0a", b"\x0a\x9b\x02ab", b"\x99\x9b\x01x", b"\x03\x9a\x18" + bytes(24)]
)
def test_a_garbled_management_key_is_refused(extended, data):
    extended.authenticate()
    assert extended.status(0xFF, 0xFF, 0xFF, data) == 0x6A80
    assert extended.status(0xFF, 0x00, 0xFF, data) == 0x6A86


@pytest.mark.parametrize(
    "data", [b"", b"\x06", tlv.encode(1, b"\x03"), b"".join(tlv.encode(tag, b"\x03") for tag in range(1, 6))]
)
def test_a_garbled_key_is_not_imported(extended, data):
    extended.authenticate()
    assert extended.status(0xFE, 0x07, 0x9A, data) == 0x6A80
    assert extended.status(0xFE, 0x07, 0x80, data) == 0x6A86


def test_a_key_on_a_curve_is_imported_with_its_policies(extended):
    key = ec.generate_private_key(ec.SECP256R1())
    private = tlv.encode(0x06, key.private_numbers().private_value.to_bytes(32, "big"))
    extended.authenticate()
    assert extended.status(0xFE, 0x11, 0x9A, private + tlv.encode(0xAA, b"\x07")) == 0x6A80
    assert extended.status(0xFE, 0x11, 0x9A, private + tlv.encode(0xAA, b"\x01")) == 0x9000
    assert extended.use(0x9A).status == 0x9000


def test_an_rsa_key_of_another_length_is_not_imported(extended):
    numbers = new_rsa_key().private_numbers()
    parts = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    data = b"".join(tlv.encode(tag, part.to_bytes(128, "big")) for tag, part in enumerate(parts, start=1))
    extended.authenticate()
    command = Command(0, 0xFE, 0x05, 0x9A, data, 65536).encode()
    assert extended.card.transmit(command) == b"\x6a\x80"
    assert extended.card.transmit(Command(0, 0xFE, 0x07, 0x9A, data, 65536).encode()) == b"\x90\x00"


# 12. is tested with both drivers in test_piv_making and tests/interop.

# 13. Alphabets


@pytest.mark.parametrize(
    "pin", [b"abcdef\xff\xff", b"12345a\xff\xff", b"12345\xff\xff\xff", b"123\xff456\xff"]
)
def test_a_strict_card_takes_no_try_for_what_cannot_be_a_pin(strict, pin):
    assert strict.verify(pin) == 0x6A80
    assert strict.status(0x24, 0, 0x80, PIN + pin) == 0x6A80
    assert strict.status(0x2C, 0, 0x80, PUK + pin) == 0x6A80
    assert strict.card.state.pin.tries_left == 3


def test_an_extended_card_takes_letters(extended):
    assert extended.status(0x24, 0, 0x80, PIN + b"Geheim12") == 0x9000
    assert extended.verify(b"Geheim12") == 0x9000


def test_a_uzi_like_card_holds_the_given_keys_and_certificates():
    keys = three_keys()
    wire = Wire(make_uzi_like_card(4, keys, pin="20304050", puk="86420864"))
    assert wire.verify(b"20304050") == 0x9000
    assert wire.use(0x9A).status == 0x9000
    assert keys[KeySlot.authentication][1].public_bytes(Encoding.DER) in wire.get("5FC105", le=65536).data


def test_randomness_can_be_handed_in():
    wire = Wire(blank(), random_bytes=lambda count: b"\x07" * count)
    assert tlv.unwrap(tlv.unwrap(_ask(wire, 0x0A, tlv.encode(0x81)).data, 0x7C), 0x81) == b"\x07" * 16
