"""Looks at every part that the platform stands on, and says of each whether it holds and what to do when not.

Every look is by itself: one broken part hides no other. Nothing is mended here, and nothing secret is shown.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from zorgid.attestation_roots import read_attestation_roots
from zorgid.ca.hierarchy import load_hierarchy
from zorgid.ca.keys import KeyKind, KeyProvider
from zorgid.ca.model import Places
from zorgid.ca.publication import current_crl
from zorgid.judgements import Finding, Verdict, names_host, of_certificate, of_clock, of_version
from zorgid.kernel.clock import Clock, system_clock
from zorgid.kernel.errors import Fault
from zorgid.opening import (
    PLATFORM_KEYS,
    open_database,
    open_made_keys,
    origin_of_command,
    require_platform_keys,
)
from zorgid.outbox.actions import failed_events
from zorgid.settings import Settings
from zorgid.storage.database import Database
from zorgid.storage.embedded import EmbeddedPostgres
from zorgid.storage.migrate import pending
from zorgid.trust.folder import load_trust_bundle
from zorgid.trust.model import TrustBundle

CONNECT_WITHIN_SECONDS: Final = 5


@dataclass(frozen=True)
class Patient:
    """What the looks share; what could not be opened is None."""

    settings: Settings
    clock: Clock
    url: str | None
    keys: KeyProvider | None
    database: Database | None
    trust: TrustBundle | None


Look = Callable[[Patient], Awaitable[Iterable[Finding]]]


async def examine(
    settings: Settings, *, clock: Clock = system_clock, trust: TrustBundle | None = None
) -> Sequence[Finding]:
    """Return what was found of every part, in a fixed order.

    `trust` is what an environment brings along in place of its trust folder.
    """
    keys, of_keys = await asyncio.to_thread(look_at_keys, settings)
    findings = [*of_keys]
    async with _address(settings) as url, _database(settings, url, keys) as database:
        patient = Patient(settings, clock, url, keys, database, trust)
        for look in LOOKS:
            findings += await look(patient)
    return findings


@asynccontextmanager
async def _address(settings: Settings) -> AsyncIterator[str | None]:
    """Give the address of the database; the embedded one runs while the block does, when it was ever made."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    if not settings.database_in.exists():
        yield None
        return
    embedded = EmbeddedPostgres(settings.database_in)
    try:
        url: str | None = await asyncio.to_thread(embedded.start)
    except Fault:
        url = None
    try:
        yield url
    finally:
        if url is not None:
            await asyncio.to_thread(embedded.stop)


@asynccontextmanager
async def _database(
    settings: Settings, url: str | None, keys: KeyProvider | None
) -> AsyncIterator[Database | None]:
    """Give the open database, when it and the keys can be opened and nothing of its tables is missing."""
    if url is None or keys is None:
        yield None
        return
    try:
        if await asyncio.to_thread(pending, url):
            yield None
            return
    except (psycopg.Error, Fault):
        yield None
        return
    async with open_database(settings, url, keys) as database:
        yield database


async def look_at_database(patient: Patient) -> Iterable[Finding]:
    """Whether the database answers, and is new enough."""
    part = "database"
    if patient.url is None:
        where = patient.settings.database_in
        return [Finding(part, Verdict.broken, f"no database runs in {where}", "run `zorgid migrate`")]
    try:
        connection = await psycopg.AsyncConnection.connect(
            patient.url, autocommit=True, connect_timeout=CONNECT_WITHIN_SECONDS
        )
    except psycopg.Error as error:
        remedy = "start the server, and check ZORGID_DATABASE_URL, the network and the role"
        return [Finding(part, Verdict.broken, f"cannot be reached ({type(error).__name__})", remedy)]
    async with connection:
        version = connection.info.server_version
        cursor = await connection.execute("select clock_timestamp()")
        row = await cursor.fetchone()
    assert row is not None
    return [of_version(version), of_clock(patient.clock(), row[0])]


async def look_at_migrations(patient: Patient) -> Iterable[Finding]:
    """Whether the tables are those of this version."""
    if patient.url is None:
        return []
    try:
        missing = await asyncio.to_thread(pending, patient.url)
    except psycopg.Error:
        return []  # the look at the database has said it
    except Fault as fault:
        return [Finding("migrations", Verdict.broken, str(fault), "run the version that made this database")]
    if missing:
        says = f"{len(missing)} not done yet, the first is {missing[0]}"
        return [Finding("migrations", Verdict.broken, says, "run `zorgid migrate`")]
    return [Finding("migrations", Verdict.sound, "all done")]


def look_at_keys(settings: Settings) -> tuple[KeyProvider | None, Sequence[Finding]]:
    """Return the home of the keys when it opens, and what was found of it."""
    part = "keys"
    try:
        keys = open_made_keys(settings)
        require_platform_keys(keys)
        for name, kind in PLATFORM_KEYS.items():
            keys.mac(name, b"doctor") if kind is KeyKind.secret else keys.public_key(name)
    except Fault as fault:
        remedy = f"check {settings.keys_in} and the passphrase; on a new platform run `zorgid ca init`"
        return None, [Finding(part, Verdict.broken, str(fault), remedy)]
    except OSError as error:
        says = f"{settings.keys_in} cannot be used: {error.strerror}"
        return None, [Finding(part, Verdict.broken, says, "let the user of the platform own the folder")]
    return keys, [Finding(part, Verdict.sound, f"{len(keys.names())} keys, readable")]


