"""The steps of a making and what decides between them. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from cryptography.x509 import load_der_x509_certificate

from zorgid.issuance.errors import CardNotBlank, IssuanceOver, NotAtThisStep
from zorgid.issuance.model import Issuance, IssuanceAct, UziCertificate
from zorgid.kernel.ids import OrganisationId
from zorgid.login.model import ProvedCard
from zorgid.protocol.messages import IssuanceStep

ISSUANCE_LASTS: Final = timedelta(hours=24)
PROOF_LASTS: Final = timedelta(minutes=10)
"""How long the new card may take to prove itself after it was asked."""
KEPT_FOR: Final = timedelta(days=2)
"""How long a making that is over still names its person, for questions about what went wrong."""

S = IssuanceStep
A = IssuanceAct
STEPS: Final[Mapping[tuple[IssuanceStep, IssuanceAct], IssuanceStep]] = {
    (S.birth_date, A.state_birth_date): S.blank_card,
    (S.blank_card, A.state_birth_date): S.blank_card,  # stated again after a break; checked again
    (S.blank_card, A.reserve): S.certificates,
    (S.certificates, A.reserve): S.certificates,
    (S.kept, A.reserve): S.certificates,  # the PUK was not kept: start over
    (S.prove, A.reserve): S.certificates,  # the holder gives up on the written card
    (S.certificates, A.certify): S.kept,
    (S.kept, A.certify): S.kept,  # the same keys again get the same certificates
    (S.kept, A.keep): S.prove,
    (S.prove, A.keep): S.prove,
    (S.prove, A.prove): S.done,
    (S.done, A.prove): S.done,
    (S.blank_card, A.abandon): S.blank_card,
    (S.certificates, A.abandon): S.blank_card,
    (S.kept, A.abandon): S.blank_card,
    (S.prove, A.abandon): S.blank_card,
    (S.birth_date, A.fail): S.failed,
    (S.blank_card, A.fail): S.failed,
    (S.certificates, A.fail): S.failed,
    (S.kept, A.fail): S.failed,
    (S.prove, A.fail): S.failed,
}
"""The only ways between the steps; each way that repeats leads where it led before (ALL-8)."""

OVER: Final = frozenset({IssuanceStep.done, IssuanceStep.failed})


def next_step(step: IssuanceStep, act: IssuanceAct) -> IssuanceStep:
    """Return the step after `act`. Raises `NotAtThisStep` for any pair that is not in the table."""
    try:
        return STEPS[step, act]
    except KeyError:
        raise NotAtThisStep(step=step, act=act) from None


def require_open(issuance: Issuance, *, now: datetime) -> Issuance:
    """Return the issuance while it can be gone on with. Raises `IssuanceOver`; the end is exclusive."""
    if issuance.step is IssuanceStep.failed or (
        issuance.step is not IssuanceStep.done and now >= issuance.expires_at
    ):
        raise IssuanceOver
    return issuance


def uzi_certificate(issuance: Issuance) -> UziCertificate:
    """Return which UZI certificate a making was opened with: what names it, and nobody."""
    certificate = load_der_x509_certificate(issuance.proved.certificate_der)
    serial = certificate.serial_number
    return UziCertificate(
        issuer=certificate.issuer.public_bytes(), serial=serial.to_bytes((serial.bit_length() + 7) // 8)
    )


def can_go_on(
    former: Issuance, proved: ProvedCard, *, organisation_id: OrganisationId, now: datetime
) -> bool:
    """Tell whether a fresh proof goes on with an open making: in time, and for the very same certificates.

    A person who was given another number or name meanwhile gets no card with the former one.
    """
    was, now_is = former.proved.means, proved.means
    is_same = (was.uzi_number, was.ura, was.full_name) == (now_is.uzi_number, now_is.ura, now_is.full_name)
    return is_same and now < former.expires_at and former.organisation_id == organisation_id


def require_blank(guid: bytes | None, *, ours: frozenset[bytes]) -> bytes | None:
    """Return the GUID of the card in the reader when it is absent or of an earlier making on this very chip.

    Raises:
        CardNotBlank: it holds somebody's identity; it is not emptied.
    """
    if guid is not None and guid not in ours:
        raise CardNotBlank
    return guid
