"""Our PKCS#11 driver through Yubico's module, on the virtual card in the real PC/SC service: this one locks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from tests.interop.readers.service import YUBIKEY, Service, eventually
from tests.interop.tokens.tokens import (
    NEW_PIN,
    PIN,
    WRONG_PIN,
    YKCS11,
    certified,
    module,
    openssl_takes,
    personalise,
)

from cardkit.card import CertificateUsage, KeyAlgorithm, KeySlot
from cardkit.errors import (
    CardCannot,
    CardError,
    CardGone,
    CardNotRecognised,
    ManagementKeyNeeded,
    ManagementKeyWrong,
    PinBlocked,
    PinNeeded,
    PinUnfit,
    PinWrong,
    ReaderEmpty,
)
from cardkit.pcsc import PcscReaders
from cardkit.pkcs11.joined import JoinedReader, JoinedReaders
from cardkit.pkcs11.places import Modules
from cardkit.pkcs11.readers import Pkcs11Reader, Pkcs11Readers
from cardkit.secrets import ManagementKey, ManagementKeyKind, Pin, PinRules, Puk, factory_management_key
from cardkit.virtual import VirtualCard

pytestmark = pytest.mark.xdist_group("pcscd")

OPENSC = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
FACTORY_PIN = Pin("123456")
FACTORY_KEY = factory_management_key(ManagementKeyKind.tdes)
OTHER_KEY = ManagementKey(
    bytes.fromhex("A1B2C3D4E5F60718293A4B5C6D7E8F901122334455667788"), ManagementKeyKind.tdes
)


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.rsa2048, KeyAlgorithm.p256])
def test_the_card_is_personalised_by_another_vendors_module(
    card_reader: Pkcs11Reader, virtual_card: VirtualCard, tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    """PIN, three keys made on the card, three certificates; what is on the card is what PIV finds (CARD-5)."""
    with card_reader.open_card() as card:
        assert card.read_serial() == "12345678"
        card.change_pin(FACTORY_PIN, PIN)
        keys = personalise(card, lambda: card.authenticate_management(FACTORY_KEY), PIN, algorithm)
        for usage in (CertificateUsage.authentication, CertificateUsage.signature):
            key = card.certificate_for(usage).key
            assert key == keys[key.slot]
            card.verify_pin(PIN)
            signature = card.sign(key, b"what is signed")
            assert openssl_takes(tmp_path, key, b"what is signed", signature)
        confidential = card.certificate_for(CertificateUsage.confidentiality).key
        card.verify_pin(PIN)
        if isinstance(confidential.public_key, rsa.RSAPublicKey):
            ciphertext = confidential.public_key.encrypt(b"a secret", padding.PKCS1v15())
            assert card.decrypt(confidential, ciphertext) == b"a secret"
        else:
            peer = ec.generate_private_key(ec.SECP256R1())
            shared = peer.exchange(ec.ECDH(), confidential.public_key)
            assert card.agree(confidential, peer.public_key()) == shared
    made = virtual_card.state.keys
    assert all(made[slot.reference].public_key == key.public_key for slot, key in keys.items())
    assert all(made[slot.reference].was_generated for slot in KeySlot)


def test_three_wrong_pins_lock_the_card(card_reader: Pkcs11Reader, virtual_card: VirtualCard) -> None:
    """A real lock, told by the try that made it and by every one after it (PIN-1)."""
    with card_reader.open_card() as card:
        assert card.pin_tries_left() is None
        with pytest.raises(PinWrong) as first:
            card.verify_pin(WRONG_PIN)
        assert first.value.tries_left is None
        assert virtual_card.state.pin.tries_left == 2
        with pytest.raises(PinWrong) as second:
            card.verify_pin(WRONG_PIN)
        assert second.value.tries_left == 1 == card.pin_tries_left()
        with pytest.raises(PinBlocked):
            card.verify_pin(WRONG_PIN)
        assert virtual_card.state.pin.is_blocked
        assert card.pin_tries_left() == 0
    with card_reader.open_card() as card:
        with pytest.raises(PinBlocked):
            card.verify_pin(FACTORY_PIN)
        assert card.pin_tries_left() == 0


def test_a_right_pin_gives_all_tries_back(card_reader: Pkcs11Reader, virtual_card: VirtualCard) -> None:
    """PIN-1; and each act of the holder is one try on the card."""
    with card_reader.open_card() as card:
        for _ in range(2):
            with pytest.raises(PinWrong):
                card.verify_pin(WRONG_PIN)
        card.verify_pin(FACTORY_PIN)
        assert virtual_card.state.pin.tries_left == 3
        with pytest.raises(PinWrong):
            card.change_pin(WRONG_PIN, NEW_PIN)
        assert virtual_card.state.pin.tries_left == 2
        card.change_pin(FACTORY_PIN, NEW_PIN)
        card.verify_pin(NEW_PIN)


def test_one_wrong_pin_does_not_stop_the_management_key(card_reader: Pkcs11Reader) -> None:
    """A session that is lost with a wrong PIN makes the next login of the other user fail."""
    with card_reader.open_card() as card:
        with pytest.raises(PinWrong):
            card.verify_pin(WRONG_PIN)
        card.authenticate_management(FACTORY_KEY)
        card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
        with pytest.raises(ManagementKeyWrong):
            card.authenticate_management(OTHER_KEY)
        with pytest.raises(ManagementKeyNeeded):
            card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
        card.verify_pin(FACTORY_PIN)


def test_the_management_key_is_replaced(card_reader: Pkcs11Reader, virtual_card: VirtualCard) -> None:
    """The key that a blank card is delivered with does not stay on a card in use (CARD-10)."""
    with card_reader.open_card() as card:
        with pytest.raises(ManagementKeyNeeded):
            card.set_management_key(OTHER_KEY)
        card.authenticate_management(FACTORY_KEY)
        card.set_management_key(OTHER_KEY)
        assert virtual_card.state.management_key.value == OTHER_KEY.for_card()
        card.authenticate_management(OTHER_KEY)


def test_the_signature_key_wants_the_pin_directly_before_each_use(card_reader: Pkcs11Reader) -> None:
    with card_reader.open_card() as card:
        card.authenticate_management(FACTORY_KEY)
        key = card.generate_key(KeySlot.signature, KeyAlgorithm.p256)
        card.verify_pin(FACTORY_PIN)
        card.sign(key, b"once")
        with pytest.raises(PinNeeded):
            card.sign(key, b"twice")


def test_what_this_module_cannot_do_it_says(card_reader: Pkcs11Reader, virtual_card: VirtualCard) -> None:
    """The PUK of a PIV card is out of reach of PKCS#11: that is the PIV driver's work (PIN-2)."""
    puk = Puk("12345678")
    with card_reader.open_card() as card:
        acts: list[Callable[[], object]] = [
            lambda: card.unblock_pin(puk, NEW_PIN),
            lambda: card.change_puk(puk, Puk("87654321")),
            lambda: card.attest(KeySlot.authentication),
            card.reset,
        ]
        for act in acts:
            with pytest.raises(CardCannot):
                act()
        assert card.puk_tries_left() is None
    assert virtual_card.state.puk.tries_left == 3
    with pytest.raises(CardError):
        card_reader.initialise(puk, "blank")


