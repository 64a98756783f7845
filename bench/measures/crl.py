"""A CRL of one million entries, published as the platform does: read, put together, signed and stored."""

import asyncio
import hashlib
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench import results
from bench.house import ORIGIN, House, house
from bench.processes import forget_peak_memory, peak_memory_mb
from bench.results import Spread, spreads
from zorgid.ca.hierarchy import load_hierarchy
from zorgid.ca.model import Places
from zorgid.ca.publication import current_crl, publish_crl
from zorgid.opening import open_database, open_keys
from zorgid.pki.crl import RevocationReason, build_tbs_crl, encode_entry
from zorgid.settings import Settings
from zorgid.storage.embedded import SUPERUSER

STEPS = (1_000, 10_000, 100_000, 1_000_000)
ENTRIES = STEPS[-1]
LIBRARY_ENTRIES = (1_000, 3_000, 10_000)
"""How many the library's own builder is asked for; a million would take it too long."""

TBS_BYTES, CERTIFICATE_BYTES = 1_000, 1_300
"""About what a card's certificate takes, so that the rows are as wide as in life."""

COLUMNS = {
    "serial": "bytea",
    "authority": "text",
    "card_id": "uuid",
    "profile": "text",
    "public_key_sha256": "bytea",
    "algorithm": "text",
    "tbs": "bytea",
    "valid_from": "timestamptz",
    "valid_until": "timestamptz",
    "stage": "text",
    "certificate": "bytea",
    "fingerprint_sha256": "bytea",
    "intended_at": "timestamptz",
    "issued_at": "timestamptz",
    "status": "text",
    "reason": "text",
    "status_at": "timestamptz",
    "crl_entry": "bytea",
}
"""The columns of a certificate with their types."""

SERIAL_BYTES = 16
FIRST_REVOKED = datetime(2026, 1, 1, tzinfo=UTC)


def run(runs: int) -> None:
    """Measure and keep the findings."""
    with house("crl") as made:
        by_step: dict[int, list[dict[str, float]]] = {}
        for before, count in zip((0, *STEPS), STEPS, strict=False):
            fill(made, before, count)
            by_step[count] = [publish_apart(made) for _ in range(runs)]
        told = by_step[ENTRIES]
        found: dict[str, Any] = {
            "entries": ENTRIES,
            "steps": {count: spreads(rounds) for count, rounds in by_step.items()},
            "size_mb": told[0]["size_mb"],
            "whole_s": Spread.of([one["whole_s"] for one in told]),
            "build_s": Spread.of([one["build_s"] for one in told]),
            "added_mb": Spread.of([one["peak_mb"] - one["before_mb"] for one in told]),
            "peak_mb": Spread.of([one["peak_mb"] for one in told]),
            "library_s": {
                count: Spread.of([library_s(count) for _ in range(runs)]) for count in LIBRARY_ENTRIES
            },
        }
        check(made)
        found["openssl"] = openssl_reads(made)
    results.keep("crl", found)
    print(
        f"crl: {ENTRIES:,} entries, {found['size_mb']:.0f} MB, in {found['whole_s'].text(2)} s,"
        f" peak {found['peak_mb'].text()} MB of which {found['added_mb'].text()} for the list"
    )


def fill(made: House, first: int, count: int) -> None:
    """Write revoked certificates straight into the tables, as wide as in life, until there are `count`."""
    source = random.Random(first)
    noise = source.randbytes(CERTIFICATE_BYTES + 4096)
    address = made.postgres.url(role=SUPERUSER)
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # no look at the other table for each row
        serials = [
            bytes([1 + source.randrange(126)]) + source.randbytes(SERIAL_BYTES - 1)
            for _ in range(first, count)
        ]
        keys = [hashlib.sha256(serial).digest() for serial in serials]
        with cursor.copy("copy ca_key_seen (public_key_sha256, seen_at) from stdin (format binary)") as copy:
            copy.set_types(["bytea", "timestamptz"])
            for key in keys:
                copy.write_row((key, FIRST_REVOKED))
        with cursor.copy(f"copy ca_certificate ({', '.join(COLUMNS)}) from stdin (format binary)") as copy:
            copy.set_types(list(COLUMNS.values()))
            for number, (serial, key) in enumerate(zip(serials, keys, strict=True)):
                copy.write_row(_row(number, serial, key, noise))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("vacuum analyze ca_certificate")


