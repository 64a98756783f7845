"""What other rooms call: issue the certificates of a card, look them up, change and ask their status.

Issuing goes in two steps. `intend_certificates` builds and checks what will be signed and writes it down
within the caller's work. When that is committed, `sign_intents` publishes a CRL that has it on hold, takes
the one right to sign it, signs exactly that, and records it. Whatever dies in between leaves nothing that
is good.
"""

from collections.abc import Mapping, Sequence

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Event, Outcome, Subject
from zorgid.ca import status_store, store
from zorgid.ca.errors import CertificateUnknown, IntentSpent, KeyAlreadySeen
from zorgid.ca.keys import KeyProvider
from zorgid.ca.model import (
    Authority,
    CertificateStatus,
    Intent,
    IssuedCertificate,
)
from zorgid.ca.publication import current_crl, publish_changes, publish_crl
from zorgid.ca.signing import require_key_of, sign_prepared
from zorgid.ca.status import set_status_for_card, status_at, status_history, sweep_intents
from zorgid.kernel.ids import CardId
from zorgid.pki.algorithms import PublicKey, key_fingerprint
from zorgid.pki.crl import RevocationReason, encode_entry
from zorgid.pki.prepare import CardHolder, Prepared, Validity, new_serial, prepare_card_certificate
from zorgid.pki.profiles import Profile
from zorgid.storage.database import Database, Origin, Work

__all__ = [
    "certificates_of_card",
    "current_crl",
    "has_intents",
    "intend_certificates",
    "issued_certificate",
    "publish_changes",
    "publish_crl",
    "see_key",
    "set_status_for_card",
    "sign_intents",
    "status_at",
    "status_history",
    "sweep_intents",
]


async def intend_certificates(
    work: Work,
    *,
    authority: Authority,
    card_id: CardId,
    holder: CardHolder,
    public_keys: Mapping[Profile, PublicKey],
    validity: Validity,
    is_attested: bool,
) -> Sequence[Intent]:
    """Prepare one certificate for each public key and write down what will be signed; nothing is signed yet.

    Call it inside the work that allows the making; commit, then call `sign_intents`. Called again with the
    same keys for the same card it returns the same intents, so that a making can go on after a crash.

    Raises:
        KeyAlreadySeen: one of the keys served before, or two of them are the same.
        PreparedUnfit: what was built breaks a rule of its profile.
    """
    hashes = {profile: key_fingerprint(key) for profile, key in public_keys.items()}
    if repeated := await store.living_intents(work, card_id, authority.name, hashes):
        return repeated
    if await store.see_keys(work, list(hashes.values())) != len(public_keys):
        raise KeyAlreadySeen
    intents = [
        Intent(
            card_id,
            authority.name,
            prepare_card_certificate(
                profile,
                issuer=authority.issuer,
                holder=holder,
                public_key=public_key,
                serial=new_serial(work.random),
                validity=validity,
                attested=is_attested,
            ),
        )
        for profile, public_key in public_keys.items()
    ]
    for intent in intents:
        await _write_intent(work, intent, validity)
    return intents


async def _write_intent(work: Work, intent: Intent, validity: Validity) -> None:
    entry = encode_entry(intent.serial, work.now, RevocationReason.certificate_hold)
    await store.add_intent(work, intent, (validity.not_before, validity.not_after), entry)
    listed = status_store.Listed(intent.serial, intent.authority)
    await status_store.add_history(work, listed, CertificateStatus.on_hold, RevocationReason.certificate_hold)
    facts = {
        "card_id": intent.card_id,
        "profile": intent.prepared.profile,
        "tbs_sha256": intent.prepared.tbs_sha256.hex(),
        "public_key_sha256": intent.prepared.public_key_sha256.hex(),
    }
    subject = Subject("certificate", f"{intent.serial:x}")
    await record(
        work, event=Event.certificate_intended, by=SYSTEM, on=subject, outcome=Outcome.begun, facts=facts
    )


async def sign_intents(
    database: Database, keys: KeyProvider, authority: Authority, intents: Sequence[Intent], origin: Origin
) -> Sequence[IssuedCertificate]:
    """Sign what was intended, each intent exactly once; return the certificates in the same order.

    They are on hold, and a CRL that says so is published before the key is used. Call it outside a work,
    after the intents were committed. Called again for what was signed already it returns the same
    certificates.

    Raises:
        IntentSpent: an earlier call began to sign and its outcome is not known, or the intents were revoked.
    """
    serials = [intent.serial for intent in intents]
    require_key_of(authority.certificate, keys, authority.key_name)
    await publish_changes(database, keys, authority, origin)
    async with database.work(origin) as work:
        claimed = await store.claim_intents(work, serials)
    for prepared in claimed:
        await _sign_one(database, keys, authority, prepared, origin)
    async with database.work(origin) as work:
        issued = await store.issued_by_serial(work, serials)
    if len(issued) != len(serials) or any(one.status is CertificateStatus.revoked for one in issued):
        raise IntentSpent
    return issued


async def _sign_one(
    database: Database, keys: KeyProvider, authority: Authority, prepared: Prepared, origin: Origin
) -> None:
    der = await sign_prepared(prepared, keys, authority.key_name)
    async with database.work(origin) as work:
        await store.record_issued(work, prepared.serial, der)
        subject = Subject("certificate", f"{prepared.serial:x}")
        facts = {"profile": prepared.profile}
        await record(work, event=Event.certificate_signed, by=SYSTEM, on=subject, facts=facts)


async def see_key(work: Work, public_key: PublicKey) -> None:
    """Remember a key that must never get a certificate of ours, such as that of a UZI card.

    It may be seen again.
    """
    await store.see_keys(work, [key_fingerprint(public_key)])


async def certificates_of_card(work: Work, card_id: CardId) -> Sequence[IssuedCertificate]:
    """Return the certificates of a card, those of the latest making first."""
    return await store.issued_of_card(work, card_id)


async def has_intents(work: Work, card_id: CardId) -> bool:
    """Tell whether a certificate was ever intended for a card; then its making goes on with no other keys."""
    return await store.has_intents(work, card_id)


async def issued_certificate(work: Work, *, fingerprint_sha256: bytes) -> IssuedCertificate:
    """Return the certificate whose DER has this SHA-256, with its present status.

    Raises:
        CertificateUnknown: no authority here issued it.
    """
    found = await store.issued_by_fingerprint(work, fingerprint_sha256)
    if found is None:
        raise CertificateUnknown
    return found
