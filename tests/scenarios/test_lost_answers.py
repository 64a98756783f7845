"""ALL-8: an answer that was lost on the way costs nothing when the app asks again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.scenarios.attack_world import COLLEAGUE, AttackWorld, link_on, shared_world

from zorgid.protocol.messages import BirthDateRequest, HandleRequest, IssuanceView


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        await world.register_organisation()
        yield world


@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_birth_date_whose_answer_was_lost_costs_one_try(world: AttackWorld) -> None:
    browser, app = world.browser(), world.app()
    link = link_on(await browser.begin("make-card"))
    code = await app.prove(link, world.card(COLLEAGUE))
    assert (await browser.post_completion(link.handle, code)).status_code == 200
    opened = await app.send("/issuance/open", HandleRequest(handle=link.handle.text_for_wire()))
    view = IssuanceView.model_validate_json(opened.content)

    def stated(day: str) -> BirthDateRequest:
        return BirthDateRequest(issuance_id=view.issuance_id, birth_on=day)

    assert (await app.send("/issuance/birth-date", stated("1980-03-31"), counter=50)).status_code == 200
    wrong = [await app.send("/issuance/birth-date", stated("1980-03-30"), counter=51) for _ in range(4)]
    assert [answer.json()["facts"] for answer in wrong] == [{"tries_left": 2}] * 4
    anew = await app.send("/issuance/birth-date", stated("1980-03-30"), counter=52)
    assert anew.json()["facts"] == {"tries_left": 1}
    assert (await app.send("/issuance/birth-date", stated("1980-03-31"), counter=53)).status_code == 200
