"""The virtual card under a driver that others wrote: `yubikit.piv`, in process.

yubikey-manager is installed without its dependencies (`--no-deps`): its PIV part needs neither PC/SC nor USB.
"""

import datetime as dt
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from yubikit.core import TRANSPORT, InvalidPinError
from yubikit.core.smartcard import SW, ApduError, SmartCardConnection
from yubikit.piv import (
    DEFAULT_MANAGEMENT_KEY,
    KEY_TYPE,
    MANAGEMENT_KEY_TYPE,
    OBJECT_ID,
    PIN_POLICY,
    SLOT,
    Chuid,
    PivSession,
)

from cardkit.attestation import TrustedRoot, verify_attestation
from cardkit.card import Chuid as OurChuid
from cardkit.card import KeyAlgorithm, KeySlot, PinPolicy
from cardkit.piv import PivCard
from cardkit.secrets import ManagementKeyKind, factory_management_key
from cardkit.virtual import VirtualCard, make_blank_card, make_test_attestation_root
from cardkit.virtual.state import USUAL_ALGORITHMS

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
MESSAGE = b"what is signed"
RSA_KEYS = [KEY_TYPE.RSA2048, KEY_TYPE.RSA3072, KEY_TYPE.RSA4096]
CURVE_KEYS = [KEY_TYPE.ECCP256, KEY_TYPE.ECCP384]


class InProcess(SmartCardConnection):
    """What yubikit takes for a reader with a card in it."""

    def __init__(self, card: VirtualCard, transport: TRANSPORT) -> None:
        self._card = card
        self._transport = transport

    @property
    def transport(self) -> TRANSPORT:
        return self._transport

    def send_and_receive(self, apdu: bytes) -> tuple[bytes, int]:
        answer = self._card.transmit(bytes(apdu))
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def close(self) -> None:
        self._card.power_cycle()


@pytest.fixture(scope="module")
def root():
    return make_test_attestation_root(now=NOW)


@pytest.fixture
def card(root):
    algorithms = USUAL_ALGORITHMS | {KeyAlgorithm.rsa4096}
    return VirtualCard(make_blank_card(10203040, attestation_root=root, algorithms=algorithms))


# Over NFC yubikit sends short commands in chains, over USB extended ones.
@pytest.fixture(params=[TRANSPORT.USB, TRANSPORT.NFC], ids=["extended", "short"])
def session(card, request):
    return PivSession(InProcess(card, request.param))


@pytest.fixture
def managed(session):
    session.authenticate(DEFAULT_MANAGEMENT_KEY)
    return session


def self_signed(name: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + dt.timedelta(days=1))
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x04\x00" * 600), False)
        .sign(key, hashes.SHA256())
    )


def test_it_tells_its_firmware_and_serial(session):
    assert tuple(session.version) == (5, 7, 1)
    assert session.get_serial() == 10203040


@pytest.mark.parametrize("kind", [ManagementKeyKind.tdes, ManagementKeyKind.aes192, ManagementKeyKind.aes256])
def test_every_kind_of_management_key_authenticates(kind):
    card = VirtualCard(make_blank_card(1, management_key=factory_management_key(kind)))
    session = PivSession(InProcess(card, TRANSPORT.USB))

    session.authenticate(factory_management_key(kind).for_card())

    session.put_object(OBJECT_ID.CHUID, b"\x30\x00")


def test_a_wrong_management_key_opens_nothing(session):
    with pytest.raises(ApduError) as refused:
        session.authenticate(bytes(24))
    assert refused.value.sw == SW.SECURITY_CONDITION_NOT_SATISFIED

    with pytest.raises(ApduError) as refused:
        session.put_object(OBJECT_ID.CHUID, b"\x30\x00")
    assert refused.value.sw == SW.SECURITY_CONDITION_NOT_SATISFIED


def test_the_management_key_is_replaced(managed, card):
    managed.set_management_key(MANAGEMENT_KEY_TYPE.AES256, bytes(range(32)))
    card.power_cycle()

    again = PivSession(InProcess(card, TRANSPORT.USB))
    again.authenticate(bytes(range(32)))

    assert again.management_key_type == MANAGEMENT_KEY_TYPE.AES256


@pytest.mark.parametrize("key_type", CURVE_KEYS)
def test_a_key_on_a_curve_signs(managed, key_type):
    public_key = managed.generate_key(SLOT.AUTHENTICATION, key_type)
    managed.verify_pin("123456")

    signature = managed.sign(SLOT.AUTHENTICATION, key_type, MESSAGE, hashes.SHA256())

    public_key.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("key_type", RSA_KEYS)
def test_an_rsa_key_signs_and_decrypts(managed, key_type):
    public_key = managed.generate_key(SLOT.KEY_MANAGEMENT, key_type)
    managed.verify_pin("123456")

    signature = managed.sign(SLOT.KEY_MANAGEMENT, key_type, MESSAGE, hashes.SHA256(), padding.PKCS1v15())
    secret = managed.decrypt(
        SLOT.KEY_MANAGEMENT, public_key.encrypt(MESSAGE, padding.PKCS1v15()), padding.PKCS1v15()
    )

    public_key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert secret == MESSAGE


