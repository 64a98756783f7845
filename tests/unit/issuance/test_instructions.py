"""What the app is told about the one card it may make: the same when asked again, new for each attempt (ALL-8, CARD-9)."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from cardkit.secrets import ManagementKey, ManagementKeyKind, Pin, Puk, factory_management_key
from zorgid.issuance.instructions import (
    FACTORY_PIN,
    FACTORY_PUK,
    MANAGEMENT_KEY_BYTES,
    agreement_key,
    challenge_text,
    guid_of,
    instructions_for,
)
from zorgid.kernel.secrets import Secret
from zorgid.pki.algorithms import KeyKind
from zorgid.protocol.messages import CardInstructions, IssuanceStep, IssuanceView, decode
from zorgid.stock.model import BlankCard, ManagementKeyAlgorithm, StockState
from zorgid.stock.rules import ALL_KEY_KINDS, KINDS

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
ID = UUID(int=7)
ATTEMPT, OTHER_ATTEMPT = bytes(range(16)), bytes(range(1, 17))
KIND = KINDS["virtual-extended"]
attempts = st.binary(min_size=16, max_size=16)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def derive(master: bytes) -> Callable[[bytes, int], Secret]:
    """A derivation for tests: as far as anybody sees, every label and size has bytes of its own."""

    def derived(info: bytes, size: int) -> Secret:
        return Secret(hmac.digest(master, b"%d:" % size + info, hashlib.sha512)[:size])

    return derived


def setup(master: bytes = b"master", *, key_kind: KeyKind | None = None) -> Any:
    return SimpleNamespace(derive=derive(master), key_kind=key_kind)


def issuance(attempt: bytes | None) -> Any:
    return SimpleNamespace(id=ID, attempt=attempt)


def blank(kind: Any = KIND, serial: str = "30000001") -> BlankCard:
    return BlankCard(
        "CWZJNVV9C", serial, kind, StockState.in_making, is_sold=True, issuance_id=None, alive_at=None
    )


VIEW = IssuanceView(
    issuance_id=str(ID),
    step=IssuanceStep.certificates,
    full_name="Anna de Vries",
    organisation="De Linde",
    expires_at=NOW,
)


def told(attempt: bytes = ATTEMPT, **others: Any) -> CardInstructions:
    given_parts = {"setup": setup(), "blank": blank()}
    parts = {**given_parts, **others}
    return instructions_for(parts["setup"], issuance(attempt), parts["blank"], VIEW)


OF_THE_ATTEMPT = ("management_key", "guid", "challenge", "agreement_key")


@given(attempts)
def test_the_same_attempt_asked_again_gets_the_same_values(attempt: bytes) -> None:
    assert told(attempt) == told(attempt)


@given(attempts, attempts)
def test_another_attempt_gets_other_values(first: bytes, second: bytes) -> None:
    ours, others = told(first), told(second)
    for name in OF_THE_ATTEMPT:
        assert (getattr(ours, name) == getattr(others, name)) is (first == second)


def test_another_card_gets_another_management_key_in_the_same_attempt() -> None:
    assert told().management_key != told(blank=blank(serial="30000002")).management_key


def test_a_serial_and_an_attempt_cannot_be_moved_into_each_other() -> None:
    """Two cards whose serial and attempt are the same signs in a row do not share a key."""
    first = told(b"\x31" + bytes(15), blank=blank(serial="3"))
    second = told(bytes(15), blank=blank(serial="31"))
    assert first.management_key != second.management_key


def test_another_master_key_gives_other_values() -> None:
    ours, others = told(), told(setup=setup(b"other"))
    assert [name for name in OF_THE_ATTEMPT if getattr(ours, name) == getattr(others, name)] == ["challenge"]


def test_everything_that_is_derived_has_its_own_label() -> None:
    labels: list[bytes] = []

    def noting(info: bytes, size: int) -> Secret:
        labels.append(info)
        return derive(b"master")(info, size)

    told(setup=SimpleNamespace(derive=noting, key_kind=None))
    assert len(labels) == len(set(labels)) == 3
    assert all(not a.startswith(b) for a in labels for b in labels if a is not b)


@pytest.mark.parametrize("algorithm", list(ManagementKeyAlgorithm))
def test_management_keys_are_as_long_as_their_algorithm_takes(algorithm: ManagementKeyAlgorithm) -> None:
    kind = ManagementKeyKind(algorithm.value)
    instructions = told(blank=blank(replace(KIND, management_key=algorithm)))
    new, transport = (
        base64.b64decode(text)
        for text in (instructions.management_key, instructions.transport_management_key)
    )
    assert len(new) == MANAGEMENT_KEY_BYTES[algorithm] == kind.key_bytes
    assert ManagementKey(transport, kind) == factory_management_key(kind)
    assert ManagementKey(new, kind) != factory_management_key(kind)
    assert instructions.management_key_kind == kind.value


def test_the_transport_values_are_those_that_a_card_leaves_its_factory_with() -> None:
    instructions = told()
    assert (instructions.transport_pin, instructions.transport_puk) == (FACTORY_PIN, FACTORY_PUK)
    assert Pin(instructions.transport_pin)
    assert Puk(instructions.transport_puk)


def test_every_certificate_request_has_to_name_the_making_and_its_attempt() -> None:
    """CARD-5: a request that was made in another attempt is of no use."""
    assert (
        challenge_text(issuance(ATTEMPT))
        == "00000000-0000-0000-0000-000000000007.000102030405060708090a0b0c0d0e0f"
    )
    assert told().challenge == challenge_text(issuance(ATTEMPT))


@given(attempts)
def test_the_guid_that_is_written_is_the_one_that_is_known_again(attempt: bytes) -> None:
    """CARD-9: a card of an earlier attempt is known by it."""
    guid = guid_of(setup(), attempt)
    assert len(guid) == 16
    assert told(attempt).guid == guid.hex()


@given(attempts)
def test_the_agreement_key_that_is_told_is_the_one_that_the_platform_keeps(attempt: bytes) -> None:
    public = load_der_public_key(decode(told(attempt).agreement_key))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert public.curve.name == "secp256r1"
    assert public.public_numbers() == agreement_key(setup(), attempt).public_key().public_numbers()


@pytest.mark.parametrize(
    ("drawn", "scalar"),
    [
        (0, 1),
        (ORDER - 2, ORDER - 1),
        (ORDER - 1, 1),
        (ORDER, 2),
        (2**320 - 1, (2**320 - 1) % (ORDER - 1) + 1),
    ],
    ids=["smallest", "largest", "wraps round", "the order", "most that can be drawn"],
)
def test_whatever_is_drawn_becomes_a_key_on_the_curve(drawn: int, scalar: int) -> None:
    """FIPS 186-5, A.2.1: the private key lies in [1, n - 1]."""
    fixed = SimpleNamespace(derive=lambda _, size: Secret(drawn.to_bytes(size, "big")))
    key = agreement_key(fixed, ATTEMPT)  # type: ignore[arg-type]
    assert key.private_numbers().private_value == scalar


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("chosen", [None, *ALL_KEY_KINDS])
def test_keys_are_of_the_operators_choice_where_the_card_makes_them(
    kind: Any, chosen: KeyKind | None
) -> None:
    """CARD-7: the rules of the kind's PIN are told with it."""
    instructions = told(setup=setup(key_kind=chosen), blank=blank(kind))
    assert instructions.key_algorithm == (chosen or kind.key_kinds[0])
    assert instructions.attests is kind.attests
    rule = kind.pin_rule
    assert (instructions.pin_shortest, instructions.pin_longest) == (rule.shortest, rule.longest)
    assert instructions.pin_digits_only is rule.digits_only


def test_no_instructions_are_made_without_an_attempt() -> None:
    with pytest.raises(AssertionError):
        instructions_for(setup(), issuance(None), blank(), VIEW)
