"""What the app is told of the one card it may make: transport values, new values, what to leave alone."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from zorgid.issuance.errors import KindNotAdmitted
from zorgid.issuance.model import Issuance, IssuanceSetup
from zorgid.protocol.messages import CardInstructions, IssuanceView, encode
from zorgid.stock.model import BlankCard, CardKind, ManagementKeyAlgorithm

FACTORY_PIN: Final = "123456"
FACTORY_PUK: Final = "12345678"
FACTORY_MANAGEMENT_KEY: Final = bytes(range(1, 9)) * 4
"""The values with which every kind in stock leaves its factory; the making replaces all three.

Of the management key a card takes as many bytes as its algorithm has.
"""

MANAGEMENT_KEY_BYTES: Final = {
    ManagementKeyAlgorithm.tdes: 24,
    ManagementKeyAlgorithm.aes128: 16,
    ManagementKeyAlgorithm.aes192: 24,
    ManagementKeyAlgorithm.aes256: 32,
}
GUID_BYTES: Final = 16


def require_admitted(kind: CardKind, setup: IssuanceSetup) -> CardKind:
    """Return the kind when such cards may be made here. Raises `KindNotAdmitted` (CARD-10).

    Keys are of the kind that the operator chose, where one was chosen, and of no other.
    """
    if kind.attestation_root is None and not setup.may_attest_nothing:
        raise KindNotAdmitted
    if kind.is_stand_in and not setup.allows_stand_ins:
        raise KindNotAdmitted
    if setup.key_kind is not None and setup.key_kind not in kind.key_kinds:
        raise KindNotAdmitted
    return kind


def guid_of(setup: IssuanceSetup, attempt: bytes) -> bytes:
    """Return the GUID of the CHUID that this attempt writes (16 bytes)."""
    return setup.derive(b"zid-guid-v1" + attempt, GUID_BYTES).reveal()


def agreement_key(setup: IssuanceSetup, attempt: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the platform's key for showing possession by agreement; derived, so that no table holds it.

    Source: FIPS 186-5, A.2.1: 64 bits more than the order, reduced, leave no bias to speak of.
    """
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    drawn = int.from_bytes(setup.derive(b"zid-agreement-v1" + attempt, 40).reveal(), "big")
    return ec.derive_private_key(drawn % (order - 1) + 1, ec.SECP256R1())


def challenge_text(issuance: Issuance) -> str:
    """Return the text that every certificate request of this attempt must carry."""
    assert issuance.attempt is not None
    return f"{issuance.id}.{issuance.attempt.hex()}"


def instructions_for(
    setup: IssuanceSetup, issuance: Issuance, blank: BlankCard, view: IssuanceView
) -> CardInstructions:
    """Return all that the app needs for this attempt; asked again, the same (ALL-8)."""
    assert issuance.attempt is not None
    kind = blank.kind
    size = MANAGEMENT_KEY_BYTES[kind.management_key]
    label = b"zid-card-management-v1" + blank.chip_serial.encode("ascii") + b"\0" + issuance.attempt
    public = agreement_key(setup, issuance.attempt).public_key()
    return CardInstructions(
        view=view,
        pin_shortest=kind.pin_rule.shortest,
        pin_longest=kind.pin_rule.longest,
        pin_digits_only=kind.pin_rule.digits_only,
        key_algorithm=setup.key_kind or kind.key_kinds[0],
        management_key_kind=kind.management_key,
        transport_pin=FACTORY_PIN,
        transport_puk=FACTORY_PUK,
        transport_management_key=encode(FACTORY_MANAGEMENT_KEY[:size]),
        management_key=encode(setup.derive(label, size).reveal()),
        guid=guid_of(setup, issuance.attempt).hex(),
        may_reset=True,
        attests=kind.attests,
        challenge=challenge_text(issuance),
        agreement_key=encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    )
