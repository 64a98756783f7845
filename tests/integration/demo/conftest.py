"""One stage with a virtual workplace for all its tests; each person in them has a browser of the own."""

from collections.abc import AsyncIterator, Iterator
from io import StringIO
from typing import Any

import pytest
import pytest_asyncio
from tests.scenarios.leaks import leaked
from tests.workplace_builders import Stage, patient_workplace, shared_stage, told_to_log


@pytest.fixture(scope="module")
def log() -> Iterator[StringIO]:
    """Every line that is logged while the module runs."""
    with told_to_log() as lines:
        yield lines


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def whole_stage(
    servers: Any, tmp_path_factory: pytest.TempPathFactory, log: StringIO
) -> AsyncIterator[Stage]:
    """The demo with its workplace. Afterwards no secret of any visit stands in the log (ALL-4)."""
    with patient_workplace():
        async with shared_stage(servers, tmp_path_factory) as stage:
            yield stage
    assert not leaked(log.getvalue(), stage.secrets)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole_stage: Stage) -> AsyncIterator[Stage]:
    """The stage; everybody leaves at the end of a test, so that no card is left in a reader."""
    yield whole_stage
    await whole_stage.workplace.desks.close()
