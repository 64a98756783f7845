"""Works that are shared: what each of those who share one is told, whatever happens to it (decision 0350)."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import psycopg
import pytest
from psycopg_pool import PoolClosed

from zorgid.kernel.errors import Refusal
from zorgid.storage.database import Database, Origin
from zorgid.storage.together import Part, Stopped, Together

pytestmark = pytest.mark.oldest_postgresql


class Odd(Refusal):
    code = "odd"


NAMED = ContextVar("NAMED", default="nobody")
"""Stands for what the operator's log adds to each line of a request."""


class Notes:
    """An act that writes down what each part asks; what it meets on the way is set by the test."""

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []
        self.may_begin = asyncio.Event()
        self.may_begin.set()
        self.has_begun = asyncio.Event()
        self.kills_itself = False

    async def write(self, parts: Sequence[Part[str]]) -> Sequence[str | Refusal]:
        self.has_begun.set()
        await self.may_begin.wait()
        self.rounds.append([part.asked for part in parts])
        answers: list[str | Refusal] = []
        for part in parts:
            if part.asked.startswith("refused"):
                answers.append(Odd())
                continue
            request_id = part.work.origin.request_id
            await part.work.connection.execute("insert into note values (%s, %s)", (part.asked, request_id))
            answers.append(f"wrote {part.asked}")
        if self.kills_itself:
            await parts[0].work.connection.execute("select pg_terminate_backend(pg_backend_pid())")
        return answers


@pytest.fixture
async def notebook(database: Database, origin: Origin) -> Database:
    async with database.work(origin) as work:
        await work.connection.execute(
            "create table note (text text not null check (text <> 'unfit'), request_id text,"
            " constraint once unique (text) deferrable initially deferred)"
        )
    return database


async def written(database: Database, origin: Origin) -> list[tuple[str, str]]:
    async with database.work(origin) as work:
        cursor = await work.connection.execute("select text, request_id from note order by text")
        return [(row[0], row[1]) for row in await cursor.fetchall()]


def by(number: int) -> Origin:
    return Origin(f"request-{number}", None, "node")


async def asked_together(
    together: Together[str, str], notes: Notes, *texts: str
) -> list[str | BaseException]:
    """Ask everything while a first work holds the way, so that the rest share the second."""
    notes.may_begin.clear()
    first = asyncio.create_task(together.ask(by(0), "first"))
    await notes.has_begun.wait()
    rest = [asyncio.create_task(together.ask(by(n), text)) for n, text in enumerate(texts, 1)]
    await asyncio.sleep(0)
    notes.may_begin.set()
    return (await asyncio.gather(first, *rest, return_exceptions=True))[1:]


async def test_who_asks_while_a_work_runs_shares_the_next(notebook, origin):
    notes = Notes()
    together: Together[str, str] = Together(notebook, notes.write)

    assert await asked_together(together, notes, "a", "b", "c") == ["wrote a", "wrote b", "wrote c"]

    assert len(notes.rounds) == 2
    assert await written(notebook, origin) == [
        ("a", "request-1"),
        ("b", "request-2"),
        ("c", "request-3"),
        ("first", "request-0"),
    ]


async def test_what_is_logged_in_a_shared_work_names_no_request_of_another(notebook):
    seen: list[str] = []

    async def look(parts: Sequence[Part[str]]) -> Sequence[str]:
        seen.append(NAMED.get())
        return [part.asked for part in parts]

    NAMED.set("a request")
    assert await Together(notebook, look).ask(by(0), "a") == "a"
    assert seen == ["nobody"]


async def test_no_more_share_a_work_than_may(notebook, origin):
    notes = Notes()
    together: Together[str, str] = Together(notebook, notes.write, most=2)

    await asked_together(together, notes, *"abcde")

    assert max(len(one) for one in notes.rounds) == 2
    assert len(await written(notebook, origin)) == 6


async def test_a_refusal_of_one_leaves_the_others_their_work(notebook, origin):
    notes = Notes()
    a, refused, b = await asked_together(Together(notebook, notes.write), notes, "a", "refused", "b")

    assert (a, b) == ("wrote a", "wrote b")
    assert isinstance(refused, Odd)
    assert [text for text, _ in await written(notebook, origin)] == ["a", "b", "first"]


async def test_one_that_breaks_harms_no_other_and_is_not_kept(notebook, origin):
    notes = Notes()
    a, unfit, b = await asked_together(Together(notebook, notes.write), notes, "a", "unfit", "b")

    assert (a, b) == ("wrote a", "wrote b")
    assert isinstance(unfit, psycopg.errors.CheckViolation)
    assert [text for text, _ in await written(notebook, origin)] == ["a", "b", "first"]


async def test_when_the_commit_fails_all_are_told_and_nothing_is_done_again(notebook, origin):
    notes = Notes()
    answers = await asked_together(Together(notebook, notes.write), notes, "twice", "b", "twice")

    assert all(isinstance(one, psycopg.errors.UniqueViolation) for one in answers)
    assert [text for text, _ in await written(notebook, origin)] == ["first"]
    assert sum(one.count("b") for one in notes.rounds) == 1


