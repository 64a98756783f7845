"""Proof that a key was made on a card and cannot leave it, as YubiKeys give it.

The statement is a certificate for the key, signed by the card's own key, whose certificate (the intermediate)
comes from the maker. Which makers count is data: the caller hands in the roots. Source: Yubico, "PIV
attestation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from cardkit import tlv
from cardkit.card import KeySlot, PinPolicy, PublicKey, TouchPolicy
from cardkit.errors import AttestationFlaw, AttestationRefused, TlvMalformed

# Yubico's arc for attested facts.
FIRMWARE: Final = x509.ObjectIdentifier("1.3.6.1.4.1.41482.3.3")
SERIAL: Final = x509.ObjectIdentifier("1.3.6.1.4.1.41482.3.7")
POLICIES: Final = x509.ObjectIdentifier("1.3.6.1.4.1.41482.3.8")
FORM_FACTOR: Final = x509.ObjectIdentifier("1.3.6.1.4.1.41482.3.9")
STATEMENT_NAME: Final = "YubiKey PIV Attestation "
"""The subject of a statement; the key reference follows in two hexadecimal digits."""

PIN_POLICIES: Final = {1: PinPolicy.never, 2: PinPolicy.once, 3: PinPolicy.always}
TOUCH_POLICIES: Final = {1: TouchPolicy.never, 2: TouchPolicy.always, 3: TouchPolicy.cached}
# Yubico's longest chain so far is card, batch, intermediate, root.
LONGEST_CHAIN: Final = 5

UNREADABLE: Final = (
    ValueError,
    TypeError,
    NotImplementedError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for certificates that are not in order."""


class FormFactor(StrEnum):
    """The shape of the token; what is not listed is *other*."""

    usb_a_keychain = "usb-a-keychain"
    usb_a_nano = "usb-a-nano"
    usb_c_keychain = "usb-c-keychain"
    usb_c_nano = "usb-c-nano"
    usb_c_lightning = "usb-c-lightning"
    other = "other"


FORM_FACTORS: Final = dict(enumerate(list(FormFactor)[:5], start=1))


@dataclass(frozen=True)
class TrustedRoot:
    """A maker's certificate that attestations may rest on, with the name it has in the settings."""

    name: str
    certificate_der: bytes


@dataclass(frozen=True)
class Attestation:
    """What a maker's card says of a key: checked, under the root with `root_name`."""

    serial: str
    firmware: tuple[int, int, int]
    pin_policy: PinPolicy
    touch_policy: TouchPolicy
    form_factor: FormFactor
    root_name: str


def verify_attestation(
    statement_der: bytes,
    intermediate_der: bytes,
    roots: Sequence[TrustedRoot],
    *,
    expected_public_key: PublicKey,
    now: datetime,
    expected_slot: KeySlot | None = None,
    demand_pin_policy: PinPolicy | None = None,
    makers_intermediates: Sequence[bytes] = (),
) -> Attestation:
    """Return what the attestation says of `expected_public_key`, once every check has passed.

    1. Statement and intermediate are certificates.
    2. The intermediate leads to one of `roots`, directly or by `makers_intermediates` (DER).
    3. All above the statement are CA certificates within their path lengths; everything is valid at `now`
       (aware; both ends inclusive).
    4. The intermediate signed the statement. (A key that a card attested is no CA: it cannot attest others.)
    5. The statement speaks of the expected key and, where given, of the expected slot.
    6. It tells serial, firmware and policies; the PIN policy is not *never* and, where demanded, exactly the
       demanded one.

    Raises:
        AttestationRefused: with the first check that failed.
    """
    statement, intermediate = _load(statement_der), _load(intermediate_der)
    anchors = [(root.name, _load(root.certificate_der)) for root in roots]
    chain, root_name = _chain_to_root(intermediate, anchors, [_load(der) for der in makers_intermediates])
    _check_authorities(chain)
    _check_validity([statement, *chain], now)
    _check_signed(statement, intermediate, AttestationFlaw.chain_broken)
    _check_subject(statement, expected_public_key, expected_slot)
    attestation = _read(statement, root_name)
    _check_pin_policy(attestation.pin_policy, demand_pin_policy)
    return attestation


