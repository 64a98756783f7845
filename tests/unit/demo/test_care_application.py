"""The demo care application beside a platform in acceptance: no stranger fills the process of both."""

from collections.abc import AsyncIterator

import httpx
import pytest

from zorgid.demo.care_application import LARGEST_BODY_BYTES, MOST_ANSWERS, CareApplication
from zorgid.kernel.randomness import system_random

ORIGIN = "http://127.0.0.1:8602"


@pytest.fixture
def care() -> CareApplication:
    return CareApplication.create(issuer="http://localhost/oauth", origin=ORIGIN, random=system_random)


@pytest.fixture
async def stranger(care: CareApplication) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(care.app())
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def test_answers_that_nobody_comes_for_are_forgotten(
    care: CareApplication, stranger: httpx.AsyncClient
) -> None:
    for _ in range(MOST_ANSWERS + 5):
        last = await stranger.post("/callback", data={"error": "x"})
    assert len(care.answers) == MOST_ANSWERS
    assert last.headers["location"].rpartition("=")[2] in care.answers


async def test_a_body_that_is_no_answer_of_ours_is_not_kept(
    care: CareApplication, stranger: httpx.AsyncClient
) -> None:
    answer = await stranger.post("/callback", data={"code": "x" * LARGEST_BODY_BYTES})
    assert answer.status_code == 413
    assert not care.answers