async def test_a_connection_lost_before_the_commit_breaks_only_who_cannot_be_done_alone(notebook, origin):
    notes = Notes()
    notes.kills_itself = True

    answers = await asked_together(Together(notebook, notes.write), notes, "a", "b")

    assert all(isinstance(one, psycopg.OperationalError) for one in answers)
    assert await written(notebook, origin) == []
    assert notes.rounds == [["first"], ["a", "b"], ["a"], ["b"]]


async def test_a_connection_lost_during_the_commit_is_told_to_all_and_nothing_is_done_again(notebook, origin):
    async with notebook.work(origin) as work:
        await work.connection.execute(
            "create function hang_up() returns trigger language plpgsql as"
            " $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$"
        )
        await work.connection.execute(
            "create constraint trigger hang_up after insert on note deferrable initially deferred"
            " for each row when (new.text = 'hangs up') execute function hang_up()"
        )
    notes = Notes()

    answers = await asked_together(Together(notebook, notes.write), notes, "hangs up", "b")

    assert all(isinstance(one, psycopg.OperationalError) for one in answers)
    assert notes.rounds == [["first"], ["hangs up", "b"]]


async def test_when_no_work_can_begin_all_who_wait_are_told_at_once(
    database_url, clock, random_source, origin
):
    notes = Notes()
    away = await Database.open(database_url, clock=clock, random=random_source)
    await away.close()
    together: Together[str, str] = Together(away, notes.write, most=2)

    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(together.ask(by(n), f"note {n}") for n in range(6)), return_exceptions=True
        )

    assert {type(one) for one in answers} == {PoolClosed}
    assert notes.rounds == []


async def test_when_the_database_goes_away_meanwhile_nobody_waits_for_it_in_turn(
    database_url, clock, random_source, origin
):
    leaving = await Database.open(database_url, clock=clock, random=random_source)
    tries = 0

    async def leave(_parts: Sequence[Part[str]]) -> Sequence[str | Refusal]:
        nonlocal tries
        tries += 1
        await leaving.close()
        raise psycopg.OperationalError("gone")

    together: Together[str, str] = Together(leaving, leave)
    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(together.ask(by(n), f"note {n}") for n in range(6)), return_exceptions=True
        )

    assert all(isinstance(one, psycopg.OperationalError) for one in answers)
    assert tries == 1


async def test_after_a_lost_connection_the_next_work_is_done(notebook, origin):
    notes = Notes()
    notes.kills_itself = True
    together: Together[str, str] = Together(notebook, notes.write)
    with pytest.raises(psycopg.OperationalError):
        await together.ask(origin, "lost")
    notes.kills_itself = False

    assert await together.ask(origin, "kept") == "wrote kept"


async def test_who_is_cancelled_before_the_work_begins_takes_no_part(notebook, origin):
    notes = Notes()
    together: Together[str, str] = Together(notebook, notes.write)
    notes.may_begin.clear()
    first = asyncio.create_task(together.ask(by(0), "first"))
    await notes.has_begun.wait()
    gone = asyncio.create_task(together.ask(by(1), "gone"))
    stays = asyncio.create_task(together.ask(by(2), "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    notes.may_begin.set()

    assert await asyncio.gather(first, stays) == ["wrote first", "wrote stays"]
    assert gone.cancelled()
    assert [text for text, _ in await written(notebook, origin)] == ["first", "stays"]


async def test_who_is_cancelled_later_does_not_hold_up_the_others(notebook, origin):
    notes = Notes()
    together: Together[str, str] = Together(notebook, notes.write)
    notes.may_begin.clear()
    gone = asyncio.create_task(together.ask(by(0), "gone"))
    stays = asyncio.create_task(together.ask(by(1), "stays"))
    await notes.has_begun.wait()
    gone.cancel()
    notes.may_begin.set()

    assert await stays == "wrote stays"
    assert [text for text, _ in await written(notebook, origin)] == ["gone", "stays"]


async def test_at_a_stop_nobody_is_left_waiting(notebook):
    notes = Notes()
    together: Together[str, str] = Together(notebook, notes.write)
    notes.may_begin.clear()
    asked = [asyncio.create_task(together.ask(by(n), f"note {n}")) for n in range(2)]
    await notes.has_begun.wait()
    (works,) = (task for task in asyncio.all_tasks() if task.get_name() == "shared works")
    works.cancel()

    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(one) for one in answers] == [Stopped, Stopped]


async def test_whatever_ends_the_works_nobody_is_left_waiting(notebook, origin):
    """Also what no program expects to catch: the next who asks finds works that go on."""

    class Collapse(BaseException):
        pass

    notes = Notes()

    async def collapse(parts: Sequence[Part[str]]) -> Sequence[str | Refusal]:
        notes.has_begun.set()
        await notes.may_begin.wait()
        raise Collapse

    together: Together[str, str] = Together(notebook, collapse)
    answers = await asyncio.wait_for(asked_together(together, notes, "a", "b"), 60)

    assert [type(one) for one in answers] == [Collapse, Collapse]
    together._act = notes.write
    assert await asyncio.wait_for(together.ask(origin, "c"), 60) == "wrote c"


async def test_an_act_that_forgets_somebody_is_a_fault_and_not_a_wait(notebook, origin):
    async def forgetful(_parts: Sequence[Part[str]]) -> Sequence[str | Refusal]:
        return []

    with pytest.raises(ValueError, match="zip"):
        await asyncio.wait_for(Together(notebook, forgetful).ask(origin, "a"), 60)
