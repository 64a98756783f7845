"""New virtual cards: blank ones as they lie in stock, and ones that are like a UZI card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from cardkit.card import KeyAlgorithm, KeySlot, PinPolicy, PrivateKey, TouchPolicy
from cardkit.piv import codes
from cardkit.piv.objects import encode_certificate
from cardkit.secrets import ANY_PUK, ManagementKey, ManagementKeyKind, Pin, Puk, factory_management_key
from cardkit.virtual.attestation import AttestationRoot
from cardkit.virtual.private_keys import SLOT_POLICIES
from cardkit.virtual.state import (
    ATR_NIST,
    ATR_YUBIKEY,
    USUAL_ALGORITHMS,
    CardState,
    Mode,
    Reference,
    StoredKey,
    StoredManagementKey,
)

FIRMWARE: Final = (5, 7, 1)
FACTORY_PIN_TEXT: Final = "123456"
FACTORY_PUK_TEXT: Final = "12345678"


def make_blank_card(
    serial: int,
    *,
    pin: str = FACTORY_PIN_TEXT,
    puk: str = FACTORY_PUK_TEXT,
    management_key: ManagementKey | None = None,
    mode: Mode = Mode.extended,
    atr: bytes | None = None,
    attestation_root: AttestationRoot | None = None,
    algorithms: frozenset[KeyAlgorithm] = USUAL_ALGORITHMS,
) -> CardState:
    """Return a blank card as it lies in stock: transport PIN, PUK and management key, no CHUID, no keys.

    With an `attestation_root` it gets its own attesting key, certified by that root. A reset brings back the
    factory's values, not the transport ones. `atr` follows the mode unless given.
    """
    key = management_key or factory_management_key(ManagementKeyKind.aes192)
    state = CardState(
        mode=mode,
        serial=serial,
        firmware=FIRMWARE,
        atr=atr or (ATR_NIST if mode is Mode.strict else ATR_YUBIKEY),
        pin=Reference(Pin(pin).for_card()),
        puk=Reference(Puk(puk, ANY_PUK).for_card()),
        management_key=StoredManagementKey(key.kind, key.for_card()),
        factory_management_kind=key.kind,
        algorithms=algorithms,
    )
    return state if attestation_root is None else _with_attestation(state, attestation_root)


def make_uzi_like_card(
    serial: int,
    keys: Mapping[KeySlot, tuple[PrivateKey, x509.Certificate]],
    *,
    pin: str,
    puk: str = FACTORY_PUK_TEXT,
    mode: Mode = Mode.strict,
    atr: bytes | None = None,
) -> CardState:
    """Return a finished card with keys and certificates that were made elsewhere, as test UZI cards are.

    Raises:
        PinUnfit: PIN or PUK do not fit such a card.
    """
    state = make_blank_card(serial, pin=pin, puk=puk, mode=mode, atr=atr)
    for slot, (private_key, certificate) in keys.items():
        stored = StoredKey.of(
            private_key,
            pin_policy=SLOT_POLICIES.get(slot.reference, PinPolicy.once),
            touch_policy=TouchPolicy.never,
            was_generated=False,
        )
        state = state.with_key(slot.reference, stored)
        state = state.with_object(codes.CERTIFICATE_OBJECTS[slot], encode_certificate(certificate))
    return state


def _with_attestation(state: CardState, root: AttestationRoot) -> CardState:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = root.issue_card_certificate(key.public_key(), state.serial)
    stored = StoredKey.of(
        key, pin_policy=PinPolicy.never, touch_policy=TouchPolicy.never, was_generated=False
    )
    with_key = state.with_key(codes.ATTESTATION_REFERENCE, stored)
    return with_key.with_object(codes.ATTESTATION_CERTIFICATE_OBJECT, encode_certificate(certificate))


def with_pin_tries(state: CardState, *, pin_tries: int, puk_tries: int) -> CardState:
    """Return the card with other numbers of tries."""
    return replace(
        state,
        pin=Reference(state.pin.value, pin_tries, pin_tries),
        puk=Reference(state.puk.value, puk_tries, puk_tries),
    )
