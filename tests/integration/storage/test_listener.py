import asyncio

import pytest
from psycopg import AsyncConnection

from zorgid.storage.listener import Listener

pytestmark = pytest.mark.oldest_postgresql


class Ear:
    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    def handler(self, name):
        return lambda payload="": self.heard.put_nowait(f"{name}:{payload}")

    async def next(self) -> str:
        async with asyncio.timeout(60):
            return await self.heard.get()


def listener_of(url: str, ear: Ear) -> Listener:
    return Listener(
        url,
        {"cards": ear.handler("cards")},
        on_connected=ear.handler("connected"),
        on_lost=ear.handler("lost"),
    )


async def test_a_notification_is_heard_after_the_commit_only(database, database_url, origin):
    ear = Ear()
    async with listener_of(database_url, ear):
        assert await ear.next() == "connected:"
        async with database.work(origin) as work:
            await work.notify("cards", "one")
            await asyncio.sleep(0)
            assert ear.heard.empty()

        assert await ear.next() == "cards:one"


async def test_a_lost_connection_is_told_and_made_again(database, database_url, origin):
    ear = Ear()
    async with listener_of(database_url, ear):
        assert await ear.next() == "connected:"
        async with await AsyncConnection.connect(database_url, autocommit=True) as other:
            await other.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                "where datname = current_database() and query ilike 'listen%'"
            )

        assert await ear.next() == "lost:"
        assert await ear.next() == "connected:"
        async with database.work(origin) as work:
            await work.notify("cards", "two")
        assert await ear.next() == "cards:two"


async def test_a_handler_that_fails_counts_as_a_lost_connection(database, database_url, origin):
    ear = Ear()

    def fail(payload):
        raise ValueError(payload)

    async with Listener(
        database_url, {"cards": fail}, on_connected=ear.handler("connected"), on_lost=ear.handler("lost")
    ):
        assert await ear.next() == "connected:"
        async with database.work(origin) as work:
            await work.notify("cards", "x")

        assert await ear.next() == "lost:"
        assert await ear.next() == "connected:"


async def test_an_unreachable_server_does_not_stop_the_start():
    async with Listener("postgresql://nobody@/none?host=/nonexistent", {}) as listener:
        assert not listener.is_connected
