"""The messages between Desktop App and platform, one class per request and reply.

All travel as JSON in POST bodies under `/desktop/v1`; nothing secret stands in an address. Binary values are
base64. Every request but `attach` names its flow by handle or issuance id and is signed by the app key
(`app_key.py`).
"""

import base64
import binascii
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, Field

from zorgid.protocol.app_key import AppKey
from zorgid.protocol.context import Context, Message
from zorgid.protocol.proof import WebEidToken

API: Final = "/desktop/v1"
"""Where the platform listens for the app; the number goes up when an old app cannot follow any more."""


def _is_base64(text: str) -> str:
    """Return `text` when it is the one base64 of its bytes; the library overlooks some odd endings."""
    try:
        is_exact = encode(base64.b64decode(text, validate=True)) == text
    except binascii.Error:
        is_exact = False
    if not is_exact:
        msg = "not base64"
        raise ValueError(msg)
    return text


Base64 = Annotated[str, AfterValidator(_is_base64), Field(max_length=20_000)]
HandleText = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$", repr=False)]
IssuanceText = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
SerialText = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{1,32}$")]


def encode(data: bytes) -> str:
    """Return `data` as base64 text for a message."""
    return base64.b64encode(data).decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of a message's base64 text, which the message has checked."""
    return base64.b64decode(text, validate=True)


class TransactionState(StrEnum):
    """How far a login transaction has come (the ways between them stand in `login/rules.py`)."""

    new = "new"
    attached = "attached"
    proved = "proved"
    completed = "completed"
    cancelled = "cancelled"
    aborted = "aborted"
    expired = "expired"


class IssuanceStep(StrEnum):
    """What the making of a card waits for."""

    birth_date = "birth-date"
    blank_card = "blank-card"
    certificates = "certificates"
    kept = "kept"
    prove = "prove"
    done = "done"
    failed = "failed"


class KeyUsage(StrEnum):
    """The three keys of a Smartcard (PIV slots 9A, 9C and 9D)."""

    authentication = "authentication"
    signature = "signature"
    confidentiality = "confidentiality"


class AttachRequest(Message):
    """The app says hello: from now on only its key may go on with this transaction."""

    handle: HandleText
    app_key: AppKey
    app_version: str = Field(max_length=40, pattern=r"^[0-9A-Za-z.+-]+$")


class AttachReply(Message):
    """What to show and what to sign."""

    challenge: Base64
    context: Context


class ProveRequest(Message):
    """The card's proof for the context that was shown."""

    handle: HandleText
    token: WebEidToken


class ProveReply(Message):
    """The proof is good; nothing has taken effect yet.

    The code goes to the browser that began, and nowhere else.
    """

    completion_code: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$", repr=False)
    full_name: str


class HandleRequest(Message):
    """Cancels a transaction, opens the making that its proof allows, or asks after or ends its session."""

    handle: HandleText


class StateRequest(Message):
    """Asks how far a transaction is. The platform holds the answer back while the state is still `seen`."""

    handle: HandleText
    seen: TransactionState | None = None


class StateReply(Message):
    """How far the transaction is."""

    state: TransactionState


class SessionState(StrEnum):
    """Whether the session that a login made is still alive."""

    alive = "alive"
    ended = "ended"


class SessionReply(Message):
    """The session of a completed login, and in how many seconds the app may ask again while it is alive."""

    state: SessionState
    ask_again_after_seconds: int = Field(ge=1, le=3600)


class IssuanceRequest(Message):
    """A request of the making that needs no more than its id."""

    issuance_id: IssuanceText


class IssuanceView(Message):
    """The state of a making, as the app shows it."""

    issuance_id: IssuanceText
    step: IssuanceStep
    full_name: str
    organisation: str
    card_number: str | None = None
    chip_serial: str | None = None
    valid_until: AwareDatetime | None = None
    expires_at: AwareDatetime


class BirthDateRequest(Message):
    """The birth date as typed."""

    issuance_id: IssuanceText
    birth_on: date


class BlankCardRequest(Message):
    """The card that lies in the reader: its chip serial, and the GUID of its CHUID when it has one."""

    issuance_id: IssuanceText
    chip_serial: SerialText
    guid: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None


class CardInstructions(Message):
    """All that the app needs to make this one card.

    The transport values belong to the kind, the rest to this making.
    """

    view: IssuanceView
    pin_shortest: int
    pin_longest: int
    pin_digits_only: bool
    key_algorithm: str
    management_key_kind: str
    transport_pin: str = Field(repr=False)
    transport_puk: str = Field(repr=False)
    transport_management_key: Base64 = Field(repr=False)
    management_key: Base64 = Field(repr=False)
    guid: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    may_reset: bool
    """True when the card may be emptied first: it is in making for this issuance and nobody else's."""
    attests: bool
    challenge: str
    """Text that every certificate request carries (issuance id and nonce)."""
    agreement_key: Base64
    """The platform's public key (SubjectPublicKeyInfo, P-256) for showing possession of an EC key in 9D."""


class KeyOffer(Message):
    """One key made on the card: a signed request, or a public key with proof of agreement (EC in 9D)."""

    usage: KeyUsage
    request: Base64 | None = None
    public_key: Base64 | None = None
    agreement_proof: Base64 | None = None
    attestation: Base64 | None = None
    attestation_issuer: Base64 | None = None


class CertificatesRequest(Message):
    """The three keys, in the order of `KeyUsage`."""

    issuance_id: IssuanceText
    keys: tuple[KeyOffer, KeyOffer, KeyOffer]


class CertificatesReply(Message):
    """The three certificates, on hold until the card has proved itself, and the chain above them."""

    certificates: dict[KeyUsage, Base64]
    chain: tuple[Base64, ...]
    valid_until: AwareDatetime


class ProofTask(Message):
    """What the new card must show: a signature by each signing key and a use of the confidentiality key."""

    challenge: Base64
    context: Context
    confidentiality_test: Base64
    """RSA: a ciphertext (PKCS #1 v1.5); EC: the platform's public key for the agreement."""


class NewCardProof(Message):
    """The answers of the new card."""

    issuance_id: IssuanceText
    token: WebEidToken
    signature_by_signature_key: Base64
    confidentiality_answer: Base64


class AbandonRequest(Message):
    """The app gives the card up: it was emptied, or it could not be."""

    issuance_id: IssuanceText
    was_reset: bool


class Problem(Message):
    """A refusal as the app receives it (RFC 9457), with the sentence in the language that was asked for."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    next_step: str
    facts: dict[str, str | int]
    reference: str
