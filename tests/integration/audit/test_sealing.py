"""Nothing that is committed escapes a seal, however late, on however many nodes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.clock import FakeClock

from zorgid.audit.actions import record
from zorgid.audit.chain import Seal
from zorgid.audit.model import SYSTEM, Event, Subject
from zorgid.audit.places import FolderSeals
from zorgid.audit.sealer import EVERY, Sealer, SealsAhead
from zorgid.audit.verify import Verification
from zorgid.storage.database import Database, Origin

pytestmark = pytest.mark.oldest_postgresql

CARD = Subject("card", "a-card")
Write = Callable[..., Awaitable[None]]
Verified = Callable[..., Awaitable[Verification]]


def seals_in(place: FolderSeals) -> list[Seal]:
    return [Seal.from_line(kept.unverified_line) for kept in place.lines()]


async def test_what_was_committed_is_sealed_and_empty_seconds_too(
    write: Write, seal: Write, place: FolderSeals
) -> None:
    """AUD-1."""
    await write(3)
    await seal()
    await seal()
    assert [(kept.number, kept.entries) for kept in seals_in(place)] == [(1, 3), (2, 0)]


async def test_an_entry_committed_after_younger_ones_were_sealed_is_in_the_next_seal(
    write: Write, seal: Write, place: FolderSeals, database: Database, origin: Origin, verified: Verified
) -> None:
    """The late one wrote first and committed last; the seal in between stops before it."""
    async with database.work(origin) as late:
        await record(late, event=Event.card_held, by=SYSTEM, on=CARD)
        await write(2)
        await seal()
    await seal()
    assert [kept.entries for kept in seals_in(place)] == [0, 3]
    assert (await verified()).is_sound


async def test_the_entry_of_a_transaction_that_was_rolled_back_is_not_missed(
    write: Write, seal: Write, database: Database, origin: Origin, verified: Verified
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.work(origin) as work:
            await record(work, event=Event.card_held, by=SYSTEM, on=CARD)
            raise ZeroDivisionError
    await write()
    await seal()
    result = await verified()
    assert result.is_sound
    assert (result.entries, result.unsealed) == (2, 1)  # verifying is in the log itself


async def test_writers_that_never_wait_are_all_sealed_once(
    place: FolderSeals, sealer: Sealer, database: Database, origin: Origin, verified: Verified
) -> None:
    """AUD-1: eight writers, each committing after a varying number of turns, and a sealer that never pauses."""
    done = asyncio.Event()

    async def write_many(writer: int) -> None:
        for number in range(25):
            async with database.work(origin) as work:
                await record(work, event=Event.card_held, by=SYSTEM, on=CARD, facts={"number": number})
                for _ in range((writer + number) % 5):
                    await work.connection.execute("select 1")

    async def seal_always() -> None:
        while not done.is_set():
            await sealer.once(even_early=True)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(seal_always())
        async with asyncio.TaskGroup() as writers:
            for writer in range(8):
                writers.create_task(write_many(writer))
        done.set()
    await sealer.once(even_early=True)
    assert sum(kept.entries for kept in seals_in(place)) == 200
    assert len(seals_in(place)) > 2
    assert (await verified()).is_sound


@pytest.fixture
def other_node(
    database: Database, tmp_path: Path, sealing_key: Ed25519PrivateKey
) -> tuple[Sealer, FolderSeals]:
    """A second node with a folder of its own."""
    place = FolderSeals(tmp_path / "other-seals")
    return Sealer(database, place, sealing_key.sign, origin=Origin("seal", None, "other-node")), place


async def test_two_nodes_seal_in_turn_and_each_folder_holds_the_whole_chain(
    sealer: Sealer, place: FolderSeals, other_node: tuple[Sealer, FolderSeals], clock: FakeClock, write: Write
) -> None:
    other, other_place = other_node
    for _ in range(3):
        await write()
        await asyncio.gather(sealer.once(even_early=True), other.once(even_early=True))
    clock.advance(EVERY)
    await sealer.once()
    assert await other.once() is None
    assert seals_in(place) == seals_in(other_place)
    assert sum(kept.entries for kept in seals_in(place)) == 3


async def test_a_second_in_which_another_node_sealed_is_not_sealed_again(
    sealer: Sealer, other_node: tuple[Sealer, FolderSeals], clock: FakeClock
) -> None:
    assert await sealer.once() is not None
    clock.advance(EVERY / 2)
    assert await other_node[0].once() is None
    clock.advance(EVERY / 2)
    assert await other_node[0].once() is not None


async def test_a_node_that_is_sealing_does_not_hold_up_another(
    sealer: Sealer, database: Database, origin: Origin
) -> None:
    async with database.work(origin) as work:
        await work.connection.execute("select pg_advisory_xact_lock(%s)", (int.from_bytes(b"zorgid-s"),))
        assert await sealer.once() is None


async def test_a_seal_that_could_not_be_handed_over_is_handed_over_later(
    sealer: Sealer, place: FolderSeals, tmp_path: Path, write: Write, clock: FakeClock, verified: Verified
) -> None:
    (tmp_path / "seals").touch()  # a file where the folder should be
    await write()
    with pytest.raises(OSError):
        await sealer.once()
    (tmp_path / "seals").unlink()
    clock.advance(EVERY)
    await sealer.once()
    assert [kept.number for kept in seals_in(place)] == [1, 2]
    assert (await verified()).is_sound


async def test_a_database_that_lost_seals_is_not_sealed_on(
    sealer: Sealer, seal: Write, database: Database, origin: Origin
) -> None:
    """AUD-1, ALL-9: it was restored, or its end was cut off."""
    await seal()
    await seal()
    async with database.work(origin) as work:
        await work.connection.execute("alter table audit_seal disable trigger all")
        await work.connection.execute("delete from audit_seal where number = 2")
    with pytest.raises(SealsAhead):
        await sealer.once(even_early=True)


async def test_at_the_stop_everything_is_sealed(
    sealer: Sealer, place: FolderSeals, write: Write, clock: FakeClock
) -> None:
    stop = asyncio.Event()
    await sealer.once()
    await write(2)
    stop.set()
    await sealer.run(stop)
    assert [kept.entries for kept in seals_in(place)] == [0, 2]


async def test_a_sealer_whose_place_fails_goes_on_until_it_is_stopped(
    database: Database, tmp_path: Path, sealing_key: Ed25519PrivateKey, origin: Origin, clock: FakeClock
) -> None:
    class Failing(FolderSeals):
        tries = 0

        def last_number(self) -> int:
            self.tries += 1
            if self.tries < 3:
                raise OSError("disk gone")
            stop.set()
            return super().last_number()

    stop = asyncio.Event()
    place = Failing(tmp_path)
    await Sealer(database, place, sealing_key.sign, origin=origin, every=timedelta(milliseconds=1)).run(stop)
    assert [kept.number for kept in seals_in(place)][:1] == [1]


async def test_seals_older_than_a_week_leave_the_database_but_not_the_folder(
    sealer: Sealer,
    place: FolderSeals,
    clock: FakeClock,
    database: Database,
    origin: Origin,
    monkeypatch: pytest.MonkeyPatch,
    verified: Verified,
) -> None:
    monkeypatch.setattr("zorgid.audit.seal_store.SEALS_KEPT", 2)
    clock.set(clock() - timedelta(days=365))
    for _ in range(4):
        await sealer.once(even_early=True)
    async with database.work(origin) as work:
        found = await (await work.connection.execute("select number from audit_seal order by 1")).fetchall()
    assert found == [(3,), (4,)]
    assert len(seals_in(place)) == 4
    assert (await verified()).is_sound


async def test_a_node_that_was_away_takes_over_all_seals_in_portions(
    sealer: Sealer, other_node: tuple[Sealer, FolderSeals], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await sealer.once(even_early=True)
    monkeypatch.setattr("zorgid.audit.sealer.HANDED_OVER_AT_ONCE", 2)
    other, other_place = other_node
    await other.once()
    assert [kept.number for kept in seals_in(other_place)] == [1, 2, 3, 4, 5]