def test_a_pin_that_cannot_be_right_costs_no_try(
    card_reader: Pkcs11Reader, virtual_card: VirtualCard
) -> None:
    """PIN-3: ykcs11 takes 48 characters, a PIV card eight."""
    with card_reader.open_card() as card, pytest.raises(PinUnfit):
        card.verify_pin(Pin("123456789", PinRules(6, 48, digits_only=True)))
    assert virtual_card.state.pin.tries_left == 3


def test_a_card_that_is_pulled_is_gone_and_another_one_is_opened_anew(
    card_reader: Pkcs11Reader, yubikey_reader: Service, virtual_card: VirtualCard
) -> None:
    """CARD-9: a sentence and a way on; the session of the old card is never used for another."""
    with card_reader.open_card() as card:
        card.authenticate_management(FACTORY_KEY)
        key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
        card.write_certificate(KeySlot.authentication, certified(key.public_key, "authentication"))
        card.verify_pin(FACTORY_PIN)
        for plugged in yubikey_reader._plugged:
            plugged.pull()
        eventually(lambda: not card_reader.has_card(), "the module sees that the card is out")
        with pytest.raises(CardError):
            card.sign(key, b"without a card")
    with pytest.raises((ReaderEmpty, CardGone)), card_reader.open_card():
        pass
    yubikey_reader.insert(virtual_card, YUBIKEY)
    eventually(card_reader.has_card, "the module sees the card")
    with card_reader.open_card() as card:
        with pytest.raises(PinNeeded):
            card.sign(key, b"before the PIN")
        card.verify_pin(FACTORY_PIN)
        card.sign(key, b"after it")


def test_a_card_in_a_reader_is_listed_once_and_spoken_to_in_piv(
    card_reader: Pkcs11Reader, yubikey_reader: Service
) -> None:
    """PC/SC and the module show the same card; PIV goes first (docs/decisions/0560-tokens-behind-modules.md)."""
    tokens = Pkcs11Readers(Modules((YKCS11,), are_named=True))
    readers = JoinedReaders(PcscReaders(), tokens).present()
    with_card = [reader for reader in readers if reader.has_card()]
    assert [reader.name for reader in with_card] == [yubikey_reader.slot_name(YUBIKEY)]
    (reader,) = with_card
    assert isinstance(reader, JoinedReader)
    with reader.open_card() as card:
        assert card.firmware is not None  # which only the PIV driver tells
        card.verify_pin(FACTORY_PIN)
    with card_reader.open_card() as card:
        assert card.firmware is None
        card.verify_pin(FACTORY_PIN)
    with reader.open_card() as card:
        card.verify_pin(FACTORY_PIN)


class NoPiv:
    """A card that knows no application at all."""

    atr = bytes.fromhex("3B80800101")

    def power_cycle(self) -> None:
        pass

    def transmit(self, raw: bytes) -> bytes:
        return bytes.fromhex("6A82")


def test_a_strange_card_is_asked_for_behind_modules_and_the_next_card_works(
    yubikey_reader: Service, virtual_card: VirtualCard
) -> None:
    """ALL-2: OpenSC and ykcs11 stay loaded after a card that nobody knows, and keep nothing from the PIV driver."""
    with module(OPENSC), module(YKCS11):
        readers = JoinedReaders(PcscReaders(), Pkcs11Readers(Modules((OPENSC, YKCS11), are_named=False)))
        strange = yubikey_reader.insert(NoPiv(), YUBIKEY)
        (reader,) = [one for one in readers.present() if one.has_card()]
        with pytest.raises(CardNotRecognised), reader.open_card():
            pass
        strange.pull()
        eventually(lambda: not reader.has_card(), "the strange card is out")
        yubikey_reader.insert(virtual_card, YUBIKEY)
        (reader,) = [one for one in readers.present() if one.has_card()]
        with reader.open_card() as card:
            assert card.firmware is not None
            card.verify_pin(FACTORY_PIN)
