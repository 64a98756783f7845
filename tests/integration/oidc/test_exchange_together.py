"""Token requests that share one transaction: each is judged as if it came alone (LOGIN-1, LOGIN-10, AUD-1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from tests.clock import FakeClock
from tests.oidc_builders import Visit, a_client, a_session, a_token_request
from tests.register_builders import active_card, known_person, registered_organisation

from zorgid.login.model import Means
from zorgid.login.rules import EndReason
from zorgid.login.sessions import actor_of, end_session
from zorgid.oidc.errors import InvalidClient, InvalidGrant
from zorgid.oidc.exchange import redeem_codes
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.redeem import TokenDraft, TokenRequest, checked_token_request
from zorgid.protocol.context import MeansUsed
from zorgid.storage.database import Origin
from zorgid.storage.together import Part


@dataclass
class Desk:
    """Where several applications ask at once."""

    visit: Visit
    clock: FakeClock
    origin: Origin

    def request(self, code: str, **changes: str | None) -> TokenRequest:
        form = a_token_request(code, now=self.clock.at, **changes)
        return checked_token_request(
            TokenDraft(
                unverified=UnverifiedParameters.of(form.items()),
                has_authorization_header=False,
                client=a_client(),
                addresses=self.visit.server.addresses,
                now=self.clock.at,
            )
        )

    async def together(self, *requests: TokenRequest) -> Sequence[Any]:
        async with self.visit.database.work(self.origin) as work:
            parts = [
                Part(work.asked_from(Origin(f"request-{n}", f"192.0.2.{n}", "node")), one)
                for n, one in enumerate(requests)
            ]
            return await redeem_codes(self.visit.server, parts)

    async def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        async with self.visit.database.work(self.origin) as work:
            cursor = await work.connection.execute(query.encode(), values)
            return await cursor.fetchall()

    async def codes(self, count: int) -> list[str]:
        return [await self.visit.code() for _ in range(count)]

    async def works(self, response: dict[str, Any]) -> bool:
        return (await self.visit.userinfo(response["access_token"])).status_code == 200


@pytest.fixture
def desk(visit: Visit, clock: FakeClock, origin: Origin) -> Desk:
    return Desk(visit, clock, origin)


async def test_each_gets_tokens_of_its_own_and_an_audit_entry_under_its_own_request(desk: Desk) -> None:
    await desk.visit.log_in(desk.origin)
    answers = await desk.together(*(desk.request(code) for code in await desk.codes(3)))

    ids = [(await desk.visit.claims_of(one["access_token"]))["jti"] for one in answers]
    assert len(set(ids)) == 3
    logged = await desk.ask(
        "select facts ->> 'jti', request_id, personal ->> 'address' from audit_entry"
        " where event = 'tokens-issued' order by request_id"
    )
    assert logged == [(jti, f"request-{n}", f"192.0.2.{n}") for n, jti in enumerate(ids)]
    assert {row[0] for row in await desk.ask("select jti from oidc_token")} == set(ids)
    assert all([await desk.works(one) for one in answers])


async def test_two_copies_of_one_code_lose_one_and_the_family_as_one_after_the_other(desk: Desk) -> None:
    await desk.visit.log_in(desk.origin)
    twice, other = await desk.codes(2)

    won, neighbour, lost = await desk.together(desk.request(twice), desk.request(other), desk.request(twice))

    assert isinstance(lost, InvalidGrant)
    assert not await desk.works(won)
    assert await desk.works(neighbour)
    assert await desk.ask("select count(*) from oidc_token") == [(2,)]
    assert await desk.ask("select request_id from audit_entry where event = 'code-replayed'") == [
        ("request-2",)
    ]


async def test_one_assertion_twice_counts_once_and_leaves_the_second_code_alone(desk: Desk) -> None:
    await desk.visit.log_in(desk.origin)
    one, two = await desk.codes(2)
    first = desk.request(one)
    proof = first.authenticated

    won, lost = await desk.together(
        first, TokenRequest(proof, two, first.unverified_redirect_uri, first.unverified_verifier)
    )

    assert isinstance(lost, InvalidClient)
    assert await desk.works(won)
    (later,) = await desk.together(desk.request(two))
    assert await desk.works(later)


async def test_a_wrong_verifier_burns_its_own_code_only(desk: Desk) -> None:
    await desk.visit.log_in(desk.origin)
    codes = await desk.codes(3)
    wrong = desk.request(codes[1], code_verifier="another-verifier-of-forty-three-characters-or-more")

    answers = await desk.together(desk.request(codes[0]), wrong, desk.request(codes[2]))

    assert isinstance(answers[1], InvalidGrant)
    assert [await desk.works(answers[n]) for n in (0, 2)] == [True, True]
    (again,) = await desk.together(desk.request(codes[1]))
    assert isinstance(again, InvalidGrant)


@pytest.mark.parametrize("place", [0, 1])
async def test_a_thief_in_the_same_work_gets_nothing_and_burns_nothing(desk: Desk, place: int) -> None:
    """Another client shows the code, before its owner does or after."""
    await desk.visit.log_in(desk.origin)
    (code,) = await desk.codes(1)
    mine = desk.request(code)
    proof = mine.authenticated
    stolen = replace(
        mine, authenticated=replace(proof, client=replace(proof.client, id="another"), jti="other")
    )
    asked = [mine, mine]
    asked[place] = stolen

    answers = await desk.together(*asked)

    assert isinstance(answers[place], InvalidGrant)
    assert await desk.works(answers[1 - place])
    assert await desk.ask("select count(*) from audit_entry where event = 'code-replayed'") == [(0,)]


async def test_a_wrong_return_address_burns_its_own_code_only(desk: Desk) -> None:
    await desk.visit.log_in(desk.origin)
    codes = await desk.codes(2)
    wrong = replace(desk.request(codes[0]), unverified_redirect_uri="https://his.example/other")

    refused, fine = await desk.together(wrong, desk.request(codes[1]))

    assert isinstance(refused, InvalidGrant)
    assert await desk.works(fine)
    assert await desk.ask("select count(*) from oidc_token") == [(1,)]


@pytest.mark.parametrize("code", ["nonsense", "not base64url!", "A" * 43])
async def test_what_is_no_code_harms_nobody_and_its_assertion_counts(desk: Desk, code: str) -> None:
    await desk.visit.log_in(desk.origin)
    (good,) = await desk.codes(1)
    bad = desk.request(code)

    refused, answered = await desk.together(bad, desk.request(good))
    (again,) = await desk.together(bad)

    assert isinstance(refused, InvalidGrant)
    assert await desk.works(answered)
    assert isinstance(again, InvalidClient)


async def test_an_ended_session_refuses_its_own_codes_only(desk: Desk) -> None:
    ended = await desk.visit.log_in(desk.origin)
    (stale,) = await desk.codes(1)
    await desk.visit.log_in(desk.origin)
    (good,) = await desk.codes(1)
    async with desk.visit.database.work(desk.origin) as work:
        await end_session(work, ended, by=actor_of(ended), reason=EndReason.logged_out)

    refused, answered = await desk.together(desk.request(stale), desk.request(good))

    assert isinstance(refused, InvalidGrant)
    assert await desk.works(answered)


async def test_a_held_card_refuses_its_own_codes_only(desk: Desk) -> None:
    async with desk.visit.database.work(desk.origin) as work:
        organisation = await registered_organisation(work)
        cards = [await active_card(work, await known_person(work), organisation) for _ in range(2)]
    codes = []
    for card in cards:
        await desk.visit.log_in(desk.origin, means=means_with(str(card.id), desk.clock.at))
        codes += await desk.codes(1)
    # behind the back of the rooms: what would end the session too is tested with sessions
    await desk.ask("update card set state = 'held' where id = %s returning 1", cards[0].id)

    refused, answered = await desk.together(*(desk.request(code) for code in codes))

    assert isinstance(refused, InvalidGrant)
    assert refused.detail == "session-ended"
    assert await desk.works(answered)


async def test_an_assertion_that_expires_while_it_waits_does_not_count(desk: Desk) -> None:
    await desk.visit.log_in(desk.origin)
    waits = desk.request((await desk.codes(1))[0])
    assert waits.authenticated.expires_at is not None
    desk.clock.at = waits.authenticated.expires_at

    (refused,) = await desk.together(waits)

    assert isinstance(refused, InvalidClient)
    assert await desk.ask("select count(*) from oidc_assertion") == [(0,)]


def means_with(reference: str, now: datetime) -> Means:
    """Return a Smartcard of ours as the means of a session."""
    return replace(a_session(now=now).means, kind=MeansUsed.smartcard, reference=reference)
