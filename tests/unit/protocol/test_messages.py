"""The messages between app and platform: exactly their fields, each within its limits, whole after a journey (ALL-2)."""

import base64
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from zorgid.protocol import messages
from zorgid.protocol.context import Context, MeansUsed, Message, Purpose
from zorgid.protocol.messages import (
    AbandonRequest,
    AttachReply,
    AttachRequest,
    BirthDateRequest,
    BlankCardRequest,
    CardInstructions,
    CertificatesReply,
    CertificatesRequest,
    HandleRequest,
    IssuanceRequest,
    IssuanceView,
    KeyOffer,
    NewCardProof,
    Problem,
    ProofTask,
    ProveReply,
    ProveRequest,
    SessionReply,
    StateReply,
    StateRequest,
    decode,
    encode,
)

HANDLE = "AAECAwQFBgcICQoLDA0ODw"
ISSUANCE = "0123abcd-4567-89ef-0123-456789abcdef"
LATER = "2026-06-15T10:05:00Z"
APP_KEY = {"x": "A" * 43, "y": "B" * 43}
TOKEN = {
    "format": "web-eid:1.0",
    "unverifiedCertificate": "AAAA",
    "algorithm": "ES256",
    "signature": "AAAA",
    "appVersion": "0.1.0",
}
CONTEXT: dict[str, Any] = {
    "origin": "https://id.example",
    "care_application": "Demo-HIS",
    "purpose": "login",
    "accepts": ["uzi-card", "smartcard"],
    "expires_at": LATER,
    "app_key": "A" * 43,
}
VIEW = {
    "issuance_id": ISSUANCE,
    "step": "blank-card",
    "full_name": "Anna de Vries",
    "organisation": "De Linde",
    "expires_at": LATER,
}
OFFER = {"usage": "signature", "request": "AAAA"}
MESSAGES: Final[dict[type[Message], dict[str, Any]]] = {
    AttachRequest: {"handle": HANDLE, "app_key": APP_KEY, "app_version": "0.1.0+demo-1"},
    AttachReply: {"challenge": "AAAA", "context": CONTEXT},
    ProveRequest: {"handle": HANDLE, "token": TOKEN},
    ProveReply: {"completion_code": "A" * 43, "full_name": "Anna de Vries"},
    HandleRequest: {"handle": HANDLE},
    StateRequest: {"handle": HANDLE, "seen": "proved"},
    StateReply: {"state": "completed"},
    SessionReply: {"state": "alive", "ask_again_after_seconds": 120},
    IssuanceRequest: {"issuance_id": ISSUANCE},
    IssuanceView: VIEW,
    BirthDateRequest: {"issuance_id": ISSUANCE, "birth_on": "1980-03-31"},
    BlankCardRequest: {"issuance_id": ISSUANCE, "chip_serial": "30000001", "guid": "0f" * 16},
    CardInstructions: {
        "view": VIEW,
        "pin_shortest": 6,
        "pin_longest": 8,
        "pin_digits_only": False,
        "key_algorithm": "rsa2048",
        "management_key_kind": "aes192",
        "transport_pin": "123456",
        "transport_puk": "12345678",
        "transport_management_key": "AAAA",
        "management_key": "AAAA",
        "guid": "0f" * 16,
        "may_reset": True,
        "attests": True,
        "challenge": f"{ISSUANCE}.00",
        "agreement_key": "AAAA",
    },
    KeyOffer: OFFER,
    CertificatesRequest: {"issuance_id": ISSUANCE, "keys": [OFFER, OFFER, OFFER]},
    CertificatesReply: {"certificates": {"signature": "AAAA"}, "chain": ["AAAA"], "valid_until": LATER},
    ProofTask: {"challenge": "AAAA", "context": CONTEXT, "confidentiality_test": "AAAA"},
    NewCardProof: {
        "issuance_id": ISSUANCE,
        "token": TOKEN,
        "signature_by_signature_key": "AAAA",
        "confidentiality_answer": "AAAA",
    },
    AbandonRequest: {"issuance_id": ISSUANCE, "was_reset": True},
    Problem: {
        "type": "about:blank",
        "title": "Verlopen",
        "status": 410,
        "code": "login-expired",
        "detail": "Te laat.",
        "next_step": "Begin opnieuw.",
        "facts": {"minutes": 5},
        "reference": "A1B2",
    },
}
each_message = pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)


