"""Every act and every refusal gets its entry, which stands or falls with the act and cannot be changed."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.clock import FakeClock

from zorgid.audit.actions import act, entries_about, erase_personal_fields, record
from zorgid.audit.model import SYSTEM, Actor, ActorKind, Event, Outcome, Subject
from zorgid.kernel.errors import Fault, Refusal
from zorgid.kernel.ids import OrganisationId, PersonId, new_id
from zorgid.storage.database import Database, Origin
from zorgid.storage.embedded import SUPERUSER, EmbeddedPostgres

CARD = Subject("card", "a-card")
Write = Callable[..., Awaitable[None]]


async def rows(database: Database, origin: Origin, query: str) -> list[tuple[Any, ...]]:
    async with database.work(origin) as work:
        return await (await work.connection.execute(query)).fetchall()


class CardHeld(Refusal):
    """For this test."""

    code = "card-held"
    personal = frozenset({"holder"})


class PinWrong(Refusal):
    """For this test."""

    code = "pin-wrong"
    keeps_changes = True


async def test_an_entry_holds_who_what_on_whom_for_which_organisation_from_where_and_when(
    database: Database, origin: Origin, clock: FakeClock
) -> None:
    """AUD-1."""
    person = PersonId(new_id(bytes_of_ones))
    organisation = OrganisationId(new_id(bytes_of_twos))
    async with database.work(origin) as work:
        await record(
            work,
            event=Event.card_held,
            by=Actor(ActorKind.person, person, "portal", "uzi-card"),
            on=CARD,
            organisation_id=organisation,
            was="active",
            becomes="held",
            facts={"reason": "lost"},
            personal={"name": "Ş. de Vries"},
        )
    async with database.work(origin) as work:
        [entry] = (await entries_about(work, CARD, by=SYSTEM)).entries
    assert (entry.event, entry.outcome, entry.at) == ("card-held", "done", clock())
    assert (entry.actor_kind, entry.actor_person_id, entry.actor_reference, entry.actor_means) == (
        "person",
        person,
        "portal",
        "uzi-card",
    )
    assert (entry.subject_kind, entry.subject_id, entry.organisation_id) == ("card", "a-card", organisation)
    assert (entry.was, entry.becomes, entry.facts) == ("active", "held", {"reason": "lost"})
    assert (entry.request_id, entry.node) == (origin.request_id, origin.node)
    assert entry.personal == {"name": "Ş. de Vries", "address": origin.address}
    assert "Vries" not in repr(entry)


async def test_an_act_that_is_rolled_back_leaves_no_entry(database: Database, origin: Origin) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.work(origin) as work:
            await record(work, event=Event.card_held, by=SYSTEM, on=CARD)
            raise ZeroDivisionError
    assert await rows(database, origin, "select event from audit_entry") == []


async def test_a_refused_act_leaves_its_refusal_and_nothing_else(database: Database, origin: Origin) -> None:
    """AUD-1, ALL-2."""
    with pytest.raises(CardHeld):
        async with act(database, origin, event=Event.card_activated, by=SYSTEM, on=CARD) as work:
            await work.connection.execute(
                "insert into outbox_event (id, name, facts, at, due_at)"
                " values (gen_random_uuid(), 'x', '{}', now(), now())"
            )
            await record(work, event=Event.card_activated, by=SYSTEM, on=CARD)
            raise CardHeld(holder="De Vries", card="a-card")
    assert await rows(database, origin, "select event, outcome, facts from audit_entry") == [
        ("card-activated", "refused", {"code": "card-held", "card": "a-card"})
    ]
    assert await rows(database, origin, "select name from outbox_event") == []


async def test_a_refusal_about_what_a_stranger_typed_is_recorded_too(
    database: Database, origin: Origin
) -> None:
    """Neither NUL nor half a character nor a megabyte keeps a refusal out of the log."""
    typed = "nul \x00, half \ud800 " + "x" * 1_000_000
    by = Actor(ActorKind.client, reference=typed)
    with pytest.raises(CardHeld):
        async with act(database, origin, event=Event.card_held, by=by, on=Subject("card", typed)):
            raise CardHeld(typed=typed)
    [(subject, reference, facts)] = await rows(
        database, origin, "select subject_id, actor_reference, facts from audit_entry"
    )
    assert subject == reference == facts["typed"]
    assert subject.startswith("nul �, half ? x")
    assert len(subject) < 1100


async def test_a_refusal_that_keeps_its_changes_keeps_their_entry_too(
    database: Database, origin: Origin
) -> None:
    with pytest.raises(PinWrong):
        async with act(database, origin, event=Event.login_attached, by=SYSTEM, on=CARD) as work:
            await record(work, event=Event.login_begun, by=SYSTEM, on=CARD)
            raise PinWrong
    outcomes = await rows(database, origin, "select event, outcome from audit_entry order by event")
    assert outcomes == [("login-attached", "refused"), ("login-begun", "done")]


async def test_an_act_ended_by_a_fault_is_recorded_as_broken_without_its_text(
    database: Database, origin: Origin
) -> None:
    with pytest.raises(Fault):
        async with act(database, origin, event=Event.card_held, by=SYSTEM, on=CARD):
            raise Fault("disk full")
    assert await rows(database, origin, "select outcome, facts from audit_entry") == [
        ("broken", {"fault": "Fault"})
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_entry set outcome = 'refused'",
        'update audit_entry set personal = \'{"uzi_number": "1"}\'',
        "update audit_entry set personal = personal || '{\"more\": 1}'",
        "update audit_entry set personal = '{}', was = null",
        "delete from audit_entry",
        "truncate audit_entry",
        "update audit_seal set line = ''",
        "delete from audit_seal",
        "truncate audit_seal",
    ],
)
async def test_the_database_refuses_to_change_or_drop_what_was_written(
    statement: str, sealed_today: None, database: Database, origin: Origin
) -> None:
    """AUD-1."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        async with database.work(origin) as work:
            await work.connection.execute(statement.encode())


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
async def test_a_superuser_who_plays_a_replica_is_refused_too(
    table: str, sealed_today: None, database_url: str, server: EmbeddedPostgres
) -> None:
    """Such a session passes by every trigger that is not always on."""
    name = conninfo_to_dict(database_url)["dbname"]
    with (
        psycopg.connect(server.url(str(name), SUPERUSER)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
    ):
        connection.execute("set session_replication_role = replica")
        connection.execute(f"delete from {table}".encode())


@pytest.fixture
async def sealed_today(
    write: Write, seal: Write, database: Database, origin: Origin, clock: FakeClock
) -> None:
    """One entry and its seal, by the clock of the database."""
    clock.set((await rows(database, origin, "select now()"))[0][0])
    await write()
    await seal()


async def test_reading_the_log_is_in_the_log(
    write: Write, database: Database, origin: Origin, clock: FakeClock
) -> None:
    """AUD-2."""
    await write()
    clock.advance(timedelta(seconds=1))
    reader = Actor(ActorKind.support, reference="desk")
    async with database.work(origin) as work:
        await entries_about(work, CARD, by=reader)
    async with database.work(origin) as work:
        newest, _ = (await entries_about(work, CARD, by=reader)).entries
    assert (newest.event, newest.actor_reference, newest.facts) == ("audit-read", "desk", {"entries": 1})


async def test_pages_join_up_while_entries_are_added(
    write: Write, database: Database, origin: Origin, clock: FakeClock
) -> None:
    """Also when several entries share one moment."""
    await write(5)
    seen: list[int] = []
    before = None
    while True:
        clock.advance(timedelta(seconds=1))
        async with database.work(origin) as work:
            page = await entries_about(work, CARD, by=SYSTEM, before=before, most=2)
        seen += [entry.facts["number"] for entry in page.entries]
        before = page.next
        if before is None:
            break
    assert sorted(seen) == [0, 1, 2, 3, 4]


async def test_a_page_costs_the_same_in_a_long_log(database: Database, origin: Origin) -> None:
    """The plan walks the index; it neither sorts nor scans."""
    async with database.work(origin) as work:
        await work.connection.execute("set local enable_seqscan = off")
        plan = await (
            await work.connection.execute(
                "explain select id from audit_entry where subject_kind = 'card' and subject_id = 'x'"
                " and (at, id) < (now(), gen_random_uuid()) order by at desc, id desc limit 51"
            )
        ).fetchall()
    text = " ".join(line for (line,) in plan)
    assert "audit_entry_subject" in text
    assert "Sort" not in text


async def test_personal_fields_of_a_person_are_erased_and_those_of_others_stay(
    database: Database, origin: Origin
) -> None:
    """ALL-10."""
    person, other = PersonId(new_id(bytes_of_ones)), PersonId(new_id(bytes_of_twos))
    async with database.work(origin) as work:
        for by, on in [(person, other), (other, person)]:
            await record(
                work,
                event=Event.role_granted,
                by=Actor(ActorKind.person, by),
                on=Subject("person", str(on)),
                personal={"name": f"name of {on}"},
            )
        assert await erase_personal_fields(work, person_id=person, by=SYSTEM) == 2
    kept = await rows(
        database, origin, "select actor_person_id, personal from audit_entry where event = 'role-granted'"
    )
    assert dict(kept) == {person: {"name": f"name of {other}"}, other: {"address": origin.address}}
    erasures = await rows(
        database, origin, f"select outcome from audit_entry where event = '{Event.personal_fields_erased}'"
    )
    assert erasures == [(Outcome.done,)]


def bytes_of_ones(size: int) -> bytes:
    return b"\x01" * size


def bytes_of_twos(size: int) -> bytes:
    return b"\x02" * size
