"""A proof that was good when it was given is of no use once its login is over or its card is held.

LOGIN-4, LIFE-3; docs/desktop-protocol.md, chapter 6: what completes is in time, and its card still works.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.register_builders import active_card, actor, known_person, registered_organisation
from tests.scenarios.attack_world import EMPLOYEE, AttackWorld, link_on, shared_world

from zorgid.cards import actions as cards
from zorgid.cards.errors import CardHeld
from zorgid.cards.model import HoldReason
from zorgid.login.model import Means, MeansUsed, ProvedCard
from zorgid.login.people import person_of
from zorgid.protocol.messages import HandleRequest, decode
from zorgid.storage.database import Work


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        yield world


@pytest.mark.asyncio(loop_scope="module")
async def test_a_late_proof_gets_no_more_time_than_its_login_has_left(world: AttackWorld) -> None:
    browser = world.browser()
    link = link_on(await browser.begin_login())
    world.clock.advance(timedelta(minutes=4, seconds=30))
    code = await world.app().prove(link, world.card(EMPLOYEE))
    world.clock.advance(timedelta(seconds=30))
    answer = await browser.post_completion(link.handle, code)
    assert (answer.status_code, answer.json()["code"]) == (403, "login-completion-wrong")
    assert not await browser.is_logged_in()


@pytest.mark.asyncio(loop_scope="module")
async def test_what_another_app_asks_of_a_login_is_refused_and_logged(world: AttackWorld) -> None:
    """AUD-1: a proof and a cancelling by a key that did not attach."""
    link, app, thief = link_on(await world.browser().begin_login()), world.app(), world.app()
    reply = await app.attach(link)
    token = world.card(EMPLOYEE).token(
        challenge=decode(reply.challenge), context=reply.context, handle=link.handle
    )
    refused = [(event, "refused", "app-signature-wrong") for event in ("login-proved", "login-cancelled")]
    async with world.nothing_changes(*refused):
        await thief.try_prove(link, token)
        await thief.send("/cancel", HandleRequest(handle=link.handle.text_for_wire()))


async def test_a_card_that_was_held_after_its_proof_completes_nothing(work: Work) -> None:
    card = await active_card(work, await known_person(work), await registered_organisation(work))
    level = "http://eidas.europa.eu/LoA/substantial"
    means = Means(MeansUsed.smartcard, str(card.id), "900016528", "90000382", "J. de Boer", level)
    proved = ProvedCard(means, b"certificate", card.id, None, None, "de Boer", "Jan", "De Linde")
    assert await person_of(work, proved) == card.holder_id
    by = actor(card.holder_id)
    await cards.hold_card(work, card_id=card.id, reason=HoldReason.lost, by=by)
    with pytest.raises(CardHeld):
        await person_of(work, proved)