async def look_at_authorities(patient: Patient) -> Iterable[Finding]:
    """Whether the authorities are there and their CRLs fresh."""
    part, database = "authorities", patient.database
    if database is None:
        return []
    origin = origin_of_command(patient.settings, "doctor")
    try:
        hierarchy = await load_hierarchy(database, Places(patient.settings.pki_origin), origin)
    except Fault as fault:
        return [Finding(part, Verdict.broken, str(fault), "run `zorgid ca init`")]
    findings = [of_certificate(part, one.certificate, patient.clock()) for one in hierarchy.all]
    for authority in hierarchy.all:
        try:
            async with database.work(origin) as work:
                until = (await current_crl(work, authority.name)).next_update
        except Fault as fault:
            findings.append(Finding("CRL", Verdict.broken, str(fault), "run `zorgid crl publish`"))
            continue
        if until <= patient.clock():
            says = f"that of {authority.name} ended at {until:%Y-%m-%d %H:%M} UTC"
            findings.append(
                Finding("CRL", Verdict.broken, says, "start a worker, or run `zorgid crl publish`")
            )
    return findings or [Finding(part, Verdict.sound, "there")]


async def look_at_trust(patient: Patient) -> Iterable[Finding]:
    """Whether UZI cards can be recognised, and cards can prove where their keys were made."""
    part, settings = "trust store", patient.settings
    folder = settings.trust_folder or settings.data_folder / "trust"
    try:
        bundle = patient.trust or load_trust_bundle(folder, accepts_test=settings.allows_stand_ins)
        read_attestation_roots(folder, allows_stand_ins=settings.allows_stand_ins)
    except Fault as fault:
        return [Finding(part, Verdict.broken, str(fault), f"put the UZI register's certificates in {folder}")]
    store = bundle.store
    judged = [of_certificate(part, one, patient.clock()) for one in (*store.roots, *store.intermediates)]
    return [one for one in judged if one.verdict is not Verdict.sound] or [
        Finding(part, Verdict.sound, f"{len(store.issuers)} issuers pinned")
    ]


async def look_at_stand_ins(patient: Patient) -> Iterable[Finding]:
    """Whether something pretends."""
    settings = patient.settings
    names = [patient.keys.description] if patient.keys and patient.keys.is_stand_in else []
    if patient.trust or settings.allows_stand_ins:
        names.append("test cards of the UZI register are accepted")
    if not names:
        return [Finding("stand-ins", Verdict.sound, "none")]
    if settings.allows_stand_ins:
        return [Finding("stand-ins", Verdict.notable, "; ".join(names), f"fine in {settings.environment}")]
    return [Finding("stand-ins", Verdict.broken, "; ".join(names), "production takes none: use real ones")]


async def look_at_seals(patient: Patient) -> Iterable[Finding]:
    """Whether the seals of the log can be handed over."""
    folder = patient.settings.seals_in
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        says = f"{folder} cannot be written"
        return [Finding("seals", Verdict.broken, says, "let the user of the platform write there")]
    says = f"{folder} can be written" if there == folder else f"{folder} is made with the first seal"
    return [Finding("seals", Verdict.sound, says)]


async def look_at_tls(patient: Patient) -> Iterable[Finding]:
    """Whether the certificate of this server is valid, names it and fits its key."""
    settings = patient.settings
    if settings.tls_certificate is None or settings.tls_key is None:
        return []
    remedy = "put a PEM chain and its PEM key in the two files"
    try:
        certificate = x509.load_pem_x509_certificate(settings.tls_certificate.read_bytes())
        key = load_pem_private_key(settings.tls_key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        return [Finding("TLS", Verdict.broken, f"files cannot be read ({type(error).__name__})", remedy)]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        return [Finding("TLS", Verdict.broken, "key and certificate do not belong together", remedy)]
    host = urlsplit(settings.origin).hostname or ""
    if not names_host(certificate, host):
        return [
            Finding("TLS", Verdict.broken, f"the certificate does not name {host}", "have one made for it")
        ]
    return [of_certificate("TLS", certificate, patient.clock())]


async def look_at_outbox(patient: Patient) -> Iterable[Finding]:
    """Whether events wait that nobody tries any more."""
    if patient.database is None:
        return []
    async with patient.database.work(origin_of_command(patient.settings, "doctor")) as work:
        failed = await failed_events(work)
    if failed:
        says = f"{len(failed)} events could not be handled, the newest {failed[0].name} ({failed[0].error})"
        return [
            Finding("outbox", Verdict.broken, says, "look in the log, mend the cause, let them be retried")
        ]
    return [Finding("outbox", Verdict.sound, "nothing is stuck")]


LOOKS: Final[Sequence[Look]] = (
    look_at_database,
    look_at_migrations,
    look_at_authorities,
    look_at_trust,
    look_at_stand_ins,
    look_at_seals,
    look_at_tls,
    look_at_outbox,
)
