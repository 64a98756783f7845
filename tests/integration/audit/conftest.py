"""A log with a sealer and a folder of seals outside the database."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.clock import FakeClock

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Event, Subject
from zorgid.audit.places import FolderSeals
from zorgid.audit.sealer import EVERY, Sealer
from zorgid.audit.verify import Verification, verify
from zorgid.storage.database import Database, Mac, Origin

CARD = Subject("card", "a-card")


@pytest.fixture
def sealing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def place(tmp_path: Path) -> FolderSeals:
    return FolderSeals(tmp_path / "seals")


@pytest.fixture
def sealer(database: Database, place: FolderSeals, sealing_key: Ed25519PrivateKey, origin: Origin) -> Sealer:
    return Sealer(database, place, sealing_key.sign, origin=origin)


@pytest.fixture
def write(database: Database, origin: Origin) -> Callable[..., Awaitable[None]]:
    """Append entries about a card, each in a transaction of its own."""

    async def write(count: int = 1, event: Event = Event.card_held) -> None:
        for number in range(count):
            async with database.work(origin) as work:
                await record(
                    work,
                    event=event,
                    by=SYSTEM,
                    on=CARD,
                    was="active",
                    becomes="held",
                    facts={"number": number},
                    personal={"uzi_number": "900020712"},
                )

    return write


@pytest.fixture
def seal(sealer: Sealer, clock: FakeClock) -> Callable[[], Awaitable[None]]:
    """Close what was written, a second later."""

    async def seal() -> None:
        clock.advance(EVERY)
        assert await sealer.once() is not None

    return seal


@pytest.fixture
def verified(
    database: Database,
    place: FolderSeals,
    audit_mac: Mac,
    sealing_key: Ed25519PrivateKey,
    origin: Origin,
) -> Callable[..., Awaitable[Verification]]:
    async def verified(**options: int) -> Verification:
        return await verify(database, place, audit_mac, sealing_key.public_key(), origin=origin, **options)

    return verified