@pytest.mark.parametrize("key_type", CURVE_KEYS)
def test_a_key_on_a_curve_agrees_on_a_secret(managed, key_type):
    public_key = managed.generate_key(SLOT.KEY_MANAGEMENT, key_type)
    peer = ec.generate_private_key(public_key.curve)
    managed.verify_pin("123456")

    secret = managed.calculate_secret(SLOT.KEY_MANAGEMENT, peer.public_key())

    assert secret == peer.exchange(ec.ECDH(), public_key)


def test_the_signature_key_wants_the_pin_for_each_signature(managed):
    managed.generate_key(SLOT.SIGNATURE, KEY_TYPE.ECCP256)
    managed.verify_pin("123456")
    managed.sign(SLOT.SIGNATURE, KEY_TYPE.ECCP256, MESSAGE, hashes.SHA256())

    with pytest.raises(ApduError) as refused:
        managed.sign(SLOT.SIGNATURE, KEY_TYPE.ECCP256, MESSAGE, hashes.SHA256())

    assert refused.value.sw == SW.SECURITY_CONDITION_NOT_SATISFIED


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "packed"])
def test_certificates_are_written_read_and_deleted(managed, card, compress):
    certificate = self_signed("a certificate longer than one command")

    managed.put_certificate(SLOT.SIGNATURE, certificate, compress)

    assert managed.get_certificate(SLOT.SIGNATURE) == certificate
    assert [each.certificate for each in PivCard.open(card).read_certificates()] == [certificate]
    managed.delete_certificate(SLOT.SIGNATURE)
    with pytest.raises(ApduError) as absent:
        managed.get_certificate(SLOT.SIGNATURE)
    assert absent.value.sw == SW.FILE_NOT_FOUND


def test_an_imported_key_works_and_is_not_attested(managed):
    key = rsa.generate_private_key(65537, 2048)
    managed.put_key(SLOT.AUTHENTICATION, key, PIN_POLICY.ONCE)
    managed.verify_pin("123456")

    signature = managed.sign(
        SLOT.AUTHENTICATION, KEY_TYPE.RSA2048, MESSAGE, hashes.SHA256(), padding.PKCS1v15()
    )

    key.public_key().verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert not managed.get_slot_metadata(SLOT.AUTHENTICATION).generated
    with pytest.raises(ApduError):
        managed.attest_key(SLOT.AUTHENTICATION)


def test_three_wrong_pins_block_and_the_puk_unblocks(session):
    for left in (2, 1, 0):
        with pytest.raises(InvalidPinError) as wrong:
            session.verify_pin("999999")
        assert wrong.value.attempts_remaining == left
    with pytest.raises(InvalidPinError):
        session.verify_pin("123456")

    session.unblock_pin("12345678", "abc123")

    session.verify_pin("abc123")
    assert session.get_pin_attempts() == 3


def test_pin_and_puk_are_changed(session):
    session.change_pin("123456", "654321")
    session.change_puk("12345678", "87654321")

    session.verify_pin("654321")
    session.unblock_pin("87654321", "111111")
    session.verify_pin("111111")


def test_the_number_of_tries_can_be_set(managed):
    managed.verify_pin("123456")
    managed.set_pin_attempts(5, 7)

    assert managed.get_pin_metadata().total_attempts == 5
    assert managed.get_puk_metadata().attempts_remaining == 7


def test_a_reset_empties_the_card(managed):
    managed.generate_key(SLOT.AUTHENTICATION, KEY_TYPE.ECCP256)
    managed.put_certificate(SLOT.AUTHENTICATION, self_signed("x"))

    managed.reset()

    assert managed.get_pin_attempts() == 3
    for look in (managed.get_slot_metadata, managed.get_certificate):
        with pytest.raises(ApduError):
            look(SLOT.AUTHENTICATION)
    managed.authenticate(DEFAULT_MANAGEMENT_KEY)
    managed.generate_key(SLOT.AUTHENTICATION, KEY_TYPE.ECCP256)
    assert managed.attest_key(SLOT.AUTHENTICATION)


def test_its_attestation_of_a_key_verifies_under_the_test_root(managed, root):
    public_key = managed.generate_key(SLOT.SIGNATURE, KEY_TYPE.ECCP256, PIN_POLICY.ALWAYS)

    statement = managed.attest_key(SLOT.SIGNATURE)
    intermediate = managed.get_certificate(SLOT.ATTESTATION)

    attestation = verify_attestation(
        statement.public_bytes(Encoding.DER),
        intermediate.public_bytes(Encoding.DER),
        [TrustedRoot("test", root.certificate_der)],
        expected_public_key=public_key,
        expected_slot=KeySlot.signature,
        demand_pin_policy=PinPolicy.always,
        now=NOW,
    )
    assert attestation.serial == "10203040"


def test_the_chuid_that_we_write_is_read_by_others(card, session):
    ours = OurChuid.random(os.urandom, NOW.date())
    driver = PivCard.open(card)
    driver.authenticate_management(factory_management_key())
    driver.write_chuid(ours)

    theirs = Chuid.from_bytes(session.get_object(OBJECT_ID.CHUID))

    assert theirs.guid == ours.guid
    assert theirs.expiration_date == ours.expires_on
