"""Measures what the platform does itself against what a library would do, side by side, as ratios.

Both do the same work in turns, so that a busy machine slows both. The numbers tell which way is quicker and
by how much; they are not the speed of the platform on another machine. Run it with `make bench`.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from psycopg import AsyncConnection

from zorgid.kernel.clock import system_clock
from zorgid.kernel.randomness import system_random
from zorgid.pki.algorithms import SignatureAlgorithm, sign_with
from zorgid.pki.crl import RevocationReason, assemble_crl, build_tbs_crl, encode_entry
from zorgid.pki.ocsp import CertIdHash, Good, Responder, build_answer, cert_id
from zorgid.storage.database import Database, Origin
from zorgid.storage.embedded import EmbeddedPostgres

ROUNDS = 5
FOLDER = Path(tempfile.gettempdir()) / "zorgid-bench"
NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bench CA")])


def authority() -> x509.Certificate:
    """Return a certificate that signs its own lists and answers."""
    builder = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 1, NOW, NOW + timedelta(days=1))
    identifier = x509.SubjectKeyIdentifier.from_public_key(KEY.public_key())
    return builder.add_extension(identifier, critical=False).sign(KEY, hashes.SHA256())


AUTHORITY = authority()
SIGN = sign_with(KEY)


def our_list(entries: list[bytes]) -> bytes:
    """Write a list from entries that were encoded when a certificate was held or revoked."""
    tbs = build_tbs_crl(
        AUTHORITY, number=7, this_update=NOW, next_update=LATER, entries=entries, expired_from=None
    )
    return assemble_crl(tbs, SignatureAlgorithm.ecdsa_sha256, SIGN(tbs))


def library_list(serials: range) -> bytes:
    """Write the same list with the library's builder."""
    builder = x509.CertificateRevocationListBuilder(NAME, NOW, LATER)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, NOW)
        builder = builder.add_revoked_certificate(
            entry.add_extension(x509.CRLReason(x509.ReasonFlags.superseded), critical=False).build()
        )
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def our_answers(count: int) -> None:
    """Sign answers about certificates."""
    responder = Responder(AUTHORITY, SIGN)
    for serial in range(1, count):
        build_answer(
            cert_id(AUTHORITY, serial, CertIdHash.sha256),
            Good(),
            responder=responder,
            produced_at=NOW,
            this_update=NOW,
            next_update=LATER,
        )


def library_answers(count: int) -> None:
    """Sign the same answers with the library's builder."""
    name_hash = hashes.Hash(hashes.SHA256())
    name_hash.update(NAME.public_bytes())
    digest = name_hash.finalize()
    for serial in range(1, count):
        builder = ocsp.OCSPResponseBuilder().responder_id(ocsp.OCSPResponderEncoding.HASH, AUTHORITY)
        builder.add_response_by_hash(
            digest, digest, serial, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, LATER, None, None
        ).sign(KEY, hashes.SHA256())


async def our_works(database: Database, count: int) -> None:
    """Commit small transactions the way every action does."""
    for _ in range(count):
        async with database.work(Origin("bench", None, "bench")) as work:
            await work.connection.execute("insert into note values (1)")


async def bare_works(connection: AsyncConnection, count: int) -> None:
    """Commit the same with nothing in between."""
    for _ in range(count):
        await connection.execute("insert into note values (1)")
        await connection.commit()


async def compare(
    what: str, ours: Callable[[], Awaitable[object]], peer: Callable[[], Awaitable[object]]
) -> None:
    """Print the middle of some rounds of both, taken in turns."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for way, times in zip((ours, peer), spent, strict=True):
            begun = time.perf_counter()
            await way()
            times.append(time.perf_counter() - begun)
    own, other = map(statistics.median, spent)
    print(f"{what:58} {own * 1000:9.1f} ms {other * 1000:9.1f} ms   x {other / own:.2f}")


def soon(work: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    """Return `work` as something to await."""

    async def run() -> object:
        return work()

    return run


async def main() -> None:
    """Compare everything."""
    print(f"{'':58} {'ours':>12} {'peer':>12}   peer / ours")
    for size in (1_000, 4_000):
        serials = range(10**30, 10**30 + size)
        entries = [encode_entry(serial, NOW, RevocationReason.superseded) for serial in serials]
        await compare(
            f"a CRL of {size:,} entries; cryptography's builder",
            soon(lambda entries=entries: our_list(entries)),
            soon(lambda serials=serials: library_list(serials)),
        )
    await compare(
        "1,000 OCSP answers signed; cryptography's builder",
        soon(lambda: our_answers(1_000)),
        soon(lambda: library_answers(1_000)),
    )
    world = EmbeddedPostgres(FOLDER)
    url = world.start()
    database = await Database.open(url, clock=system_clock, random=system_random)
    async with await AsyncConnection.connect(url) as connection:
        await connection.execute("create table note (number int)")
        await connection.commit()
        await compare(
            "300 works of one insert, durable; a bare connection",
            lambda: our_works(database, 300),
            lambda: bare_works(connection, 300),
        )
    await database.close()
    world.discard()


if __name__ == "__main__":
    asyncio.run(main())
