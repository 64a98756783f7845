"""What is over is dropped, and nothing else."""

from datetime import timedelta

from tests.clock import FakeClock
from tests.oidc_builders import AUTHORIZE_PATH, Visit, a_request

from zorgid.oidc.actions import sweep
from zorgid.storage.database import Origin

TABLES = ("oidc_request", "oidc_assertion", "oidc_token", "oidc_code", "oidc_grant")


async def rows_after_sweep(visit: Visit, origin: Origin) -> dict[str, int]:
    async with visit.database.work(origin) as work:
        await sweep(work)
        counts = {}
        for table in TABLES:
            row = await (await work.connection.execute(f"select count(*) from {table}")).fetchone()
            counts[table] = row[0]
    return counts


async def test_each_kind_of_row_goes_when_it_is_over(visit: Visit, clock: FakeClock, origin: Origin) -> None:
    await visit.log_in(origin)
    await visit.browser.post(AUTHORIZE_PATH, data=a_request())
    await visit.tokens(now=clock.at)
    assert await rows_after_sweep(visit, origin) == dict.fromkeys(TABLES, 1)
    clock.advance(timedelta(seconds=61))
    assert (await rows_after_sweep(visit, origin))["oidc_assertion"] == 0
    clock.advance(timedelta(minutes=10))
    assert (await rows_after_sweep(visit, origin))["oidc_request"] == 0
    clock.advance(timedelta(minutes=5))
    assert (await rows_after_sweep(visit, origin))["oidc_token"] == 0
    clock.advance(timedelta(hours=23))
    assert (await rows_after_sweep(visit, origin))["oidc_code"] == 1
    clock.advance(timedelta(hours=1))
    assert await rows_after_sweep(visit, origin) == dict.fromkeys(TABLES, 0)