def test_no_message_is_left_without_a_test() -> None:
    here = {
        kind
        for kind in vars(messages).values()
        if isinstance(kind, type) and issubclass(kind, Message) and kind.__module__ == messages.__name__
    }
    assert set(MESSAGES) == here


@each_message
def test_a_message_is_the_same_after_its_journey(kind: type[Message]) -> None:
    message = kind.model_validate(MESSAGES[kind])
    assert kind.model_validate_json(message.model_dump_json()) == message


@each_message
def test_a_message_with_an_unknown_field_is_refused(kind: type[Message]) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate({**MESSAGES[kind], "more": None})
    assert [error["type"] for error in refused.value.errors()] == ["extra_forbidden"]


NESTED: dict[str, tuple[type[Message], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "token": (ProveRequest, lambda more: {"token": {**TOKEN, **more}}),
    "app key": (AttachRequest, lambda more: {"app_key": {**APP_KEY, **more}}),
    "context": (AttachReply, lambda more: {"context": {**CONTEXT, **more}}),
    "key": (CertificatesRequest, lambda more: {"keys": [OFFER, OFFER, {**OFFER, **more}]}),
    "view": (CardInstructions, lambda more: {"view": {**VIEW, **more}}),
}


@pytest.mark.parametrize("part", NESTED)
def test_an_unknown_field_in_a_part_of_a_message_is_refused(part: str) -> None:
    kind, put_in = NESTED[part]
    assert kind.model_validate({**MESSAGES[kind], **put_in({})})
    with pytest.raises(ValidationError):
        kind.model_validate({**MESSAGES[kind], **put_in({"more": 1})})


@each_message
def test_a_message_without_one_of_its_fields_is_refused(kind: type[Message]) -> None:
    needed = [name for name, field in kind.model_fields.items() if field.is_required()]
    assert needed
    for name in needed:
        with pytest.raises(ValidationError):
            kind.model_validate({key: value for key, value in MESSAGES[kind].items() if key != name})


@each_message
def test_a_message_is_not_changed_once_it_is_there(kind: type[Message]) -> None:
    message = kind.model_validate(MESSAGES[kind])
    with pytest.raises(ValidationError):
        setattr(message, next(iter(kind.model_fields)), None)


ODD: list[tuple[str, type[Message], dict[str, Any]]] = [
    ("handle too short", HandleRequest, {"handle": HANDLE[:-1]}),
    ("handle too long", HandleRequest, {"handle": HANDLE + "A"}),
    ("handle with padding", HandleRequest, {"handle": HANDLE[:-1] + "="}),
    ("handle in plain base64", HandleRequest, {"handle": HANDLE[:-1] + "/"}),
    ("handle with a line end", HandleRequest, {"handle": HANDLE + "\n"}),
    ("handle that is a number", HandleRequest, {"handle": 1234567890123456789012}),
    ("making in capitals", IssuanceRequest, {"issuance_id": ISSUANCE.upper()}),
    ("making in braces", IssuanceRequest, {"issuance_id": "{" + ISSUANCE + "}"}),
    ("making without hyphens", IssuanceRequest, {"issuance_id": ISSUANCE.replace("-", "")}),
    ("making with a line end", IssuanceRequest, {"issuance_id": ISSUANCE + "\n"}),
    ("empty serial", BlankCardRequest, {"chip_serial": ""}),
    ("serial of 33 signs", BlankCardRequest, {"chip_serial": "1" * 33}),
    ("serial with a blank", BlankCardRequest, {"chip_serial": "30 01"}),
    ("GUID in capitals", BlankCardRequest, {"guid": "0F" * 16}),
    ("GUID of 17 bytes", BlankCardRequest, {"guid": "0f" * 17}),
    ("birth date that does not exist", BirthDateRequest, {"birth_on": "1979-02-29"}),
    ("birth date in another order", BirthDateRequest, {"birth_on": "31-03-1980"}),
    ("state that does not exist", StateRequest, {"seen": "finished"}),
    ("version of 41 signs", AttachRequest, {"app_version": "1" * 41}),
    ("version with a blank", AttachRequest, {"app_version": "0.1 beta"}),
    ("empty version", AttachRequest, {"app_version": ""}),
    ("coordinate of 42 signs", AttachRequest, {"app_key": {**APP_KEY, "x": "A" * 42}}),
    ("coordinate in plain base64", AttachRequest, {"app_key": {**APP_KEY, "y": "+" * 43}}),
    ("two keys", CertificatesRequest, {"keys": [OFFER, OFFER]}),
    ("four keys", CertificatesRequest, {"keys": [OFFER] * 4}),
    ("key for something else", KeyOffer, {"usage": "attestation"}),
    ("certificate for something else", CertificatesReply, {"certificates": {"attestation": "AAAA"}}),
    ("completion code of 42 signs", ProveReply, {"completion_code": "A" * 42}),
    ("act hash of 63 digits", AttachReply, {"context": {**CONTEXT, "act_sha256": "0" * 63}}),
    ("end without time zone", IssuanceView, {"expires_at": "2026-06-15T10:05:00"}),
    ("token of another format", ProveRequest, {"token": {**TOKEN, "format": "web-eid:1.1"}}),
    ("token with another algorithm", ProveRequest, {"token": {**TOKEN, "algorithm": "PS256"}}),
]


@pytest.mark.parametrize(("kind", "change"), [pytest.param(*odd[1:], id=odd[0]) for odd in ODD])
def test_a_field_outside_its_form_is_refused(kind: type[Message], change: dict[str, Any]) -> None:
    assert kind.model_validate(MESSAGES[kind])
    with pytest.raises(ValidationError):
        kind.model_validate({**MESSAGES[kind], **change})


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAA",
        "AA=A",
        "AAAA=",
        "AAA=\n",
        "AA AA",
        "AAA-",
        "AAA_",
        "ÄÄÄÄ",
        "\N{FULLWIDTH LATIN CAPITAL LETTER A}AAA",
    ],
)
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        KeyOffer.model_validate({**OFFER, "request": text})


