"""What is personal in a making goes two days after its end (ALL-10)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.clock import FakeClock

from zorgid.issuance import store
from zorgid.issuance.actions import forget_one_ended
from zorgid.issuance.model import Issuance
from zorgid.kernel.ids import IssuanceId, OrganisationId, PersonId, TransactionId
from zorgid.login.model import Means, ProvedCard
from zorgid.protocol.app_key import AppKey
from zorgid.protocol.context import MeansUsed
from zorgid.protocol.messages import IssuanceStep
from zorgid.storage.database import Database, Origin

NAME = "A.B. de Vries-Öztürk"


@pytest.fixture
def certificate(clock: FakeClock) -> x509.Certificate:
    """A certificate on somebody's name; who signed it does not matter here."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST UZI Medewerker op naam CA")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(clock()).not_valid_after(clock() + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def proved(certificate: x509.Certificate) -> ProvedCard:
    means = Means(
        kind=MeansUsed.uzi_card,
        reference="ab" * 32,
        uzi_number="900012345",
        ura="90001234",
        full_name=NAME,
        level="http://eidas.europa.eu/LoA/high",
    )
    return ProvedCard(
        means=means,
        certificate_der=certificate.public_bytes(Encoding.DER),
        card_id=None,
        card_type="N",
        role=None,
        surname="de Vries-Öztürk",
        given_names="A.B.",
        organisation_name="Huisartsenpraktijk",
    )


async def a_making(
    database: Database, origin: Origin, certificate: x509.Certificate, step: IssuanceStep
) -> tuple[IssuanceId, TransactionId]:
    """Store a making that just came to a step, and return its id and that of the login that opened it."""
    async with database.work(origin) as work:
        making = Issuance(
            id=IssuanceId(uuid4()),
            person_id=PersonId(uuid4()),
            organisation_id=OrganisationId(uuid4()),
            app_key=AppKey(x="x" * 43, y="y" * 43),
            step=IssuanceStep.birth_date,
            proved=proved(certificate),
            opened_at=work.now,
            expires_at=work.now + timedelta(days=1),
            card_number=None,
            chip_serial=None,
            card_id=None,
            attempt=None,
            challenge=None,
            context=None,
        )
        opened_by = TransactionId(uuid4())
        await store.insert(work, making, opened_by)
        await store.set_step(work, making.id, step)
    return making.id, opened_by


async def forget_all(database: Database, origin: Origin) -> int:
    """Sweep until nothing is left; return how many were forgotten."""
    for forgotten in range(10):
        async with database.work(origin) as work:
            if not await forget_one_ended(work):
                return forgotten
    raise AssertionError


async def row_of(database: Database, origin: Origin, making: UUID) -> tuple[str, tuple[bytes, bytes]]:
    """Return the whole stored row as text, and the certificate that it says a card was made with."""
    async with database.work(origin) as work:
        cursor = await work.connection.execute(
            "select to_jsonb(issuance)::text, made_with_issuer, made_with_serial from issuance"
            " where issuance_id = %s",
            (making,),
        )
        (row,) = await cursor.fetchall()
    return row[0], (row[1], row[2])


async def test_a_making_that_was_done_keeps_only_which_uzi_certificate_it_was_made_with(
    database: Database, origin: Origin, clock: FakeClock, certificate: x509.Certificate
) -> None:
    """CARD-16 asks later about that certificate."""
    making, opened_by = await a_making(database, origin, certificate, IssuanceStep.done)
    clock.advance(timedelta(days=2))
    assert await forget_all(database, origin) == 0
    clock.advance(timedelta(seconds=1))

    assert await forget_all(database, origin) == 1

    written, (issuer, serial) = await row_of(database, origin, making)
    assert issuer == certificate.issuer.public_bytes()
    assert int.from_bytes(serial) == certificate.serial_number
    for personal in (NAME, "900012345", "90001234", "x" * 43, "certificate_der"):
        assert personal not in written
    async with database.work(origin) as work:
        assert await store.by_id(work, making) is None
        assert await store.by_transaction(work, opened_by) is None
    assert await forget_all(database, origin) == 0


async def test_a_making_that_failed_keeps_nothing_of_the_uzi_card(
    database: Database, origin: Origin, clock: FakeClock, certificate: x509.Certificate
) -> None:
    making, _ = await a_making(database, origin, certificate, IssuanceStep.failed)
    clock.advance(timedelta(days=2, seconds=1))

    assert await forget_all(database, origin) == 1

    written, made_with = await row_of(database, origin, making)
    assert NAME not in written
    assert made_with == (None, None)


async def test_a_making_that_goes_on_is_not_forgotten(
    database: Database, origin: Origin, clock: FakeClock, certificate: x509.Certificate
) -> None:
    making, _ = await a_making(database, origin, certificate, IssuanceStep.prove)
    clock.advance(timedelta(days=30))

    assert await forget_all(database, origin) == 0

    async with database.work(origin) as work:
        assert await store.by_id(work, making) is not None
