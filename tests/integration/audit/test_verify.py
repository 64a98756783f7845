"""Every kind of tampering is found, by whoever does it to the database, the folder of seals, or both (AUD-1)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.clock import FakeClock

from zorgid.audit.actions import erase_personal_fields, record
from zorgid.audit.findings import FindingCode
from zorgid.audit.model import SYSTEM, Event, Subject
from zorgid.audit.places import FolderSeals
from zorgid.audit.sealer import Sealer
from zorgid.audit.verify import Silence, Verification
from zorgid.kernel.ids import PersonId, new_id
from zorgid.storage.database import Database, Origin

pytestmark = pytest.mark.oldest_postgresql

Write = Callable[..., Awaitable[None]]
Tamper = Callable[[str], Awaitable[None]]
Verified = Callable[..., Awaitable[Verification]]


@pytest.fixture
def tamper(database: Database, origin: Origin) -> Tamper:
    """Change the database as its owner can: the triggers are switched off first."""

    async def tamper(statement: str) -> None:
        async with database.work(origin) as work:
            await work.connection.execute("alter table audit_entry disable trigger all")
            await work.connection.execute("alter table audit_seal disable trigger all")
            assert (await work.connection.execute(statement.encode())).rowcount > 0

    return tamper


@pytest.fixture
async def sealed(write: Write, seal: Write) -> None:
    """Three seals of three entries each."""
    for _ in range(3):
        await write(3)
        await seal()


def codes(result: Verification) -> list[FindingCode]:
    return [finding.code for finding in result.findings]


def file_in(folder: Path) -> Path:
    [file] = folder.glob("seals-*.jsonl")
    return file


@pytest.mark.usefixtures("sealed")
async def test_an_untouched_log_is_sound_and_says_of_how_much_that_holds(
    verified: Verified, write: Write, clock: FakeClock
) -> None:
    sealed_at = clock()
    clock.advance(timedelta(milliseconds=300))
    await write()
    result = await verified()
    assert result.is_sound
    assert (result.seals, result.last_seal, result.last_sealed_at) == (3, 3, sealed_at)
    assert (result.entries, result.unsealed) == (11, 2)
    assert result.oldest_unsealed_at == clock()
    assert not result.is_sealing_late
    assert result.silences == ()


@pytest.mark.usefixtures("sealed")
async def test_entries_that_wait_longer_than_a_minute_show_that_nobody_seals(
    verified: Verified, write: Write, clock: FakeClock
) -> None:
    await write()
    clock.advance(timedelta(minutes=1))
    assert not (await verified()).is_sealing_late
    clock.advance(timedelta(seconds=1))
    result = await verified()
    assert result.is_sealing_late
    assert result.looked_at == clock()


THIRD = "where facts = '{\"number\": 2}' and id = (select min(id::text)::uuid from audit_entry where facts = '{\"number\": 2}')"


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'refused'",
        "at = at + interval '1 microsecond'",
        "was = null",
        "facts = '{}'",
        "facts = '{\"number\": 1e400}'",
        "actor_kind = 'support'",
        "actor_person_id = gen_random_uuid()",
        "organisation_id = gen_random_uuid()",
        "personal_hashes = '{}'",
        "personal_hashes = '{\"address\": 3}'",
        "request_id = ''",
        "node = ''",
    ],
)
@pytest.mark.usefixtures("sealed")
async def test_a_changed_entry_is_found(change: str, tamper: Tamper, verified: Verified) -> None:
    await tamper(f"update audit_entry set {change} {THIRD}")
    [finding] = (await verified()).findings
    assert finding.code is FindingCode.entry_changed
    assert finding.entry is not None


@pytest.mark.usefixtures("sealed")
async def test_a_changed_entry_with_the_mac_of_another_does_not_fit_its_seal(
    tamper: Tamper, verified: Verified
) -> None:
    await tamper("update audit_entry set mac = (select mac from audit_entry order by mac limit 1)")
    assert set(codes(await verified())) == {FindingCode.entry_changed, FindingCode.entries_replaced}


@pytest.mark.usefixtures("sealed")
async def test_a_changed_personal_fact_is_found_and_an_erased_one_is_counted(
    tamper: Tamper, verified: Verified
) -> None:
    """ALL-10."""
    await tamper("update audit_entry set personal = personal - 'uzi_number' where facts = '{\"number\": 0}'")
    await tamper(f'update audit_entry set personal = personal || \'{{"uzi_number": "1"}}\' {THIRD}')
    result = await verified()
    assert codes(result) == [FindingCode.personal_fact_changed]
    assert result.erased == 3


async def test_erasing_a_person_leaves_the_log_sound(
    verified: Verified, seal: Write, database: Database, origin: Origin
) -> None:
    """ALL-10."""
    person_id = PersonId(new_id(bytes))
    async with database.work(origin) as work:
        await record(
            work,
            event=Event.person_recognised,
            by=SYSTEM,
            on=Subject("person", str(person_id)),
            personal={"name": "De Vries", "uzi_number": "900020712"},
        )
    await seal()
    async with database.work(origin) as work:
        await erase_personal_fields(work, person_id=person_id, by=SYSTEM)
    await seal()
    result = await verified()
    assert result.is_sound
    assert result.erased == 2


@pytest.mark.usefixtures("sealed")
async def test_a_dropped_entry_is_found(tamper: Tamper, verified: Verified) -> None:
    await tamper(f"delete from audit_entry {THIRD}")
    [finding] = (await verified()).findings
    assert (finding.code, finding.count) == (FindingCode.entries_missing, 1)


@pytest.mark.usefixtures("sealed")
async def test_an_emptied_log_is_found(tamper: Tamper, verified: Verified) -> None:
    await tamper("delete from audit_entry")
    assert codes(await verified()) == [FindingCode.entries_missing] * 3


@pytest.mark.usefixtures("sealed")
async def test_an_entry_added_afterwards_is_found(tamper: Tamper, verified: Verified) -> None:
    """Copied whole, with a MAC of ours, into a transaction that is sealed."""
    await tamper(
        "insert into audit_entry select gen_random_uuid(), min_xact, at, event, actor_kind, actor_person_id,"
        " actor_reference, actor_means, subject_kind, subject_id, organisation_id, request_id, node, outcome, was,"
        " becomes, facts, personal, personal_hashes, mac from audit_entry,"
        " (select min(xact) as min_xact from audit_entry) as oldest limit 1"
    )
    result = await verified()
    assert sorted(codes(result)) == [FindingCode.entries_added, FindingCode.entry_changed]


@pytest.mark.usefixtures("sealed")
async def test_an_entry_that_is_replaced_or_moved_is_found(tamper: Tamper, verified: Verified) -> None:
    """Moved to another second, with its own MAC."""
    await tamper(
        "update audit_entry set xact = (select max(xact) from audit_entry) where xact = (select min(xact) from audit_entry)"
    )
    assert codes(await verified()) == [FindingCode.entries_missing, FindingCode.entries_added]


async def test_an_unsealed_entry_cannot_be_forged(
    write: Write, seal: Write, tamper: Tamper, verified: Verified
) -> None:
    await seal()
    await write()
    await tamper("update audit_entry set outcome = 'refused'")
    assert codes(await verified()) == [FindingCode.entry_changed]


@pytest.mark.usefixtures("sealed")
async def test_a_cut_tail_of_the_database_is_found(tamper: Tamper, verified: Verified) -> None:
    """Entries and seals after the second are gone, as after a restore of an older copy."""
    await tamper("delete from audit_entry where xact >= (select until_xact from audit_seal where number = 2)")
    await tamper("delete from audit_seal where number = 3")
    assert set(codes(await verified())) == {FindingCode.entries_missing, FindingCode.seals_ahead}


@pytest.mark.usefixtures("sealed")
async def test_a_cut_tail_of_the_seals_is_found(tmp_path: Path, verified: Verified, clock: FakeClock) -> None:
    file = file_in(tmp_path / "seals")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:1]))
    clock.advance(timedelta(minutes=1))
    [finding] = (await verified()).findings
    assert (finding.code, finding.seal, finding.count) == (FindingCode.seals_cut, 1, 2)


@pytest.mark.usefixtures("sealed")
async def test_a_seal_just_being_handed_over_is_no_finding(tmp_path: Path, verified: Verified) -> None:
    file = file_in(tmp_path / "seals")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
    result = await verified()
    assert result.is_sound
    assert result.unsealed == 4


@pytest.mark.usefixtures("sealed")
async def test_an_end_cut_off_on_both_sides_is_found_by_a_number_known_from_before(
    tamper: Tamper, tmp_path: Path, verified: Verified
) -> None:
    last = (await verified()).last_seal
    file = file_in(tmp_path / "seals")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
    await tamper("delete from audit_entry where xact >= (select until_xact from audit_seal where number = 2)")
    await tamper("delete from audit_seal where number = 3")
    assert (await verified()).is_sound
    assert codes(await verified(at_least=last)) == [FindingCode.seals_cut]


@pytest.mark.usefixtures("sealed")
async def test_an_end_cut_off_on_both_sides_shows_as_silence(
    tamper: Tamper, tmp_path: Path, verified: Verified, clock: FakeClock, seal: Write
) -> None:
    cut_at = clock() - timedelta(seconds=1)
    file = file_in(tmp_path / "seals")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
    await tamper("delete from audit_seal where number = 3")
    clock.advance(timedelta(minutes=5))
    await seal()
    assert (await verified()).silences == (Silence(cut_at, clock()),)


@pytest.mark.usefixtures("sealed")
async def test_seals_that_are_all_gone_are_found(
    tamper: Tamper, tmp_path: Path, verified: Verified, clock: FakeClock
) -> None:
    file_in(tmp_path / "seals").unlink()
    clock.advance(timedelta(minutes=5))
    assert codes(await verified()) == [FindingCode.seals_cut, FindingCode.seals_gone]
    await tamper("delete from audit_seal")
    assert codes(await verified()) == [FindingCode.seals_gone]


@pytest.mark.parametrize("left_out", [0, 1])
@pytest.mark.usefixtures("sealed")
async def test_a_seal_taken_out_of_the_file_is_found(
    left_out: int, tmp_path: Path, verified: Verified
) -> None:
    file = file_in(tmp_path / "seals")
    lines = file.read_text().splitlines(keepends=True)
    del lines[left_out]
    file.write_text("".join(lines))
    expected = [FindingCode.seals_lack_their_beginning, FindingCode.chain_broken][left_out]
    assert codes(await verified()) == [expected]


@pytest.mark.usefixtures("sealed")
async def test_a_changed_seal_is_found_and_its_entries_count_as_without_one(
    tmp_path: Path, tamper: Tamper, verified: Verified
) -> None:
    """Who drops an entry cannot make the seal fit."""
    await tamper(f"delete from audit_entry {THIRD}")
    file = file_in(tmp_path / "seals")
    file.write_text(file.read_text().replace('"entries":3', '"entries":2'))
    result = await verified()
    assert set(codes(result)) == {FindingCode.seal_not_ours, FindingCode.seals_lack_their_beginning}
    assert (result.seals, result.unsealed) == (0, 9)


@pytest.mark.parametrize("damage", ["garbage\n", "{}\n", "\xff\n", "\n", "[" * 5000])
@pytest.mark.usefixtures("sealed")
async def test_a_line_that_is_no_seal_is_found(damage: str, tmp_path: Path, verified: Verified) -> None:
    with file_in(tmp_path / "seals").open("a", encoding="latin-1") as file:
        file.write(damage)
    [finding] = (await verified()).findings
    assert (finding.code, finding.place) == (FindingCode.seal_unreadable, "seals-2026-06-15.jsonl:4")


@pytest.mark.usefixtures("sealed")
async def test_a_tampered_working_copy_breaks_the_chain_outside(
    tamper: Tamper, verified: Verified, sealer: Sealer
) -> None:
    await tamper(
        "update audit_seal set line = replace(line, '\"entries\":3', '\"entries\":2') where number = 3"
    )
    await sealer.once(even_early=True)
    assert codes(await verified()) == [FindingCode.chain_broken]


@pytest.mark.usefixtures("sealed")
async def test_many_findings_are_counted_beyond_the_first(
    monkeypatch: pytest.MonkeyPatch, tamper: Tamper, verified: Verified
) -> None:
    monkeypatch.setattr("zorgid.audit.verify.MOST_FINDINGS", 2)
    await tamper("update audit_entry set node = 'x'")
    result = await verified()
    assert (len(result.findings), result.more_findings) == (2, 7)


@pytest.mark.usefixtures("sealed")
async def test_verifying_is_in_the_log_before_it_begins_and_after_it_ends(
    verified: Verified, database: Database, origin: Origin
) -> None:
    """AUD-2."""
    await verified()
    async with database.work(origin) as work:
        found = await (
            await work.connection.execute(
                "select outcome, facts from audit_entry where event = 'audit-verified' order by xact"
            )
        ).fetchall()
    assert found == [
        ("begun", {}),
        ("done", {"entries": 10, "unsealed": 1, "last_seal": 3, "findings": []}),
    ]


async def test_an_empty_log_without_seals_is_sound(verified: Verified) -> None:
    result = await verified()
    assert result.is_sound
    assert (result.seals, result.entries) == (0, 1)


@pytest.mark.usefixtures("sealed")
async def test_the_folder_of_a_node_may_be_read_while_it_is_written(
    place: FolderSeals, verified: Verified, sealer: Sealer, clock: FakeClock
) -> None:
    lines = place.lines()
    next(lines)
    clock.advance(timedelta(seconds=1))
    await sealer.once()
    assert len(list(lines)) == 3
    assert (await verified()).is_sound