def test_base64_has_twenty_thousand_signs_at_most() -> None:
    assert KeyOffer.model_validate({**OFFER, "request": "A" * 20_000}).request
    with pytest.raises(ValidationError):
        KeyOffer.model_validate({**OFFER, "request": "A" * 20_004})


@given(st.binary(max_size=300))
def test_bytes_come_out_of_a_message_as_they_went_in(data: bytes) -> None:
    offer = KeyOffer.model_validate({**OFFER, "request": encode(data)})
    assert offer.request == base64.b64encode(data).decode()
    assert decode(offer.request or "") == data


def test_the_enumerations_of_a_context_have_the_texts_of_the_protocol() -> None:
    context = Context.model_validate(CONTEXT)
    assert context.purpose is Purpose.login
    assert context.accepts == (MeansUsed.uzi_card, MeansUsed.smartcard)


SECRET_KEY = "c2VjcmV0IGtleQ=="
SECRETS: dict[type[Message], dict[str, str]] = {
    **{kind: {"handle": HANDLE} for kind in (AttachRequest, ProveRequest, HandleRequest, StateRequest)},
    ProveReply: {"completion_code": "Q" * 43},
    CardInstructions: {
        "transport_pin": "135790",
        "transport_puk": "24682468",
        "transport_management_key": SECRET_KEY,
        "management_key": SECRET_KEY,
    },
}
each_secret = pytest.mark.parametrize(
    ("kind", "name", "secret"),
    [
        pytest.param(kind, name, secret, id=f"{kind.__name__}.{name}")
        for kind, secrets in SECRETS.items()
        for name, secret in secrets.items()
    ],
)


@each_secret
def test_a_printed_message_shows_no_secret(kind: type[Message], name: str, secret: str) -> None:
    """ALL-4."""
    message = kind.model_validate({**MESSAGES[kind], name: secret})
    assert getattr(message, name) == secret
    assert secret not in f"{message!r} {message!s}"


@each_secret
def test_what_is_wrong_with_a_message_is_said_without_what_is_in_it(
    kind: type[Message], name: str, secret: str
) -> None:
    """ALL-4."""
    with pytest.raises(ValidationError) as refused:
        kind.model_validate({**MESSAGES[kind], name: [secret]})
    assert secret not in str(refused.value)
