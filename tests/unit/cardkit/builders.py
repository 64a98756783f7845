"""What the tests of cardkit start from: cards, certificates, and transports that answer from a script or keep count."""

import datetime as dt
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from cardkit.apdu import Command, Response
from cardkit.card import KeySlot, PrivateKey
from cardkit.errors import CardGone
from cardkit.piv import PivCard
from cardkit.secrets import NIST_PIN, SMARTCARD_PIN, Pin, Puk, factory_management_key
from cardkit.virtual import CardState, Mode, VirtualCard, make_blank_card

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
SHA256 = hashes.SHA256()
FACTORY_PIN = Pin("123456")
FACTORY_PUK = Puk("12345678")
WRONG_PIN = Pin("999999")

USAGES = {
    "authentication": {"digital_signature"},
    "signature": {"content_commitment"},
    "confidentiality": {"key_encipherment", "data_encipherment"},
    "agreement": {"key_agreement"},
    "mixed": {"digital_signature", "key_encipherment"},
}
USAGE_NAMES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Recording:
    """Passes commands on and keeps them."""

    def __init__(self, card: VirtualCard) -> None:
        self.card = card
        self.sent: list[bytes] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.sent.append(apdu)
        return self.card.transmit(apdu)

    def sent_with(self, ins: int) -> list[Command]:
        return [command for command in map(Command.decode, self.sent) if command.ins == ins]


class Scripted:
    """Answers from a list, and is gone when the list is at its end."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.sent.append(apdu)
        if not self.answers:
            raise CardGone
        return self.answers.pop(0)


def answer(status: int, data: bytes = b"") -> bytes:
    return Response(data, status).encode()


SELECTED = answer(0x9000, bytes.fromhex("61114F0600001000010079074F05A000000308"))
NO_EXTENSIONS = answer(0x6D00)


def scripted_card(*answers: bytes) -> tuple[PivCard, Scripted]:
    """A driver over a strict card that answers `answers` after it was selected."""
    transport = Scripted(SELECTED, NO_EXTENSIONS, *answers)
    card = PivCard.open(transport)
    transport.sent.clear()
    return card, transport


def blank(mode: Mode = Mode.extended, serial: int = 7654321, **options) -> CardState:
    return make_blank_card(serial, mode=mode, **options)


def opened(card: VirtualCard) -> PivCard:
    """The driver on `card`, under the PIN rules of its mode."""
    return PivCard.open(card, pin_rules=NIST_PIN if card.state.mode is Mode.strict else SMARTCARD_PIN)


def managed(card: VirtualCard) -> PivCard:
    """The driver on a blank card, with the management key shown."""
    driver = opened(card)
    key = card.state.management_key
    driver.authenticate_management(factory_management_key(key.kind))
    return driver


def self_signed(
    usage: Iterable[str] | None = None,
    key: PrivateKey | None = None,
    name: str = "somebody",
    hash_algorithm: hashes.HashAlgorithm | None = SHA256,
) -> x509.Certificate:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + dt.timedelta(days=1))
    )
    if usage is not None:
        asserted = {each: each in set(usage) for each in USAGE_NAMES}
        builder = builder.add_extension(x509.KeyUsage(**asserted), critical=True)
    return builder.sign(key, hash_algorithm)


def new_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def three_keys(
    order: tuple[str, str, str] = ("authentication", "signature", "confidentiality"),
) -> dict[KeySlot, tuple[PrivateKey, x509.Certificate]]:
    """Keys with certificates of the usages in `order`, for 9A, 9C and 9D."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in order]
    return {
        slot: (key, self_signed(USAGES[usage], key))
        for slot, key, usage in zip(KeySlot, keys, order, strict=True)
    }