def _load(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        # The parser is lazy; what it would stumble over later has to show now.
        _ = certificate.extensions, certificate.public_key(), certificate.subject, certificate.issuer
    except UNREADABLE as error:
        raise AttestationRefused(AttestationFlaw.malformed) from error
    return certificate


def _chain_to_root(
    intermediate: x509.Certificate,
    anchors: list[tuple[str, x509.Certificate]],
    between: list[x509.Certificate],
) -> tuple[list[x509.Certificate], str]:
    """Return the certificates from `intermediate` up to and including the root, and the root's name."""
    chain = [intermediate]
    while len(chain) < LONGEST_CHAIN:
        for name, anchor in anchors:
            if _is_issued_by(chain[-1], anchor):
                return [*chain, anchor], name
        above = next((each for each in between if each not in chain and _is_issued_by(chain[-1], each)), None)
        if above is None:
            break
        chain.append(above)
    raise AttestationRefused(AttestationFlaw.root_unknown)


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _check_signed(certificate: x509.Certificate, issuer: x509.Certificate, flaw: AttestationFlaw) -> None:
    if not _is_issued_by(certificate, issuer):
        raise AttestationRefused(flaw)


def _check_authorities(chain: list[x509.Certificate]) -> None:
    for below, certificate in enumerate(chain):
        constraints = next(_basic_constraints(certificate), None)
        if constraints is None or not constraints.ca:
            raise AttestationRefused(AttestationFlaw.not_an_attestation_issuer)
        if constraints.path_length is not None and below > constraints.path_length:
            raise AttestationRefused(AttestationFlaw.not_an_attestation_issuer)


def _basic_constraints(certificate: x509.Certificate) -> Iterator[x509.BasicConstraints]:
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.BasicConstraints):
            yield extension.value


def _check_validity(certificates: list[x509.Certificate], now: datetime) -> None:
    for certificate in certificates:
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise AttestationRefused(AttestationFlaw.outside_validity)


def _check_subject(
    statement: x509.Certificate, expected_key: PublicKey, expected_slot: KeySlot | None
) -> None:
    if _spki(statement.public_key()) != _spki(expected_key):
        raise AttestationRefused(AttestationFlaw.other_key)
    if expected_slot is None:
        return
    names = [name.value for name in statement.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [f"{STATEMENT_NAME}{expected_slot.reference:02x}"]:
        raise AttestationRefused(AttestationFlaw.other_slot)


def _spki(key: object) -> bytes:
    if not hasattr(key, "public_bytes"):
        raise AttestationRefused(AttestationFlaw.malformed)
    encoded: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _read(statement: x509.Certificate, root_name: str) -> Attestation:
    pin_policy, touch_policy = _policies(_told(statement, POLICIES, AttestationFlaw.policy_missing))
    return Attestation(
        serial=_serial(_told(statement, SERIAL, AttestationFlaw.serial_missing)),
        firmware=_firmware(_told(statement, FIRMWARE, AttestationFlaw.malformed)),
        pin_policy=pin_policy,
        touch_policy=touch_policy,
        form_factor=_form_factor(statement),
        root_name=root_name,
    )


def _told(statement: x509.Certificate, oid: x509.ObjectIdentifier, flaw: AttestationFlaw) -> bytes:
    for extension in statement.extensions:
        if extension.oid == oid and isinstance(extension.value, x509.UnrecognizedExtension):
            return extension.value.value
    raise AttestationRefused(flaw)


def _serial(encoded: bytes) -> str:
    try:
        number = tlv.unwrap(encoded, 0x02)
    except TlvMalformed as error:
        raise AttestationRefused(AttestationFlaw.malformed) from error
    if not number:
        raise AttestationRefused(AttestationFlaw.serial_missing)
    return str(int.from_bytes(number, "big"))


def _firmware(encoded: bytes) -> tuple[int, int, int]:
    try:
        major, minor, patch = encoded
    except ValueError as error:
        raise AttestationRefused(AttestationFlaw.malformed) from error
    return major, minor, patch


def _policies(encoded: bytes) -> tuple[PinPolicy, TouchPolicy]:
    try:
        pin_code, touch_code = encoded
        return PIN_POLICIES[pin_code], TOUCH_POLICIES[touch_code]
    except (ValueError, KeyError) as error:
        raise AttestationRefused(AttestationFlaw.policy_missing) from error


def _form_factor(statement: x509.Certificate) -> FormFactor:
    try:
        told = _told(statement, FORM_FACTOR, AttestationFlaw.malformed)
    except AttestationRefused:
        # Firmware before 5 does not tell it.
        return FormFactor.other
    # The upper bits say FIPS and Security Key editions, not the shape.
    return FORM_FACTORS.get(int.from_bytes(told, "big") & 0x0F, FormFactor.other)


def _check_pin_policy(told: PinPolicy, demanded: PinPolicy | None) -> None:
    if told is PinPolicy.never or (demanded is not None and told is not demanded):
        raise AttestationRefused(AttestationFlaw.pin_policy_too_weak)
