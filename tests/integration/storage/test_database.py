from contextlib import suppress

import psycopg
import pytest

from zorgid.kernel.errors import Refusal
from zorgid.storage.database import Database, Origin, Work, WorkBroken

pytestmark = pytest.mark.oldest_postgresql


class Counted(Refusal):
    code = "counted"
    keeps_changes = True


class Plain(Refusal):
    code = "plain"


@pytest.fixture
async def notebook(database: Database, origin: Origin) -> Database:
    async with database.work(origin) as work:
        await work.connection.execute("create table note (text text not null)")
    return database


async def write(work: Work, text: str) -> None:
    await work.connection.execute("insert into note values (%s)", (text,))


async def notes(database: Database, origin: Origin) -> list[str]:
    async with database.work(origin) as work:
        cursor = await work.connection.execute("select text from note order by text")
        return [row[0] for row in await cursor.fetchall()]


async def test_a_work_that_ends_well_is_kept(notebook, origin):
    async with notebook.work(origin) as work:
        await write(work, "kept")

    assert await notes(notebook, origin) == ["kept"]


async def test_a_plain_refusal_undoes_what_was_written(notebook, origin):
    with pytest.raises(Plain):
        async with notebook.work(origin) as work:
            await write(work, "undone")
            raise Plain

    assert await notes(notebook, origin) == []


async def test_a_refusal_that_keeps_changes_commits_and_is_raised_again(notebook, origin):
    with pytest.raises(Counted):
        async with notebook.work(origin) as work:
            await write(work, "a wrong try")
            raise Counted

    assert await notes(notebook, origin) == ["a wrong try"]


async def test_a_broken_statement_that_was_caught_is_not_taken_for_a_commit(notebook, origin):
    with pytest.raises(WorkBroken):
        async with notebook.work(origin) as work:
            await write(work, "lost")
            with suppress(psycopg.Error):
                await work.connection.execute("select 1/0")

    assert await notes(notebook, origin) == []


async def test_a_work_knows_the_moment_and_the_origin(database, clock, origin):
    async with database.work(origin) as work:
        assert work.now == clock.at
        assert work.origin is origin


async def test_a_connection_that_the_server_cut_is_replaced_before_use(database, origin):
    async with database.work(origin) as work:
        cursor = await work.connection.execute("select pg_backend_pid()")
        (process,) = await cursor.fetchone()
    async with await type(work.connection).connect(work.connection.info.dsn, autocommit=True) as other:
        await other.execute("select pg_terminate_backend(%s, 5000)", (process,))

    async with database.work(origin) as work:
        await work.connection.execute("select 1")
