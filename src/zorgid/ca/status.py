"""Changes and answers the status of certificates. When a card is good is decided by `cards`; here it is told.

Each change is kept, so that it can be said what held at the time of a signature; the CRL entry is encoded
at the change, once; other nodes hear of it at the commit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Event, Subject
from zorgid.ca import status_store
from zorgid.ca.errors import CertificateUnknown
from zorgid.ca.model import CertificateStatus, StatusChange
from zorgid.ca.status_store import Listed
from zorgid.kernel.ids import CardId
from zorgid.outbox.actions import emit
from zorgid.pki.crl import RevocationReason, encode_entry
from zorgid.storage.database import Work

CHANNEL: Final = "certificate_status"
"""Tells the nodes which certificates changed: serials in hexadecimal with commas between them."""

CHANGED: Final = "certificates-changed"
"""The event after which a CRL is published; its fact `authority` says whose."""

SERIALS_PER_NOTICE: Final = 100
"""A notification holds less than 8,000 bytes."""

OUTCOME_DUE_WITHIN: Final = timedelta(minutes=15)
"""How long an intent may be without outcome before the sweep revokes it; signing takes seconds."""


async def set_status_for_card(
    work: Work, *, card_id: CardId, status: CertificateStatus, reason: RevocationReason | None = None
) -> None:
    """Give all certificates of a card a status, within the work that changes the card (LIFE-3).

    What was revoked stays revoked, and an intent never becomes good. `reason` counts for a revocation only.
    """
    listed = await status_store.changeable_of_card(work, card_id, status)
    await _change(work, listed, status, reason)
    if listed:
        subject = Subject("card", str(card_id))
        facts = {"certificates": len(listed), "reason": _reason(status, reason)}
        await record(
            work, event=Event.certificate_status_changed, by=SYSTEM, on=subject, becomes=status, facts=facts
        )


async def sweep_intents(work: Work) -> int:
    """Revoke the intents whose making broke off, and return how many there were.

    Their key may have been used just before the end; what it made must never count.
    """
    listed = await status_store.unfinished_before(work, work.now - OUTCOME_DUE_WITHIN)
    await _change(work, listed, CertificateStatus.revoked, RevocationReason.cessation_of_operation)
    for one in listed:
        await record(
            work,
            event=Event.certificate_status_changed,
            by=SYSTEM,
            on=Subject("certificate", f"{one.serial:x}"),
            becomes=CertificateStatus.revoked,
            facts={"reason": "no-outcome"},
        )
    return len(listed)


async def status_at(work: Work, *, serial: int, at: datetime) -> StatusChange:
    """Return the status that a certificate had at a moment, for checks of a signature's time.

    A change counts from the moment it was made, inclusive.

    Raises:
        CertificateUnknown: there was no such certificate at that moment.
    """
    found = await status_store.status_then(work, serial, at)
    if found is None:
        raise CertificateUnknown
    return found


async def status_history(work: Work, *, serial: int) -> Sequence[StatusChange]:
    """Return every status that a certificate had, the first one first; empty for an unknown one."""
    return await status_store.history_of(work, serial)


async def _change(
    work: Work, listed: Sequence[Listed], status: CertificateStatus, reason: RevocationReason | None
) -> None:
    why = _reason(status, reason)
    for one in listed:
        entry = None if why is None else encode_entry(one.serial, work.now, why)
        await status_store.write_status(work, one, status, why, entry)
    for start in range(0, len(listed), SERIALS_PER_NOTICE):
        await work.notify(
            CHANNEL, ",".join(f"{one.serial:x}" for one in listed[start : start + SERIALS_PER_NOTICE])
        )
    for authority in sorted({one.authority for one in listed}):
        await emit(work, CHANGED, {"authority": authority})


def _reason(status: CertificateStatus, reason: RevocationReason | None) -> RevocationReason | None:
    """Return the reason that stands in the CRL; None for a certificate that does not stand there."""
    match status:
        case CertificateStatus.good:
            return None
        case CertificateStatus.on_hold:
            return RevocationReason.certificate_hold
        case _ if reason is RevocationReason.certificate_hold:
            return RevocationReason.unspecified
        case _:
            return reason or RevocationReason.unspecified
