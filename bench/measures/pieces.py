"""What the platform does itself in place of a library, and the library, in one process and in turns.

A list of revoked certificates from entries that were encoded when they were revoked, OCSP answers, and small
transactions as every act commits them.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from psycopg import AsyncConnection

from bench import results
from bench.house import ORIGIN, House, house
from bench.results import OURS, Round, ratios, spreads
from bench.turns import in_turns
from zorgid.pki.algorithms import SignatureAlgorithm, sign_with
from zorgid.pki.crl import RevocationReason, assemble_crl, build_tbs_crl, encode_entry
from zorgid.pki.ocsp import CertId, CertIdHash, Good, Responder, build_answer, cert_id
from zorgid.storage.database import Database

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bench CA")])
ENTRIES, ANSWERS, WORKS = 4_000, 1_000, 300
SERIALS = range(10**30, 10**30 + ENTRIES)

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Way:
    """One way to do a piece of work."""

    name: str
    work: Work


def run(runs: int) -> None:
    """Measure and keep the findings."""
    with house("pieces") as made:
        found = asyncio.run(_all(made, runs))
    results.keep(
        "pieces",
        {piece: {name: spreads(one) for name, one in rounds.items()} for piece, rounds in found.items()},
        {piece: ratios(rounds)["library"] for piece, rounds in found.items()},
    )
    for piece, rounds in found.items():
        print(f"{piece}: {ratios(rounds)['library'].text(2)} times as quick")


async def _all(made: House, runs: int) -> dict[str, dict[str, list[Round]]]:
    async with made.database() as (database, _), await AsyncConnection.connect(made.postgres.url()) as bare:
        await bare.execute("create table note (number int)")
        await bare.commit()
        pieces: dict[str, tuple[Work, Work]] = {
            f"a CRL of {ENTRIES:,} entries": (_soon(our_list), _soon(library_list)),
            f"{ANSWERS:,} OCSP answers": (_soon(our_answers), _soon(library_answers)),
            f"{WORKS} durable commits": (
                lambda: our_works(database),
                lambda: bare_works(bare),
            ),
        }
        return {name: await _compare(runs, *ways) for name, ways in pieces.items()}


async def _compare(runs: int, ours: Work, library: Work) -> dict[str, list[Round]]:
    """Do a piece both ways in turns; a round's rate is that of the whole piece."""
    loop = asyncio.get_running_loop()

    def ask(way: Way, _number: int) -> Round:
        begun = time.perf_counter()
        asyncio.run_coroutine_threadsafe(_awaited(way.work), loop).result()
        seconds = time.perf_counter() - begun
        return {"ms": seconds * 1000, "rate": 1 / seconds}

    return await asyncio.to_thread(in_turns, [Way(OURS, ours), Way("library", library)], runs, ask)


async def _awaited(work: Work) -> None:
    await work()


def _soon(work: Callable[[], object]) -> Work:
    """Return `work` as something to await."""

    async def run() -> object:
        return work()

    return run


@cache
def key() -> ec.EllipticCurvePrivateKey:
    """Return the key of an authority that signs its own lists and answers."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def authority() -> x509.Certificate:
    """Return the certificate of that authority."""
    public = key().public_key()
    builder = x509.CertificateBuilder(NAME, NAME, public, 1, NOW, NOW + timedelta(days=1))
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    return builder.add_extension(identifier, critical=False).sign(key(), hashes.SHA256())


@cache
def entries() -> tuple[bytes, ...]:
    """Return the entries as they stand in the database since each certificate was revoked."""
    return tuple(encode_entry(serial, NOW, RevocationReason.superseded) for serial in SERIALS)


def our_list() -> None:
    """Put a list together from its entries and sign it."""
    tbs = build_tbs_crl(
        authority(), number=7, this_update=NOW, next_update=LATER, entries=entries(), expired_from=None
    )
    der = assemble_crl(tbs, SignatureAlgorithm.ecdsa_sha256, sign_with(key())(tbs))
    assert len(x509.load_der_x509_crl(der)) == ENTRIES


def library_list() -> None:
    """Write the same list with the library's builder."""
    builder = x509.CertificateRevocationListBuilder(NAME, NOW, LATER)
    for serial in SERIALS:
        entry = x509.RevokedCertificateBuilder(serial, NOW)
        builder = builder.add_revoked_certificate(
            entry.add_extension(x509.CRLReason(x509.ReasonFlags.superseded), critical=False).build()
        )
    assert len(builder.sign(key(), hashes.SHA256())) == ENTRIES


@cache
def questions() -> tuple[CertId, ...]:
    """Return what is asked, as it stands in a request."""
    return tuple(cert_id(authority(), serial, CertIdHash.sha256) for serial in range(1, ANSWERS + 1))


def our_answers() -> None:
    """Sign answers about certificates."""
    responder = Responder(authority(), sign_with(key()))
    for asked in questions():
        build_answer(
            asked,
            Good(),
            responder=responder,
            produced_at=NOW,
            this_update=NOW,
            next_update=LATER,
        )


def library_answers() -> None:
    """Sign the same answers with the library's builder."""
    digest = hashlib.sha256(NAME.public_bytes()).digest()
    for serial in range(1, ANSWERS + 1):
        builder = ocsp.OCSPResponseBuilder().responder_id(ocsp.OCSPResponderEncoding.HASH, authority())
        builder.add_response_by_hash(
            digest, digest, serial, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, LATER, None, None
        ).sign(key(), hashes.SHA256())


async def our_works(database: Database) -> None:
    """Commit small transactions the way every action does."""
    for _ in range(WORKS):
        async with database.work(ORIGIN) as work:
            await work.connection.execute("insert into note values (1)")


async def bare_works(connection: AsyncConnection) -> None:
    """Commit the same with nothing in between."""
    for _ in range(WORKS):
        await connection.execute("insert into note values (1)")
        await connection.commit()
