"""Runs one statement for each of several, in one round trip.

Each keeps its own simple plan by key, which stays right however a table grows within a minute; a join with
the whole list would be planned for the table as it was.
"""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, TypeVar

from psycopg.rows import AsyncRowFactory

from zorgid.storage.database import Work

Row = TypeVar("Row")


async def first_of_each(
    work: Work,
    query: LiteralString,
    values: Sequence[Sequence[Any] | Mapping[str, Any]],
    row_factory: AsyncRowFactory[Row],
) -> list[Row | None]:
    """Run a query for each, in their order, and return the first row that each gives, or `None`."""
    async with work.connection.cursor(row_factory=row_factory) as cursor:
        await cursor.executemany(query, values, returning=True)
        return [await each.fetchone() async for each in cursor.results()]


async def run_each(
    work: Work, query: LiteralString, values: Sequence[Sequence[Any] | Mapping[str, Any]]
) -> None:
    """Run a statement for each, in their order."""
    async with work.connection.cursor() as cursor:
        await cursor.executemany(query, values)