def _row(number: int, serial: bytes, key: bytes, noise: bytes) -> tuple[object, ...]:
    at = FIRST_REVOKED + timedelta(seconds=number % 10_000_000)
    entry = encode_entry(int.from_bytes(serial, "big"), at, RevocationReason.superseded)
    start = number % 4096
    tbs, certificate = noise[start : start + TBS_BYTES], noise[start : start + CERTIFICATE_BYTES]
    until = FIRST_REVOKED + timedelta(days=1095)
    return (
        serial, "smartcard", UUID(bytes=key[:16]), "authentication", key, "rsa_sha256", tbs, FIRST_REVOKED,
        until, "issued", certificate, key, FIRST_REVOKED, FIRST_REVOKED, "revoked", "superseded", at, entry,
    )  # fmt: skip


def publish_apart(made: House) -> dict[str, float]:
    """Publish in a process of its own, so that the most memory it had is that of this one act."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.measures.crl", str(made.folder)],
        env={**os.environ, **made.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    told = [float(word) for word in done.stdout.split()]
    return dict(zip(("whole_s", "build_s", "size_mb", "before_mb", "peak_mb"), told, strict=True))


async def publish_here() -> None:
    """Publish one CRL and print the seconds, the size and the memory."""
    settings = Settings.from_environment({k: v for k, v in os.environ.items() if k.startswith("ZORGID_")})
    keys = open_keys(settings)
    async with open_database(settings, settings.database_url or "", keys) as database:
        authority = (await load_hierarchy(database, Places(settings.pki_origin), ORIGIN)).smartcard
        own = os.getpid()
        forget_peak_memory()  # that of opening the keys
        before = peak_memory_mb(own)
        begun = time.perf_counter()
        crl = await publish_crl(database, keys, authority, ORIGIN)
        whole = time.perf_counter() - begun
        print(
            whole, await _build_seconds(authority, crl.der), len(crl.der) / 1e6, before, peak_memory_mb(own)
        )


async def _build_seconds(authority: Any, der: bytes) -> float:
    """Return how long the putting together takes by itself, without database and signature."""
    entries, now = (bytes(len(der)),), datetime.now(UTC).replace(microsecond=0)
    begun = time.perf_counter()
    build_tbs_crl(
        authority.certificate,
        number=1,
        this_update=now,
        next_update=now + timedelta(hours=2),
        entries=entries,
        expired_from=now,
    )
    return time.perf_counter() - begun


def library_s(count: int) -> float:
    """Return how long the library's builder takes for a list of so many entries."""
    source = random.Random(2)
    key = ec.generate_private_key(ec.SECP256R1())
    serials = [source.getrandbits(120) for _ in range(count)]
    begun = time.perf_counter()
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")]),
        last_update=FIRST_REVOKED,
        next_update=FIRST_REVOKED + timedelta(hours=2),
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(FIRST_REVOKED)
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.superseded), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    builder.sign(key, hashes.SHA256())
    return time.perf_counter() - begun


def check(made: House) -> None:
    """The published list has every entry once, in order, and a good signature; so says the library."""

    async def load() -> tuple[bytes, Any]:
        async with made.database() as (database, _), database.work(ORIGIN) as work:
            crl = await current_crl(work, (await _smartcard(made, database)).name)
            return crl.der, (await _smartcard(made, database)).certificate.public_key()

    der, public_key = asyncio.run(load())
    crl = x509.load_der_x509_crl(der)
    assert crl.is_signature_valid(public_key)
    serials = [entry.serial_number for entry in crl]
    assert len(serials) == len(set(serials)) == ENTRIES
    assert serials == sorted(serials)
    (made.folder / "published.crl").write_bytes(der)


async def _smartcard(made: House, database: Any) -> Any:
    return (await load_hierarchy(database, Places(made.settings.pki_origin), ORIGIN)).smartcard


def openssl_reads(made: House) -> bool:
    """OpenSSL reads the whole list too."""
    command = [
        "openssl",
        "crl",
        "-inform",
        "DER",
        "-in",
        made.folder / "published.crl",
        "-noout",
        "-crlnumber",
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("crlNumber=")
    return True


if __name__ == "__main__":
    asyncio.run(publish_here())
