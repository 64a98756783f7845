"""Runs a state machine of hypothesis against the real database, each step in a transaction of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from tests.clock import FakeClock

from zorgid.kernel.randomness import RandomSource
from zorgid.storage.database import Database, Mac, Origin, Work

T = TypeVar("T")
Run = Callable[[Callable[[Work], Awaitable[T]]], T]


def live_all(
    machine: Callable[[Run, FakeClock], RuleBasedStateMachine],
    *,
    lives: int,
    steps: int,
    database_url: str,
    clock: FakeClock,
    origin: Origin,
    random_source: RandomSource,
    audit_mac: Mac,
) -> None:
    """Live so many lives of a machine, of so many steps each; they share the database."""
    with asyncio.Runner() as runner:
        database = runner.run(
            Database.open(database_url, clock=clock, random=random_source, audit_mac=audit_mac)
        )

        def run(act: Callable[[Work], Awaitable[T]]) -> T:
            async def in_a_work() -> T:
                async with database.work(origin) as work:
                    return await act(work)

            return runner.run(in_a_work())

        try:
            run_state_machine_as_test(
                lambda: machine(run, clock),
                settings=settings(
                    max_examples=lives,
                    stateful_step_count=steps,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.close())
