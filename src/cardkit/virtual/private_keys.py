"""GENERATE, IMPORT and GENERAL AUTHENTICATE of the virtual card.

Source: SP 800-73-4 part 2, 3.2.4 and 3.3.2; the PIN rules per slot are those of part 1, table 4b.
"""

from __future__ import annotations

from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cardkit import apdu, tlv
from cardkit.apdu import Command
from cardkit.card import KeyAlgorithm, KeySlot, PinPolicy, PrivateKey, TouchPolicy
from cardkit.errors import TlvMalformed
from cardkit.piv import codes
from cardkit.virtual import management
from cardkit.virtual.chip import Answered, Chip
from cardkit.virtual.keys import (
    CURVES,
    PUBLIC_EXPONENT,
    Unusable,
    public_key_template,
    raw_rsa,
    shared_secret,
    sign_number,
)
from cardkit.virtual.state import StoredKey

# SP 800-73-4 part 1, table 4b: the four keys of the holder and twenty retired ones.
RETIRED: Final = range(0x82, 0x96)
SLOTS: Final = frozenset(
    {slot.reference for slot in KeySlot} | {codes.CARD_AUTHENTICATION_REFERENCE} | {*RETIRED}
)
SLOT_POLICIES: Final = {
    KeySlot.signature.reference: PinPolicy.always,
    codes.CARD_AUTHENTICATION_REFERENCE: PinPolicy.never,
}
ALGORITHMS: Final = {code: algorithm for algorithm, code in codes.ALGORITHM_CODES.items()}
PIN_POLICIES: Final = {code: policy for policy, code in codes.PIN_POLICY_CODES.items()}
TOUCH_POLICIES: Final = {code: policy for policy, code in codes.TOUCH_POLICY_CODES.items()}

_Policy = TypeVar("_Policy", PinPolicy, TouchPolicy)


def generate(chip: Chip, command: Command) -> bytes:
    """Make a key pair and answer its public half."""
    chip.need_management()
    if command.p1 != 0 or command.p2 not in SLOTS:
        raise Answered(apdu.WRONG_P1_P2)
    try:
        wanted = tlv.by_tag(tlv.unwrap(command.data, codes.GENERATE_TEMPLATE))
    except TlvMalformed:
        raise Answered(apdu.WRONG_DATA) from None
    code = wanted.pop(codes.ALGORITHM, b"")
    algorithm = _admitted_algorithm(chip, code[0] if len(code) == 1 else None)
    private_key = chip.key_source(algorithm)
    _store(chip, command.p2, private_key, wanted, was_generated=True)
    return tlv.encode(codes.PUBLIC_KEY, public_key_template(private_key.public_key()))


def import_key(chip: Chip, command: Command) -> bytes:
    """Take a key that was made elsewhere (Yubico's extension); it can never be attested."""
    chip.need_management()
    if command.p2 not in SLOTS | {codes.ATTESTATION_REFERENCE}:
        raise Answered(apdu.WRONG_P1_P2)
    algorithm = _admitted_algorithm(chip, command.p1)
    try:
        values = tlv.by_tag(command.data)
        private_key = _assemble(algorithm, values)
    except (TlvMalformed, ValueError):
        raise Answered(apdu.WRONG_DATA) from None
    policies = {tag: value for tag, value in values.items() if tag in {codes.PIN_POLICY, codes.TOUCH_POLICY}}
    _store(chip, command.p2, private_key, policies, was_generated=False)
    return b""


def general_authenticate(chip: Chip, command: Command) -> bytes:
    """Use a private key, or authenticate with the management key."""
    try:
        values = tlv.by_tag(tlv.unwrap(command.data, codes.DYNAMIC_AUTHENTICATION))
    except TlvMalformed:
        raise Answered(apdu.WRONG_DATA) from None
    if command.p2 == codes.MANAGEMENT_REFERENCE:
        return management.authenticate(chip, command, values)
    key = _usable_key(chip, command)
    _need_pin(chip, key)
    try:
        result = _use(chip, command.p2, key, values)
    except Unusable:
        raise Answered(apdu.WRONG_DATA) from None
    return tlv.encode(codes.DYNAMIC_AUTHENTICATION, tlv.encode(codes.RESPONSE, result))


def _use(chip: Chip, reference: int, key: StoredKey, values: dict[int, bytes]) -> bytes:
    given = {tag: value for tag, value in values.items() if value}
    private_key = key.private_key
    if given.keys() == {codes.CHALLENGE}:
        if isinstance(private_key, rsa.RSAPrivateKey):
            return raw_rsa(private_key, given[codes.CHALLENGE])
        _need_signing_key(chip, reference)
        return sign_number(private_key, given[codes.CHALLENGE])
    if given.keys() == {codes.EXPONENTIATION} and isinstance(private_key, ec.EllipticCurvePrivateKey):
        return shared_secret(private_key, given[codes.EXPONENTIATION])
    raise Unusable


def _need_signing_key(chip: Chip, reference: int) -> None:
    # SP 800-73-4 part 1, 3.2.3: a curve key for key management agrees on secrets and does nothing else.
    if chip.is_strict and reference == KeySlot.confidentiality.reference:
        raise Answered(apdu.CONDITIONS_UNSATISFIED)


def _usable_key(chip: Chip, command: Command) -> StoredKey:
    key = chip.state.keys.get(command.p2) if command.p2 in SLOTS else None
    if key is None or ALGORITHMS.get(command.p1) is not key.algorithm:
        raise Answered(apdu.WRONG_P1_P2)
    return key


def _need_pin(chip: Chip, key: StoredKey) -> None:
    session = chip.session
    was_fresh, session.pin_is_fresh = session.pin_is_fresh, False
    allowed = {PinPolicy.never: True, PinPolicy.once: session.pin_is_verified, PinPolicy.always: was_fresh}
    if not allowed[key.pin_policy]:
        raise Answered(apdu.SECURITY_STATUS_UNSATISFIED)


def _store(
    chip: Chip, reference: int, key: PrivateKey, policies: dict[int, bytes], *, was_generated: bool
) -> None:
    if policies.keys() - {codes.PIN_POLICY, codes.TOUCH_POLICY} or (policies and chip.is_strict):
        raise Answered(apdu.WRONG_DATA)
    pin_policy = _policy(
        PIN_POLICIES, policies.get(codes.PIN_POLICY), SLOT_POLICIES.get(reference, PinPolicy.once)
    )
    touch_policy = _policy(TOUCH_POLICIES, policies.get(codes.TOUCH_POLICY), TouchPolicy.never)
    stored = StoredKey.of(key, pin_policy=pin_policy, touch_policy=touch_policy, was_generated=was_generated)
    chip.commit(chip.state.with_key(reference, stored))


def _policy(known: dict[int, _Policy], given: bytes | None, usual: _Policy) -> _Policy:
    if given is None or given == b"\x00":
        return usual
    if len(given) != 1 or given[0] not in known:
        raise Answered(apdu.WRONG_DATA)
    return known[given[0]]


def _admitted_algorithm(chip: Chip, code: int | None) -> KeyAlgorithm:
    algorithm = None if code is None else ALGORITHMS.get(code)
    if algorithm not in chip.state.algorithms:
        raise Answered(apdu.WRONG_DATA)
    return algorithm


def _assemble(algorithm: KeyAlgorithm, values: dict[int, bytes]) -> PrivateKey:
    """Return the key whose parts are given: 01 … 05 for RSA (p, q, dP, dQ, qInv), 06 for a curve."""
    if algorithm in CURVES:
        return ec.derive_private_key(int.from_bytes(tlv.required(values, 0x06), "big"), CURVES[algorithm])
    p, q, dmp1, dmq1, iqmp = (int.from_bytes(tlv.required(values, tag), "big") for tag in range(1, 6))
    public = rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q)
    private_exponent = rsa.rsa_recover_private_exponent(PUBLIC_EXPONENT, p, q)
    key = rsa.RSAPrivateNumbers(p, q, private_exponent, dmp1, dmq1, iqmp, public).private_key()
    if key.key_size != int(algorithm.value.removeprefix("rsa")):
        raise ValueError("the parts are those of another kind of key")
    return key
